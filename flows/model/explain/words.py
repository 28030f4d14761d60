"""Durations, instants and counts as a sentence has them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_SECOND, _MINUTE, _HOUR, _DAY = 1000, 60_000, 3_600_000, 86_400_000
#: The years that a datetime can hold; a score that was edited may be any number.
_LAST: Final = 253_402_300_799_000


def lasting(ms: float) -> str:
    """Return a duration: `380 ms`, `3.2 s`, `41 s`, `4 min`, `2 h 10 min`, `3 d 4 h`."""
    whole = int(max(0, min(ms, _LAST)))
    if whole < _SECOND:
        return f"{whole} ms"
    if whole < 10 * _SECOND:
        return f"{whole / _SECOND:.1f} s"
    if whole < 2 * _MINUTE:
        return f"{whole // _SECOND} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        return _two(whole, _HOUR, "h", _MINUTE, "min")
    return _two(whole, _DAY, "d", _HOUR, "h")


def at_time(ms: float, now: float) -> str:
    """Return an instant: `12:03:07 UTC` where it is within half a day from now, else with its date."""
    at = instant(ms)
    return f"{at:%H:%M:%S} UTC" if abs(ms - now) < _DAY / 2 else f"{at:%Y-%m-%d %H:%M} UTC"


def instant(ms: float) -> datetime:
    """Return an instant in UTC; what is out of the range of a datetime becomes its end."""
    return datetime.fromtimestamp(int(max(0, min(ms, _LAST))) / 1000, UTC)


def counted(number: int, what: str, many: str = "") -> str:
    """Return a number with what it counts: `1 other`, `1,204 others`."""
    return f"{number:,} {what if number == 1 else many or what + 's'}"


def _two(ms: int, large: int, name: str, small: int, unit: str) -> str:
    rest = ms % large // small
    return f"{ms // large} {name} {rest} {unit}" if rest else f"{ms // large} {name}"
