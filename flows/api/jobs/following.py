"""Operations that follow one job: `jobs.log`, `jobs.history`, `jobs.children`, `jobs.position`, `jobs.wait`."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from flows.api.admin import Admin
from flows.api.jobs.looking import show
from flows.api.operation import operation
from flows.api.reading.hiding import Hiding
from flows.api.reading.log_lines import log_view
from flows.api.reading.rows import child_rows
from flows.api.reading.shortening import shortened
from flows.api.views.jobs import AttemptView, ChildrenPage, JobView, LogView, PositionView
from flows.api.views.time import Time
from flows.errors import JobGone, ValidationError, WaitTimeout
from flows.kernel.callers.make_record import state_of
from flows.model.names import check_job_id
from flows.model.state import TERMINAL
from flows.store.jobs.fetch import Fetch, child_jobs
from flows.store.views.position import position as read_position

if TYPE_CHECKING:
    from flows.api.known_flow import KnownFlow

#: How often `jobs.wait` looks, in seconds: the pause doubles up to the longest.
_FIRST: Final = 0.02
_LONGEST: Final = 1.0


async def _found(admin: Admin, flow: str | None, job_id: str) -> tuple[KnownFlow, str, str]:
    job_id = check_job_id(job_id)
    name = flow or await admin.flow_of_job(job_id)
    return await admin.flow(name), name, job_id


@operation("jobs.log")
async def log(
    admin: Admin,
    id: str,
    *,
    after: Annotated[int, Field(ge=0)] = 0,
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000,
    whole: bool = False,
    flow: str | None = None,
) -> LogView:
    """Show what the functions of a job have logged: the last 1,000 lines are kept.

    Args:
        id: Of the job.
        after: Only lines with a higher number.
        limit: So many at most, the last ones.
        whole: Whether long texts and values are shown in full.
        flow: Its flow, or its child queue; it is looked for where this is left out.

    Raises:
        JobGone: there is none of this id, and no flow was named.
    """
    known, name, job_id = await _found(admin, flow, id)
    hiding = Hiding(admin.caller, known.name, name)
    if hiding.logs:
        return LogView(lines=[], last=after, hidden=True)
    fetch = Fetch(admin.connection, known.settings)
    lines = [line for line in await fetch.log(name, job_id) if line.n > after or not line.n]
    secrets = hiding.secrets({})
    if hiding.names:
        [fields] = await fetch.hashes([(name, job_id)], sorted(hiding.names))
        secrets = hiding.secrets(fields or {})
    return log_view(secrets, lines, after, limit, whole=whole)


@operation("jobs.history")
async def history(admin: Admin, id: str, *, flow: str | None = None) -> list[AttemptView]:
    """Show what became of a job's attempts: the last 20, from the first one that did not simply succeed.

    Args:
        id: Of the job.
        flow: Its flow, or its child queue; it is looked for where this is left out.

    Raises:
        JobGone: there is none of this id.
    """
    return (await show(admin, id, flow=flow)).attempts


@operation("jobs.children")
async def children(
    admin: Admin,
    id: str,
    *,
    cursor: str = "",
    limit: Annotated[int, Field(ge=1, le=100)] = 50,
    flow: str | None = None,
) -> ChildrenPage:
    """List the children of a job, in the order of their creation, a page at a time.

    Args:
        id: Of the parent.
        cursor: Where to go on: what the page before had.
        limit: So many at most.
        flow: Its flow, or its child queue; it is looked for where this is left out.

    Raises:
        JobGone: there is none of this id.
        ValidationError: the cursor is none.
    """
    known, name, job_id = await _found(admin, flow, id)
    if cursor and not (cursor.isascii() and cursor.isdigit()):
        raise ValidationError("this is no cursor of jobs.children: give what the page before had, or ''")
    start = int(cursor or 0)
    fields = [f"children:{queue}:jobs" for queue in known.queues]
    [found] = await Fetch(admin.connection, known.settings).hashes([(name, job_id)], fields)
    if found is None:
        raise JobGone(job_id)
    every = [child for value in found.values() for child in child_jobs(value, admin.keys.namespace)]
    some = every[start : start + limit]
    rows = await child_rows(admin, known, some)
    pending = await admin.connection.call("SCARD", admin.keys.pending(name, job_id))
    page = ChildrenPage(
        jobs=rows,
        total=len(every),
        pending=pending,
        gone=len(some) - len(rows),
        cursor=str(start + limit) if start + limit < len(every) else "",
    )
    return shortened(page)


@operation("jobs.position")
async def position(admin: Admin, id: str, *, flow: str | None = None) -> PositionView:
    """Say how many are ahead of a job that waits or is delayed.

    Args:
        id: Of the job.
        flow: Its flow, or its child queue; it is looked for where this is left out.

    Raises:
        JobGone: there is none of this id, and no flow was named.
    """
    known, _name, job_id = await _found(admin, flow, id)
    found = await read_position(admin.connection, known.settings, list(known.queues), job_id)
    if found is None:
        return PositionView(ahead=None, exact=True, delayed_until=None, in_group=None)
    return PositionView(
        ahead=found.ahead, exact=found.exact, delayed_until=found.delayed_until, in_group=found.in_group
    )


@operation("jobs.wait")
async def wait(admin: Admin, id: str, timeout: Time = timedelta(seconds=30), *, flow: str | None = None) -> JobView:
    """Wait until a job has ended, and show it.

    Args:
        id: Of the job.
        timeout: For how long, an hour at most.
        flow: Its flow, or its child queue; it is looked for where this is left out.

    Raises:
        JobGone: it has expired or was deleted.
        WaitTimeout: it has not ended in time.
    """
    if not timedelta(0) < timeout <= timedelta(hours=1):
        raise ValidationError("timeout: give a time of up to an hour")
    known, name, job_id = await _found(admin, flow, id)
    fetch = Fetch(admin.connection, known.settings)
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + timeout.total_seconds(), _FIRST
    while True:
        [found] = await fetch.hashes([(name, job_id)], ("_status",))
        if found is None:
            raise JobGone(job_id)
        if (state := state_of(found.get("_status"))) in TERMINAL:
            return await show(admin, job_id, flow=name)
        left = deadline - loop.time()
        if left <= 0:
            raise WaitTimeout(f"job {job_id} is still {state} after {timeout.total_seconds():g} s")
        await asyncio.sleep(min(left, pause))
        pause = min(_LONGEST, pause * 2)
