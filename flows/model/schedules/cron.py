"""`Cron`: a schedule by a cron expression and a time zone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flows.errors import DeclarationError, MissingExtra
from flows.model.schedules.policies import Missed, Overlap, check_policies
from flows.model.schedules.wall_clock import WallClock

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Names for what many write.
_ALIASES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
#: Minute, hour, day of the month, month, day of the week.
_FIELDS: Final = 5
#: An expression that matches nothing in the 50 years from here is refused.
_SOMETIME: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Cron:
    """A run at each time that matches a cron expression: `Cron("0 9 * * MON-FRI", timezone="Europe/Berlin")`.

    Needs the extra `cron`.

    Args:
        expression: Five fields: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday), with `*`,
            `1,2`, `1-5`, `*/15`, names such as MON and JAN, `L` for the month's last day and `MON#2` for its second
            Monday; or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. Where a day of the month and one of the
            week are given, either suffices; where one of the two begins with a star, both must match.
        timezone: The zone whose wall clock counts, such as "Europe/Berlin". Clock changes are treated as by Debian's
            cron: what falls into a skipped hour runs right after it, once, and in a repeated hour once; where minute
            or hour begins with a star, a run comes whenever the clock shows the time.
        input: The input of each run; None for workflows without one.
        id: Names the schedule, 1 to 200 printable characters; None: the workflow's name, of which only one can be.
        overlap: What happens while the last run of the schedule is open: "skip" the slot, "queue" the new run behind
            it, "cancel_running" it, or "allow" both.
        missed: What happens to slots that came while no worker ran: "last" runs the newest of them, "skip" those that
            are not later than a minute, "all" up to 1,000, in order, the newest ones.

    Raises DeclarationError where one of them cannot be used, MissingExtra without the extra.
    """

    expression: str
    timezone: str = field(default="UTC", kw_only=True)
    input: Any = field(default=None, kw_only=True)
    id: str | None = field(default=None, kw_only=True)
    overlap: Overlap = field(default="skip", kw_only=True)
    missed: Missed = field(default="last", kw_only=True)
    _clock: WallClock = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the expression, the zone, the id and the policies."""
        clock = _clock(self.expression, _zone(self.timezone))
        object.__setattr__(self, "_clock", clock)
        check_policies(self.id, self.overlap, self.missed)
        if clock.next(_SOMETIME) is None:
            raise DeclarationError(f"cron expression {self.expression!r} never matches: there is no such day")

    def next_slot(self, after_ms: int) -> int:
        """Return the first slot strictly after an instant, both in milliseconds since 1970.

        Raises:
            OverflowError: there is none before the year 9999.
        """
        slot = self._clock.next(datetime.fromtimestamp(after_ms // 1000, UTC))
        if slot is None:
            raise OverflowError(f"cron expression {self.expression!r} matches no more after {after_ms} ms")
        return int(slot.timestamp()) * 1000

    def skipped(self, slot_ms: int) -> datetime | None:
        """Return the time on the zone's clock for which a slot stands, where the clock skips it; None: it does not."""
        return self._clock.skipped(datetime.fromtimestamp(slot_ms // 1000, UTC))


def _zone(name: object) -> ZoneInfo:
    try:
        if isinstance(name, str):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise DeclarationError(
            f"timezone={name!r} is not known here: give a name such as 'Europe/Berlin'; "
            "where the system has no time zones, install the package tzdata"
        ) from error
    raise DeclarationError(f"timezone={name!r}: give the name of a time zone, such as 'Europe/Berlin'")


def _clock(expression: object, zone: ZoneInfo) -> WallClock:
    try:
        from cronsim import CronSim, CronSimError  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra("Cron", "cron", "; Every needs none") from error
    if not isinstance(expression, str):
        raise DeclarationError(f"cron expression {expression!r}: give a text such as '0 9 * * *'")
    text = _ALIASES.get(expression.strip().lower(), expression)
    fields = text.split()
    if len(fields) != _FIELDS:
        raise DeclarationError(
            f"cron expression {expression!r} has {len(fields)} fields: give five, minute, hour, day of the month, "
            "month and day of the week, such as '0 9 * * MON-FRI'; for seconds take Every"
        )

    def matches(after: datetime, /) -> Iterator[datetime]:
        return CronSim(text, after)

    try:
        matches(_SOMETIME.replace(tzinfo=None))
    except CronSimError as error:
        raise DeclarationError(f"cron expression {expression!r}: {str(error).lower()}") from error
    return WallClock(matches, zone, not fields[0].startswith("*") and not fields[1].startswith("*"))
