"""What a limit has given out at one moment."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class LimitState:
    """A limiter, or the slots, of a queue or of one group of it, at one moment by the server's clock."""

    id: str
    """The limiter's id, of a queue's own `<queue>:<number>`; of slots `slots`, `slots_per_group` or that of `Slots`."""
    kind: Literal["limiter", "slots"]
    declared: int
    """How many tokens or slots the queue declares."""
    live: int
    """How many there are now: what was set while workers run, or what is declared."""
    _: KW_ONLY
    interval: timedelta | None = None
    """After which a token comes back, as it is now; None of slots."""
    smooth: bool = False
    """Whether starts are spaced evenly."""
    per_group: bool = False
    """Whether each group has as much for itself."""
    group: str | int | None = None
    """The group that was asked for, where each has its own; else None."""
    used: int | None = None
    """How many are taken now; None where each group has its own, and none was asked for."""
    ready_at: datetime | None = None
    """When a job that takes one may start, in UTC; None where it may now, or where a slot has to become free."""

    @property
    def free(self) -> int | None:
        """How many are left; None where that is not known."""
        return None if self.used is None else max(0, self.live - self.used)
