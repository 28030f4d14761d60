"""Operations that read the log of a flow's endings: `jobs.ended`, `jobs.ended_by_day`."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import Field

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.hiding import HIDDEN, Hiding
from flows.api.views.jobs import EndedDayView, EndedPage, EndingRow
from flows.errors import ValidationError
from flows.model.endings.days import day_borders, today
from flows.model.endings.outbox import Ended
from flows.store.views.endings import AskedEndings, count_endings, read_endings


@operation("jobs.ended")
async def ended(
    admin: Admin,
    flow: str,
    *,
    outcome: Ended = "failed",
    day: str | None = None,
    timezone: str = "UTC",
    error: str | None = None,
    fields: dict[str, Any] | None = None,
    cursor: str = "",
    limit: Annotated[int, Field(ge=1, le=1000)] = 100,
) -> EndedPage:
    """List what has ended, newest first, from the flow's log: also jobs that are kept no more.

    Args:
        flow: Its name.
        outcome: How they ended: `done`, `failed` or `cancelled`.
        day: Only on this day, such as 2026-11-26.
        timezone: In whose time zone the day is meant, such as Europe/Berlin.
        error: Only failures by this type of error.
        fields: Only those whose copied fields have these values, as JSON.
        cursor: Where to go on: what the page before had.
        limit: So many at most.

    Raises:
        Forbidden: one of the fields is hidden from the caller.
        ValidationError: the day, the time zone or the cursor is none.
    """
    known, hiding = await admin.flow(flow), Hiding(admin.caller, flow)
    for name in [*(fields or {}), *(["error"] if error is not None else [])]:
        hiding.check_search(name)
    begin_end = None if day is None else day_borders(_date(day), timezone)
    if cursor and not all(part.isdigit() for part in cursor.split("-", 1)):
        raise ValidationError(f"cursor={cursor!r:.80} is no cursor of this list")
    asked = AskedEndings(
        outcome,
        error=error,
        between_ms=None if begin_end is None else (begin_end[0], begin_end[1]),
        fields=fields or {},
    )
    page = await read_endings(admin.connection, known.settings, asked, limit=limit, after=cursor)
    rows = [
        EndingRow(
            id=one.job_id,
            outcome=one.outcome,
            ended=one.ended,
            fields={
                name: hiding.pruned(value) if hiding.allows(name) else HIDDEN for name, value in one.fields.items()
            },
            error=one.error,
        )
        for one in page.endings
    ]
    return EndedPage(endings=rows, cursor=page.next, logged=known.settings.logs_endings)


@operation("jobs.ended_by_day")
async def ended_by_day(
    admin: Admin,
    flow: str,
    *,
    outcome: Ended = "failed",
    days: Annotated[int, Field(ge=1, le=366)] = 7,
    until: str | None = None,
    timezone: str = "UTC",
    by: str = "",
) -> list[EndedDayView]:
    """Count what has ended on each of some days, from the flow's log.

    Args:
        flow: Its name.
        outcome: How they ended: `done`, `failed` or `cancelled`.
        days: How many days.
        until: The last of them, such as 2026-11-26; today where it is left out.
        timezone: In whose time zone the days are meant, such as Europe/Berlin.
        by: A copied field, by whose values they are counted too.

    Raises:
        Forbidden: that field is hidden from the caller.
        ValidationError: the day or the time zone is none.
    """
    known = await admin.flow(flow)
    Hiding(admin.caller, flow).check_search(by)
    last = today(timezone) if until is None else _date(until)
    borders = day_borders(last, timezone, days)
    counted = await count_endings(admin.connection, known.settings, outcome, borders, by)
    first = last - timedelta(days=days - 1)
    return [
        EndedDayView(
            day=(first + timedelta(days=number)).isoformat(),
            total=sum(found.values()),
            by={value or "": count for value, count in found.items()} if by else {},
        )
        for number, found in enumerate(counted)
    ]


def _date(text: str) -> date:
    """Return a day.

    Raises:
        ValidationError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValidationError(f"{text!r:.40} is no day: give one such as 2026-11-26") from None
