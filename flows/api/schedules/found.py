"""Finds a schedule that the caller of an operation may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.api.reading.run_host import RunHost, run_host
from flows.model.schedules.errors import UnknownSchedule
from flows.store.schedules.recorded import RecordedSchedules
from flows.workflow.schedules.schedules import Schedules

if TYPE_CHECKING:
    from flows.api.admin import Admin


async def recorded_schedules(host: RunHost) -> RecordedSchedules:
    """Return what reads schedules."""
    session = await host.open()
    return RecordedSchedules(session.connection, session.settings)


async def found_schedules(admin: Admin, schedule_id: str) -> tuple[RunHost, Schedules]:
    """Return what acts on schedules, where the caller may see this one.

    Raises:
        UnknownSchedule: there is none of this id.
        Forbidden: it is of none of the caller's apps.
    """
    host = await run_host(admin)
    record = await (await recorded_schedules(host)).record(schedule_id)
    if record is None:
        raise UnknownSchedule(schedule_id)
    host.check_seen(record.workflow)
    return host, Schedules(host)
