"""Reckons when a cron expression matches the wall clock of a time zone, by Debian's rules for clock changes.

- Where minute and hour are both given (`30 2 * * *`), a time that the clock skips comes when it has skipped it, and one
  that the clock shows twice comes the first time only.
- Where either begins with a star (`*/30 * * * *`), it comes whenever the clock shows it: not at all in skipped hours,
  twice in repeated ones.

What matches is searched on a clock without a zone, within spans in which the zone's offset stays as it is. Searching on
the zone's own clock, hour after hour, loses matches where it moves by half an hour (Lord Howe).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

_SECOND: Final = timedelta(seconds=1)
#: No zone changes its offset twice within so long.
_DAY: Final = timedelta(days=1)
#: A change of more is no summer time: the zone was set anew, and what the clock skipped does not come.
_LONGEST_CHANGE: Final = timedelta(hours=3)


class Matches(Protocol):
    """Yields what matches an expression on a clock without a zone, strictly after a time, in order."""

    def __call__(self, after: datetime, /) -> Iterator[datetime]:
        """Return them, without an end."""
        ...


@dataclass(frozen=True, slots=True)
class WallClock:
    """The matches of one expression in one zone.

    Args:
        matches: What matches without a zone.
        zone: The zone.
        fixed: Minute and hour are both given.
    """

    matches: Matches
    zone: ZoneInfo
    fixed: bool

    def next(self, after: datetime) -> datetime | None:
        """Return the first match strictly after an instant, in UTC and whole seconds; None: there is none."""
        start, offset = after.astimezone(UTC).replace(microsecond=0), self._offset(after)
        while True:
            found = next(self.matches(_wall(start, offset)), None)
            match = None if found is None else found.replace(tzinfo=UTC) - offset
            change = self._change(start, offset, match)
            if change is None:
                if match is None or not self._repeated(match):
                    return match
                start = match
                continue
            new = self._offset(change)
            # What comes at the very end of what was skipped comes by itself.
            if found is not None and found < _wall(change, new) and self.fixed and new - offset <= _LONGEST_CHANGE:
                return change
            start, offset = change - _SECOND, new

    def skipped(self, slot: datetime) -> datetime | None:
        """Return the time on the zone's clock for which a match stands, where the clock skips it; None: it does not."""
        before, offset = slot - _SECOND, self._offset(slot)
        if not self.fixed or offset <= self._offset(before):
            return None
        found = next(self.matches(_wall(before, self._offset(before))), None)
        return found if found is not None and found < _wall(slot, offset) else None

    def _offset(self, instant: datetime) -> timedelta:
        offset = instant.astimezone(self.zone).utcoffset()
        return timedelta(0) if offset is None else offset

    def _repeated(self, match: datetime) -> bool:
        return self.fixed and match.astimezone(self.zone).fold == 1

    def _change(self, start: datetime, offset: timedelta, match: datetime | None) -> datetime | None:
        """Return the first instant after `start + 1 s` with another offset, if one comes before the match."""
        looks = [start + _DAY] if match is None or match > start + _DAY else []
        for look in [*looks, *([] if match is None else [match])]:
            if self._offset(look) != offset:
                return self._halve(start + _SECOND, look, offset)
        return None

    def _halve(self, low: datetime, high: datetime, offset: timedelta) -> datetime:
        """Return the first second in `low … high` that has not this offset; `high` has not."""
        while low < high:
            middle = low + (high - low) // 2 // _SECOND * _SECOND
            if self._offset(middle) == offset:
                low = middle + _SECOND
            else:
                high = middle
        return high


def _wall(instant: datetime, offset: timedelta) -> datetime:
    return (instant + offset).replace(tzinfo=None)
