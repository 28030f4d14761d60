"""Operations that act on schedules: make, edit, pause, trigger, fill and delete them, without the code of any app."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.run_host import run_host
from flows.api.schedules.found import found_schedules
from flows.api.views.runs import RunStarted
from flows.api.views.schedules import Backfilled
from flows.api.views.time import Time
from flows.api.views.view import Acted
from flows.errors import DeclarationError, NothingThere, ValidationError
from flows.model.schedules.cron import Cron
from flows.model.schedules.every import Every
from flows.model.schedules.policies import Missed, Overlap
from flows.workflow.schedules.schedules import Schedules


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
    host = await run_host(admin)
    host.check_seen(workflow)
    try:
        await Schedules(host).create(_times(cron, timezone, every, overlap, missed), workflow, input, id=id)
    except DeclarationError as error:
        raise ValidationError(str(error)) from error
    return Acted(word="created", id=id, flow="run")


@operation("schedules.edit", role="operator")
async def edit(
    admin: Admin,
    id: str,
    input: Any = None,
    *,
    cron: str | None = None,
    timezone: str = "UTC",
    every: Time | None = None,
    overlap: Overlap = "skip",
    missed: Missed = "last",
) -> Acted:
    """Give a schedule that was created while workers run other times, policies and input: all of them anew.

    Its slots are reckoned from now on; it stays paused where it is.

    Args:
        id: Of the schedule.
        input: The input of each run, plain JSON.
        cron: As of `schedules.create`.
        timezone: As of `schedules.create`.
        every: As of `schedules.create`.
        overlap: As of `schedules.create`.
        missed: As of `schedules.create`.

    Raises:
        UnknownSchedule: there is none of this id.
        ValidationError: the code of an app declares it, or the times cannot be used.
    """
    _host, schedules = await found_schedules(admin, id)
    try:
        await schedules.edit(id, _times(cron, timezone, every, overlap, missed), input)
    except DeclarationError as error:
        raise ValidationError(str(error)) from error
    return Acted(word="edited", id=id, flow="run")


@operation("schedules.pause", role="operator")
async def pause(admin: Admin, id: str, *, note: str = "") -> Acted:
    """Let the slots of a schedule pass, until it is resumed.

    Args:
        id: Of the schedule.
        note: Why.

    Raises:
        UnknownSchedule: there is none of this id.
    """
    _host, schedules = await found_schedules(admin, id)
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
    _host, schedules = await found_schedules(admin, id)
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
    _host, schedules = await found_schedules(admin, id)
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
    _host, schedules = await found_schedules(admin, id)
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
    _host, schedules = await found_schedules(admin, id)
    if not await schedules.delete(id):
        raise NothingThere(f"there is no schedule {id!r} any more")
    return Acted(word="deleted", id=id, flow="run")


def _times(cron: str | None, timezone: str, every: timedelta | None, overlap: Overlap, missed: Missed) -> Cron | Every:
    if cron is not None and every is None:
        return Cron(cron, timezone=timezone, overlap=overlap, missed=missed)
    if every is not None and cron is None:
        return Every(every, overlap=overlap, missed=missed)
    raise ValidationError("cron= and every= say when: give one of them")
