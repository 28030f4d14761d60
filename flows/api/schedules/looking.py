"""Operations that look at schedules: `schedules.list`, `schedules.slots`, `schedules.day`."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Final

from pydantic import Field

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.run_host import run_host
from flows.api.reading.run_rows import shown_input
from flows.api.reading.shortening import shortened
from flows.api.reading.slots import SlotReader, marks
from flows.api.schedules.found import found_schedules, recorded_schedules
from flows.api.views.schedules import DayView, MovedSlot, ScheduleView, SlotsView, SlotView
from flows.errors import FlowsError, ValidationError
from flows.model.creation.job_options import server_ms
from flows.model.runs.schedule_definition import read_definition
from flows.model.schedules.cron import Cron
from flows.model.schedules.due_slots import slots_between
from flows.model.schedules.every import Every
from flows.model.schedules.record import ScheduleRecord, read_schedule
from flows.model.schedules.slot_words import SlotBook

#: So many slots to come are shown.
_UPCOMING: Final = 5
_YEARS_MS: Final = 10 * 366 * 86_400_000
#: So many slots of all schedules together are shown; and at least so many of each.
_MOST_SLOTS: Final = 1_000
_FEWEST: Final = 5
#: A backfill starts so many runs at most.
_MOST: Final = 10_000
_DAY_MS: Final = 86_400_000
#: The day of so many schedules is drawn.
_MOST_LANES: Final = 100


@operation("schedules.list")
async def list_schedules(
    admin: Admin,
    *,
    workflow: str | None = None,
    slots: Annotated[int, Field(ge=0, le=60)] = 0,
    whole: bool = False,
) -> list[ScheduleView]:
    """List all schedules, that with the next slot first.

    Args:
        workflow: Only of this workflow.
        slots: What became of so many slots of each that came last, fewer where there are many schedules.
        whole: Whether long texts and values are shown in full.
    """
    host = await run_host(admin)
    recorded = await recorded_schedules(host)
    now = await recorded.server_ms()
    hashes = await recorded.hashes()
    found = [(one, read_schedule(one.id, one.fields, one.next_ms)) for one in hashes]
    found = [
        (one, record) for one, record in found if host.sees(record.workflow) and workflow in {None, record.workflow}
    ]
    most = min(slots, max(_FEWEST, _MOST_SLOTS // max(1, len(found))))
    reader = SlotReader(host)
    made: list[tuple[ScheduleRecord, Cron | Every | None, list[SlotView]]] = []
    for one, record in found:
        times = _times(record.id, one.fields)
        book = None if times is None else SlotBook(times, one.fields, _ms(record.next_at), now)
        last = [] if book is None or most == 0 else reader.take(record.id, book.newest(most))
        made.append((record, times, last))
    await reader.fill()
    return [shortened(_view(admin, record, times, now, last), whole=whole) for record, times, last in made]


@operation("schedules.slots")
async def slots(admin: Admin, id: str, start: datetime, end: datetime) -> SlotsView:
    """List the slots of a schedule between two times, with the runs that they have: what `schedules.backfill` would do.

    Args:
        id: Of the schedule.
        start: The first slot that counts: an instant with a time zone.
        end: The last one.

    Raises:
        UnknownSchedule: there is none of this id.
        ValidationError: the times cannot be used, or there are over 10,000 slots between them.
    """
    first, last = server_ms("start", start), server_ms("end", end)
    host, _schedules = await found_schedules(admin, id)
    recorded = await recorded_schedules(host)
    now = await recorded.server_ms()
    fields = await recorded.read(id)
    record = await recorded.record(id)
    book = SlotBook(read_definition(id, fields).schedule, fields, None if record is None else _ms(record.next_at), now)
    told = book.between(first, last, _MOST)
    if told is None:
        raise ValidationError(f"there are over {_MOST:,} slots between start and end: ask for a shorter time")
    reader = SlotReader(host)
    views = reader.take(id, told)
    await reader.fill()
    without = sum(one.word not in {"ran", "planned"} for one in views)
    return shortened(SlotsView(slots=views, total=len(views), without_run=without))


@operation("schedules.day")
async def day(admin: Admin, start: datetime, end: datetime) -> list[DayView]:
    """List when the schedules come within a day: each slot, or where they are dense, from when until when they are.

    Args:
        start: An instant with a time zone.
        end: Another one, a day later at most.

    Raises:
        ValidationError: the times cannot be used.
    """
    first, last = server_ms("start", start), server_ms("end", end)
    if not 0 < last - first <= _DAY_MS:
        raise ValidationError(f"start={start}, end={end}: give a time of up to a day")
    host = await run_host(admin)
    recorded = await recorded_schedules(host)
    now = await recorded.server_ms()
    views: list[DayView] = []
    for one in (await recorded.hashes())[:_MOST_LANES]:
        record = read_schedule(one.id, one.fields, one.next_ms)
        times = _times(one.id, one.fields) if host.sees(record.workflow) else None
        if times is not None:
            book = SlotBook(times, one.fields, _ms(record.next_at), now)
            paused = record.paused_at is not None
            views.append(DayView(id=one.id, marks=marks(book, first, last, now, paused=paused)))
    return views


def _times(schedule_id: str, fields: dict[str, bytes]) -> Cron | Every | None:
    """Return the times of a schedule; None where this machine cannot reckon them, as without the extra `cron`."""
    try:
        return read_definition(schedule_id, fields).schedule
    except FlowsError:
        return None


def _ms(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1000)


def _view(
    admin: Admin, one: ScheduleRecord, times: Cron | Every | None, now: int, last: list[SlotView]
) -> ScheduleView:
    first = _ms(one.next_at)
    reckoned = times is not None and first is not None
    begin = max(now, first or 0)
    upcoming = list(islice(slots_between(times, begin, begin + _YEARS_MS), _UPCOMING)) if reckoned and times else []
    skipped = [(slot, times.skipped(slot)) for slot in upcoming] if isinstance(times, Cron) else []
    return ScheduleView(
        id=one.id,
        workflow=one.workflow,
        app=one.app,
        cron=one.cron,
        timezone=one.timezone,
        interval=None if one.interval is None else one.interval.total_seconds(),
        overlap=one.overlap,
        missed=one.missed,
        input=shown_input(admin.caller, one.input),
        next=one.next_at,
        upcoming=[datetime.fromtimestamp(slot / 1000, UTC) for slot in upcoming],
        moved=[
            MovedSlot(slot=datetime.fromtimestamp(slot / 1000, UTC), local=local.isoformat())
            for slot, local in skipped
            if local is not None
        ],
        slots=last,
        paused=one.paused_at,
        note=one.note,
        last_run=one.last_run,
        last_slot=one.last_slot,
        created=one.created_at,
    )
