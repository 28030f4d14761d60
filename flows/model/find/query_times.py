"""Times in a query's text: instants, days, and how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from flows.model.find.conjunction import LAST_MS

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_AGO: Final = re.compile(r"(\d{1,9})([smhdw])", re.ASCII)
_UNITS_MS: Final = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
#: Milliseconds since 1970, where no calendar reaches.
_NUMBER: Final = re.compile(r"@(\d{1,15})", re.ASCII)
#: The last one that a datetime holds.
_LAST_OF_CALENDAR: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MS


def write_time(ms: int) -> str:
    """Return an instant: `2026-11-27T17:40:00.123Z`, or `@<milliseconds since 1970>`."""
    if ms > _LAST_OF_CALENDAR:
        return f"@{ms}"
    return f"{_EPOCH + ms * _MS:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"


def read_time(text: str, now: datetime) -> int | None:
    """Return milliseconds since 1970, or None for what is no time.

    Args:
        text: An instant with a time zone, in ISO 8601; a day, which begins in UTC; how long ago, as `90s`, `30m`, `6h`,
            `7d` or `2w`; or `@<milliseconds since 1970>`.
        now: From when that is counted.
    """
    if number := _NUMBER.fullmatch(text):
        return _kept(int(number[1]))
    if ago := _AGO.fullmatch(text):
        return _kept((now - _EPOCH) // _MS - int(ago[1]) * _UNITS_MS[ago[2]])
    try:
        at = datetime.fromisoformat(text)
        if _DAY.fullmatch(text):
            at = at.replace(tzinfo=UTC)
        return None if at.tzinfo is None else _kept((at - _EPOCH) // _MS)
    except (ValueError, OverflowError):
        return None


def _kept(ms: int) -> int:
    return min(max(0, ms), LAST_MS + 1)
