"""What Debian's cron does when clocks change, minute by minute, after the description in cron(8) and its main loop.

It is another way to the same answer: it lives through each minute of the days, and knows no calendar but the zone's.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock
_MINUTE = timedelta(minutes=1)
#: Changes of the clock of three hours and more are corrections; of up to five minutes, cron was late.
_CORRECTION = 180
_LATE = 5


class Entry(NamedTuple):
    """A line of a crontab: its text, and at which hours and minutes it matches."""

    text: str
    hours: Iterable[int]
    minutes: Iterable[int]

    @property
    def wild(self) -> bool:
        """Return whether its minute or its hour begins with a star."""
        minute, hour, *_ = self.text.split()
        return minute.startswith("*") or hour.startswith("*")


def runs(entries: Iterable[Entry], zone: str, first: datetime, last: datetime) -> dict[str, list[datetime]]:
    """Return when each entry runs after `first` and until `last`."""
    at: dict[tuple[int, int], list[Entry]] = defaultdict(list)
    for entry in entries:
        for time in product(entry.hours, entry.minutes):
            at[time].append(entry)
    found: dict[str, list[datetime]] = defaultdict(list)
    now = first

    def find(clock: int, which: Callable[[Entry], bool]) -> None:
        for entry in at[clock // 60 % 24, clock % 60]:
            # Debian runs a line once for each skipped minute that it names. A slot is an instant: it comes once.
            if which(entry) and now not in found[entry.text][-1:]:
                found[entry.text].append(now)

    virtual = _clock(first, zone)
    while now < last:
        now += _MINUTE
        clock = _clock(now, zone)
        ahead = clock - virtual
        if -_CORRECTION < ahead <= 0:
            find(clock, _wild)
            continue
        if _LATE < ahead < _CORRECTION:
            find(clock, _wild)
            for skipped in range(virtual + 1, clock + 1):
                find(skipped, _fixed)
        else:
            find(clock, lambda _: True)
        virtual = clock
    return found


def _wild(entry: Entry) -> bool:
    return entry.wild


def _fixed(entry: Entry) -> bool:
    return not entry.wild


def _clock(instant: datetime, zone: str) -> int:
    return (instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) - _EPOCH) // _MINUTE


def utc(*parts: int) -> datetime:
    """Return an instant in UTC."""
    year, month, day, *rest = parts
    return datetime(year, month, day, *rest, tzinfo=UTC)
