"""Operations on processes: which work on what, and where their tasks are."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.views.time import Time
from flows.api.views.workers import BlockedView, DumpView, RunningView, ServedView, StackView, WorkerView
from flows.errors import NothingThere, ValidationError, WaitTimeout
from flows.store.fleet.processes import read_processes
from flows.store.fleet.stacks import ask_stacks, read_stacks

if TYPE_CHECKING:
    from flows.api.known_flow import KnownFlow
    from flows.model.fleet.process import Process

#: How often it is looked whether a process has told its stacks, in seconds.
_LOOK: Final = 0.25
_LONGEST: Final = timedelta(minutes=5)
#: A heartbeat that is late by more of its times is missed: it is sent each quarter of a lease.
_LATE: Final = 2
_SLACK: Final = timedelta(seconds=1)
#: A loop that has let anything wait for longer stands still.
_STANDS: Final = timedelta(seconds=5)


@operation("workers.list")
async def list_workers(
    admin: Admin, *, flow: str | None = None, queue: str | None = None, dead: bool = True
) -> list[WorkerView]:
    """List the processes that have workers, and what each does.

    Args:
        flow: Only those of this flow.
        queue: Only those that serve this queue.
        dead: Those too that were killed within the last hour; one that stops in order is listed no more.

    Raises:
        NothingThere: there is no such flow or queue.
    """
    names = [await admin.root_of(flow)] if flow is not None else list(await admin.flows())
    found = await asyncio.gather(*(_of_flow(admin, name) for name in names))
    return [
        one
        for some in found
        for one in some
        if (dead or one.alive) and (queue is None or any(served.queue == queue for served in one.queues))
    ]


@operation("workers.dump", role="operator")
async def dump(
    admin: Admin, process: str, timeout: Time = timedelta(seconds=30), *, flow: str | None = None
) -> DumpView:
    """Show where the tasks and threads of a live process are: files, lines and functions, without any value.

    The process is asked over the server and answers with its next heartbeat: after a quarter of its lease, 7.5 seconds
    by default, also while its event loop is blocked.

    Args:
        process: Its name, as `workers.list` shows it.
        timeout: For how long its answer is waited for, five minutes at most.
        flow: One of its flows; it is looked for where this is left out.

    Raises:
        NothingThere: no such process is alive.
        ValidationError: the timeout is none, or too long.
        WaitTimeout: it has not answered.
    """
    if not timedelta(0) < timeout <= _LONGEST:
        raise ValidationError("timeout: give a time of up to five minutes")
    known = await _known(admin, process, flow)
    settings = known.settings
    word, asked = await ask_stacks(admin.connection, settings, known.name, process)
    if word == "gone":
        raise NothingThere(f"there is no process {process!r:.80} any more")
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout.total_seconds()
    while (found := await read_stacks(admin.connection, settings, process, asked)) is None:
        if loop.time() >= deadline:
            raise WaitTimeout(f"process {process} has not answered within {timeout.total_seconds():g} s")
        await asyncio.sleep(_LOOK)
    stacks = [StackView.model_validate(one, from_attributes=True) for one in found.stacks]
    return DumpView(process=process, flow=known.name, at=found.at, tasks=found.tasks, cut=found.cut, stacks=stacks)


async def _known(admin: Admin, process: str, flow: str | None) -> KnownFlow:
    """Return the flow of a process that is alive."""
    names = [await admin.root_of(flow)] if flow is not None else list(await admin.flows())
    for name in names:
        known = await admin.link.flow(name)
        processes = await read_processes(admin.connection, known.settings, name)
        if any(one.alive and one.name == process for one in processes):
            return known
    raise NothingThere(f"no process {process!r:.80} is alive: `workers.list` shows which are")


async def _of_flow(admin: Admin, name: str) -> list[WorkerView]:
    known = await admin.link.flow(name)
    processes = await read_processes(admin.connection, known.settings, name)
    return [_view(admin, name, one) for one in processes]


def _state(process: Process) -> Literal["works", "leaving", "blocked", "silent", "died"]:
    if not process.alive:
        return "died"
    if process.lease is not None and process.age > _LATE * process.lease / 4 + _SLACK:
        return "silent"
    if process.blocked is not None and process.blocked.lasting > _STANDS:
        return "blocked"
    return "leaving" if process.leaving else "works"


def _blocked(admin: Admin, process: Process) -> BlockedView | None:
    found = process.blocked
    if found is None:
        return None
    limit = process.hang_limit
    return BlockedView(
        seconds=found.lasting.total_seconds(),
        where=f"{found.function} in {found.file}:{found.line}" if admin.caller.may("operator") else None,
        until=None if limit is None else process.heard - found.lasting + limit,
    )


def _view(admin: Admin, flow: str, process: Process) -> WorkerView:
    state = _state(process)
    lost = state in {"silent", "died"}
    return WorkerView(
        name=process.name,
        flow=flow,
        alive=process.alive,
        state=state,
        back=process.heard + process.lease if lost and process.lease else None,
        blocked=_blocked(admin, process) if state == "blocked" else None,
        heard=process.heard,
        host=process.host,
        pid=process.pid,
        flows_version=process.flows_version,
        python_version=process.python_version,
        digest=process.digest,
        started=process.started,
        rss=process.rss,
        lags=list(process.lags),
        lease=None if process.lease is None else process.lease.total_seconds(),
        lag=None if process.lag is None else process.lag.total_seconds() * 1000,
        queues=[
            ServedView(queue=one.queue, workers=one.workers, slots=one.slots, busy=one.busy, asked=one.asked)
            for one in process.queues
        ],
        running=[RunningView(queue=one.queue, id=one.id, started=one.started) for one in process.running],
    )
