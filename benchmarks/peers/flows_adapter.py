"""flows, under the same contract as every peer; it counts a job when its end is recorded, not when its body runs.

Settings: `concurrency=100`, 200 for fan-out, and 64 threads for plain functions; typed models, leases and fences as
they come. Peers' jobs count when the last body runs, a little before its end is recorded, which is in their favour.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from contract import AsyncAdapter, Params, Part, main, payload, run
from counting import count
from measure import Recorded
from meeting import URL
from runs import start_runs, three_steps
from subject import (
    Branch,
    Joined,
    Leaf,
    Request,
    Work,
    Worked,
    fan_out,
    fanned_out,
    joined,
    leaf,
    one_queue,
    three_queues,
)

from flows import Flow, JobResult

ASYNC = "concurrency=100"


async def noop(job: Work) -> Worked:
    """Do nothing but return a result."""
    count.start()
    return Worked(ok=job.user_id >= 0)


def plain(job: Work) -> Worked:
    """Do the same in a thread."""
    count.start()
    return Worked(ok=job.user_id >= 0)


async def tell(_job: Work) -> None:
    """Tell when it began."""
    count.began()


async def parent(job: Work) -> JobResult:
    """Name ten children."""
    count.start()
    return await fan_out(job)


class Flows(AsyncAdapter):
    """The adapter."""

    name = "flows"
    libraries = ("flows", "redis", "hiredis", "uvloop", "pydantic")
    parts = {  # noqa: RUF012 - a ClassVar in the base
        "create": Part("create_job", 10_000),
        "create-100": Part("create_job", 20_000),
        "bulk": Part("create_jobs", 40_000),
        "drain": Part(ASYNC, 60_000, 100),
        "drain-threads": Part("concurrency=64", 20_000, 64),
        "latency": Part("concurrency=1", 300, 1),
        "three-queues": Part(ASYNC, 15_000, 100),
        "fan-out": Part("concurrency=200", 1500, 200),
        "slow-server": Part(ASYNC, 40_000, 100),
        "payload": Part(ASYNC, 20_000, 100),
        "runs": Part("concurrency=200", 8_000, 200),
    }
    _flow: Flow[Any, Request, Any]

    def __init__(self) -> None:
        """Start with the flow of one queue."""
        self._make = one_queue

    def params(self, number: int, size: int = 0) -> Params:
        """Return typed params; a caller has them at hand, as a peer's has its dict."""
        return Request(**payload(number, size))

    def first(self, workload: str) -> str:
        """Choose the flow: here the queues differ, not the names of functions."""
        self._make = FLOWS.get(workload, one_queue)
        return workload

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Hold a flow without workers."""
        async with self._make(URL) as self._flow:
            yield

    def one(self, function: str, params: Params) -> Awaitable[object]:
        """Create a job."""
        del function
        return self._flow.create_job(params)

    async def many(self, function: str, params: Sequence[Params]) -> None:
        """Create jobs."""
        del function
        await self._flow.create_jobs(params)

    def load(self, workload: str, jobs: int, size: int) -> None:
        """Create what a worker will find."""
        if workload == "runs":
            run(start_runs(URL, 1, jobs))
            return
        self.first(workload)
        super().load(workload, jobs, size)

    def work(self, workload: str, concurrency: int) -> None:
        """Run the workers until killed."""
        run(_work_on_runs(concurrency) if workload == "runs" else _work(workload, concurrency))


FLOWS: dict[str, Any] = {"three-queues": three_queues, "fan-out": fanned_out}
FUNCTIONS: dict[str, Any] = {"drain-threads": plain, "latency": tell}


async def _work(workload: str, concurrency: int) -> None:
    flow = FLOWS.get(workload, one_queue)(URL)
    last = "bench-1"
    if workload == "fan-out":
        flow.create_workers(Work, parent, concurrency=concurrency)
        flow.create_parent_workers(Branch, concurrency=concurrency)
        flow.create_child_workers(Branch, Leaf, leaf, concurrency=concurrency)
        flow.create_workers(Joined, joined, concurrency=concurrency)
        last = "bench-joined"
    elif workload == "three-queues":
        for last in ("bench-1", "bench-2", "bench-3"):
            flow.create_workers(last, noop, concurrency=concurrency)
    else:
        flow.create_workers(last, FUNCTIONS.get(workload, noop), concurrency=concurrency)
    recorded = Recorded(flow, last, count.target)
    async with flow:
        if workload != "latency":
            await recorded.wait()
            count.report()
        await asyncio.Event().wait()


async def _work_on_runs(concurrency: int) -> None:
    app = three_steps(URL, 1, count.start).app
    recorded = Recorded(app, "three-0", count.target)
    app.create_workers(concurrency=concurrency)
    async with app:
        await recorded.wait()
        count.report()
        await asyncio.Event().wait()


if __name__ == "__main__":
    main(Flows())
