"""`Every`: a schedule by an interval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from flows.errors import DeclarationError
from flows.model.duration import as_timedelta, check_duration, in_seconds
from flows.model.schedules.policies import Missed, Overlap, check_policies

_MS: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, init=False)
class Every:
    """A run at each multiple of an interval since 1970 (UTC): `Every(timedelta(minutes=5))`.

    So all that declare the same interval have the same slots, and a deploy moves none.

    Args:
        interval: Whole milliseconds, a timedelta or seconds.
        input: The input of each run; None for workflows without one.
        id: As of `Cron`.
        overlap: As of `Cron`.
        missed: As of `Cron`.

    Raises DeclarationError where one of them cannot be used.
    """

    interval: timedelta
    input: Any
    id: str | None
    overlap: Overlap
    missed: Missed

    def __init__(
        self,
        interval: timedelta | float,
        *,
        input: Any = None,  # noqa: A002 - what users call it
        id: str | None = None,  # noqa: A002 - what users call it
        overlap: Overlap = "skip",
        missed: Missed = "last",
    ) -> None:
        held = as_timedelta(interval)
        check_duration("interval", held)
        if held % _MS:
            raise DeclarationError(f"interval={in_seconds(held)} is no whole number of milliseconds: give one that is")
        check_policies(id, overlap, missed)
        values: dict[str, Any] = {"interval": held, "input": input, "id": id, "overlap": overlap, "missed": missed}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def next_slot(self, after_ms: int) -> int:
        """Return the first slot strictly after an instant, both in milliseconds since 1970."""
        interval = self.interval // _MS
        return (after_ms // interval + 1) * interval
