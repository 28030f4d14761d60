"""When days begin and end in a time zone: a day of a clock change is shorter or longer than others."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flows.errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Sequence

_DAY = timedelta(days=1)


def day_borders(day: date, timezone: str = "UTC", days: int = 1) -> Sequence[int]:
    """Return when some days begin, the last of them `day`, and when that ends: in milliseconds since 1970.

    Raises:
        ValidationError: there is no such time zone, or this is no date.
    """
    if not isinstance(day, date) or isinstance(day, datetime):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValidationError(f"day={day!r}: give a datetime.date")
    zone = _zone(timezone)
    try:
        return [_begin(day + n * _DAY, zone) for n in range(1 - days, 2)]
    except OverflowError:
        raise ValidationError(f"day={day}: that is beyond the calendar") from None


def today(timezone: str) -> date:
    """Return the day that it is in a time zone.

    Raises:
        ValidationError: there is no such time zone.
    """
    return datetime.now(_zone(timezone)).date()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise ValidationError(
            f'timezone={name!r:.80}: there is no such zone; give a name such as "Europe/Berlin" or "UTC"'
        ) from None


def _begin(day: date, zone: ZoneInfo) -> int:
    # Where the clock leaves midnight out, the time before that change names the moment of the change.
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)
