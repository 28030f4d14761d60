"""`Limiter`: how many jobs may start in any interval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flows.errors import DeclarationError
from flows.model.duration import as_timedelta, in_seconds
from flows.model.limits.bounds import (
    LONGEST_INTERVAL,
    MOST_TOKENS,
    SHORTEST_INTERVAL,
    SHORTEST_SPACING,
    interval_ms,
    is_limit_id,
    is_whole,
)
from flows.model.names import FIELD
from flows.model.option_checks import check_flag


@dataclass(frozen=True, init=False)
class Limiter:
    """At most `reservoir` starts in any `interval`, wherever that begins: `Limiter(50, timedelta(seconds=1))`.

    It is exact at the moment at which the server gives a job to a worker, by the server's clock. What the function
    calls is reached some milliseconds later, now more and now less: where the target counts strictly, give an interval
    that is a little longer than the target's.

    Args:
        reservoir: Tokens, 1 to 1,000,000. A job takes one when it starts, or as many as its `cost` says.
        interval: After so long a token can be taken again: 10 ms to 31 days, a timedelta or seconds.
        group_key: A field of Params (in a child queue, of the child's job class), a str or an int: each of its values
            has a reservoir of its own, and is a group of the queue, see `group_by` of `QueueOptions`.
        id: Names a limiter that several queues share, of other flows too, as they are declared alike; None: it is the
            queue's own.
        smooth: Space the starts evenly, by interval / reservoir, which is 1 ms or more, instead of letting a whole
            reservoir start at once.

    Raises DeclarationError where one of them cannot be used.
    """

    reservoir: int
    interval: timedelta
    group_key: str | None
    id: str | None
    smooth: bool

    def __init__(
        self,
        reservoir: int,
        interval: timedelta | float,
        *,
        group_key: str | None = None,
        id: str | None = None,  # noqa: A002 - what users call it
        smooth: bool = False,
    ) -> None:
        values: dict[str, Any] = {
            "reservoir": reservoir,
            "interval": as_timedelta(interval),
            "group_key": group_key,
            "id": id,
            "smooth": smooth,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self._check()

    @property
    def interval_ms(self) -> int:
        """The interval in whole milliseconds, rounded up."""
        return interval_ms(self.interval)

    def _check(self) -> None:
        if not is_whole(self.reservoir):
            raise DeclarationError(f"Limiter: reservoir={self.reservoir!r}: give a whole number, 1 to {MOST_TOKENS:,}")
        check_interval("Limiter: interval", self.interval)
        if self.group_key is not None and not (isinstance(self.group_key, str) and FIELD.fullmatch(self.group_key)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"Limiter: group_key={self.group_key!r} is no name of a field")
        if self.id is not None and not is_limit_id(self.id):
            raise DeclarationError(f"Limiter: id={self.id!r}: use 1 to 64 of the characters A-Z a-z 0-9 _ . -")
        check_flag("Limiter: smooth", self.smooth)
        if self.smooth and self.interval / self.reservoir < SHORTEST_SPACING:
            raise DeclarationError(
                f"Limiter: smooth=True leaves {in_seconds(self.interval / self.reservoir)} between two starts, under "
                f"{in_seconds(SHORTEST_SPACING)}: leave smooth out"
            )


def check_interval(what: str, interval: object) -> None:
    """Check that something is an interval that a limiter can have.

    Raises:
        DeclarationError: it is no timedelta, or out of bounds; `what` says which value that is.
    """
    if not isinstance(interval, timedelta):
        raise DeclarationError(f"{what}={interval!r}: give a datetime.timedelta, or seconds as a number")
    if not SHORTEST_INTERVAL <= interval <= LONGEST_INTERVAL:
        raise DeclarationError(
            f"{what}={in_seconds(interval)}: give {in_seconds(SHORTEST_INTERVAL)} to {LONGEST_INTERVAL.days} days"
        )
