"""Operations on processes: which work on what."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.views.server import RunningView, ServedView, WorkerView
from flows.store.fleet.processes import read_processes

if TYPE_CHECKING:
    from flows.model.fleet.process import Process


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


async def _of_flow(admin: Admin, name: str) -> list[WorkerView]:
    known = await admin.link.flow(name)
    return [_view(name, one) for one in await read_processes(admin.connection, known.settings, name)]


def _view(flow: str, process: Process) -> WorkerView:
    return WorkerView(
        name=process.name,
        flow=flow,
        alive=process.alive,
        heard=process.heard,
        host=process.host,
        pid=process.pid,
        flows_version=process.flows_version,
        python_version=process.python_version,
        digest=process.digest,
        started=process.started,
        rss=process.rss,
        lag=None if process.lag is None else process.lag.total_seconds() * 1000,
        queues=[
            ServedView(queue=one.queue, workers=one.workers, slots=one.slots, busy=one.busy, asked=one.asked)
            for one in process.queues
        ],
        running=[RunningView(queue=one.queue, id=one.id, started=one.started) for one in process.running],
    )
