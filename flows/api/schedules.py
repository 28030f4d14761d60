"""Operations on schedules: to list, make, pause, trigger and fill them, without the code of any app."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Any, Final

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.run_host import RunHost, run_host
from flows.api.reading.run_rows import shown_input
from flows.api.reading.shortening import shortened
from flows.api.views.runs import Backfilled, RunStarted, ScheduleView
from flows.api.views.time import Time
from flows.api.views.view import Acted
from flows.errors import DeclarationError, FlowsError, NothingThere, ValidationError
from flows.model.runs.schedule_definition import read_definition
from flows.model.schedules.cron import Cron
from flows.model.schedules.due_slots import slots_between
from flows.model.schedules.errors import UnknownSchedule
from flows.model.schedules.every import Every
from flows.model.schedules.policies import Missed, Overlap
from flows.model.schedules.record import ScheduleRecord
from flows.store.schedules.recorded import RecordedSchedules
from flows.workflow.schedules.schedules import Schedules

#: So many slots to come are shown.
_UPCOMING: Final = 5
_YEARS_MS: Final = 10 * 366 * 86_400_000


async def _found(admin: Admin, schedule_id: str) -> tuple[RunHost, Schedules]:
    """Return what acts on schedules, where the caller may see this one."""
    host = await run_host(admin)
    session = await host.open()
    record = await RecordedSchedules(session.connection, session.settings).record(schedule_id)
    if record is None:
        raise UnknownSchedule(schedule_id)
    host.check_seen(record.workflow)
    return host, Schedules(host)


@operation("schedules.list")
async def list_schedules(admin: Admin, *, workflow: str | None = None, whole: bool = False) -> list[ScheduleView]:
    """List all schedules, that with the next slot first.

    Args:
        workflow: Only of this workflow.
        whole: Whether long texts and values are shown in full.
    """
    host = await run_host(admin)
    session = await host.open()
    recorded = RecordedSchedules(session.connection, session.settings)
    now = await recorded.server_ms()
    found = [one for one in await recorded.list() if host.sees(one.workflow) and workflow in {None, one.workflow}]
    return [shortened(_view(admin, one, await _upcoming(recorded, one, now)), whole=whole) for one in found]


@operation("schedules.create", role="operator")
async def create(
    admin: Admin,
    id: str,
    workflow: str,
    input: Any = None,
    *,
    cron: str | None = None,
    timezone: str = "UTC",
    every: Time | None = None,
    overlap: Overlap = "skip",
    missed: Missed = "last",
) -> Acted:
    """Make a schedule while workers run; it stays until it is deleted.

    Args:
        id: Names it.
        workflow: Of which it starts runs.
        input: The input of each, plain JSON.
        cron: Five fields, or `@daily` and its like; or give `every`.
        timezone: The zone whose wall clock counts for `cron`.
        every: The interval; or give `cron`.
        overlap: What happens while its last run is open: `skip`, `queue`, `cancel_running` or `allow`.
        missed: What happens to slots that came while no worker ran: `last`, `skip` or `all`.

    Raises:
        ValidationError: there is a schedule of this id, or the times cannot be used.
        UnknownWorkflow: no app ever had a workflow of this name.
    """
    if (cron is None) == (every is None):
        raise ValidationError("cron= and every= say when: give one of them")
    host = await run_host(admin)
    host.check_seen(workflow)
    try:
        if cron is not None:
            times: Cron | Every = Cron(cron, timezone=timezone, overlap=overlap, missed=missed)
        else:
            assert every is not None  # noqa: S101 - one of both is given
            times = Every(every, overlap=overlap, missed=missed)
        await Schedules(host).create(times, workflow, input, id=id)
    except DeclarationError as error:
        raise ValidationError(str(error)) from error
    return Acted(word="created", id=id, flow="run")


@operation("schedules.pause", role="operator")
async def pause(admin: Admin, id: str, *, note: str = "") -> Acted:
    """Let the slots of a schedule pass, until it is resumed.

    Args:
        id: Of the schedule.
        note: Why.

    Raises:
        UnknownSchedule: there is none of this id.
    """
    _host, schedules = await _found(admin, id)
    word = "paused" if await schedules.pause(id, note) else "was paused"
    return Acted(word=word, id=id, flow="run")


@operation("schedules.resume", role="operator")
async def resume(admin: Admin, id: str) -> Acted:
    """Let a paused schedule go on with its next slot.

    Args:
        id: Of the schedule.

    Raises:
        UnknownSchedule: there is none of this id.
    """
    _host, schedules = await _found(admin, id)
    word = "resumed" if await schedules.resume(id) else "not paused"
    return Acted(word=word, id=id, flow="run")


@operation("schedules.trigger", role="operator")
async def trigger(admin: Admin, id: str) -> RunStarted:
    """Start a run of a schedule now; its slots stay as they are.

    Args:
        id: Of the schedule.

    Raises:
        UnknownSchedule: there is none of this id.
    """
    _host, schedules = await _found(admin, id)
    return RunStarted(word="triggered", id=await schedules.trigger(id))


@operation("schedules.backfill", role="operator")
async def backfill(admin: Admin, id: str, start: datetime, end: datetime) -> Backfilled:
    """Start the runs of past slots that have not run.

    Args:
        id: Of the schedule.
        start: The first slot that counts: an instant with a time zone.
        end: The last one; it must be over.

    Raises:
        UnknownSchedule: there is none of this id.
        ValidationError: the times cannot be used, or there are over 10,000 slots between them.
    """
    _host, schedules = await _found(admin, id)
    started = await schedules.backfill(id, start, end)
    return Backfilled(word="started", count=len(started), runs=started)


@operation("schedules.delete", role="operator", frees=True)
async def delete(admin: Admin, id: str) -> Acted:
    """Delete a schedule that was created while workers run; its runs stay.

    Args:
        id: Of the schedule.

    Raises:
        UnknownSchedule: there is none of this id.
        ValidationError: the code of an app declares it.
    """
    _host, schedules = await _found(admin, id)
    if not await schedules.delete(id):
        raise NothingThere(f"there is no schedule {id!r} any more")
    return Acted(word="deleted", id=id, flow="run")


async def _upcoming(recorded: RecordedSchedules, one: ScheduleRecord, now: int) -> list[datetime]:
    """Return the next slots; none where this machine cannot reckon them, as without the extra `cron`."""
    if one.next_at is None:
        return []
    try:
        definition = read_definition(one.id, await recorded.read(one.id))
        first = max(now, round(one.next_at.timestamp() * 1000))
        slots = islice(slots_between(definition.schedule, first, first + _YEARS_MS), _UPCOMING)
        return [datetime.fromtimestamp(slot / 1000, one.next_at.tzinfo) for slot in slots]
    except FlowsError:
        return []


def _view(admin: Admin, one: ScheduleRecord, upcoming: list[datetime]) -> ScheduleView:
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
        upcoming=upcoming,
        paused=one.paused_at,
        note=one.note,
        last_run=one.last_run,
        last_slot=one.last_slot,
        created=one.created_at,
    )
