"""redflow: asyncio, a durable workflow engine; a job here is a run of a workflow.

Settings: `concurrency=50` slots, as for the other asyncio peers, and `max_concurrency` out of their way; not tuned
further. No bulk call; stages and children are runs that runs emit, and the children count down by hand: a run that
waits for its children would hold its slot.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from contract import FAN, AsyncAdapter, Params, Part, chunks, main, run
from counting import count
from meeting import URL
from redflow import (
    RedflowClient,
    StartWorkerOptions,
    WorkflowHandlerContext,
    create_client,
    get_default_registry,
    start_worker,
    workflow,
)
from redis.asyncio import Redis

client: RedflowClient = create_client(app="bench", url=URL)
counter = Redis.from_url(URL)
WIDE: dict[str, Any] = {"max_concurrency": 1_000_000}


@workflow("noop", **WIDE)
async def noop(_context: WorkflowHandlerContext) -> None:
    """Do nothing."""
    count.tick()


@workflow("tell", **WIDE)
async def tell(_context: WorkflowHandlerContext) -> None:
    """Tell when it began."""
    count.began()


@workflow("stage_1", **WIDE)
async def stage_1(context: WorkflowHandlerContext) -> None:
    """Pass on."""
    count.start()
    await client.emit_workflow("stage_2", context.input)


@workflow("stage_2", **WIDE)
async def stage_2(context: WorkflowHandlerContext) -> None:
    """Pass on."""
    await client.emit_workflow("noop", context.input)


@workflow("parent", **WIDE)
async def parent(context: WorkflowHandlerContext) -> None:
    """Create the children."""
    count.start()
    await counter.set(f"compare-left:{context.input['user_id']}", FAN)
    await asyncio.gather(*(client.emit_workflow("child", context.input) for _ in range(FAN)))


@workflow("child", **WIDE)
async def child(context: WorkflowHandlerContext) -> None:
    """Create the join, if it is the last."""
    if await counter.decr(f"compare-left:{context.input['user_id']}") == 0:
        await client.emit_workflow("noop", context.input)


async def nothing() -> int:
    """Do what a step does here."""
    return 1


@workflow("three_steps", **WIDE)
async def three_steps(context: WorkflowHandlerContext) -> int:
    """Take three steps."""
    count.start()
    done = sum([await context.step.run(name, nothing) for name in ("one", "two", "three")])
    count.tick()
    return done


class Redflow(AsyncAdapter):
    """The adapter."""

    name = "redflow"
    libraries = ("redflow", "redis", "hiredis", "uvloop")
    parts = {  # noqa: RUF012 - a ClassVar in the base
        "create": Part("emit_workflow", 1500),
        "bulk": Part("gather of 30 emit_workflow", 2000),
        "drain": Part("concurrency=50", 800, 50),
        "latency": Part("concurrency=50", 200, 50),
        "three-queues": Part("concurrency=50, stages emit the next", 250, 50),
        "fan-out": Part("concurrency=50, joined by hand", 50, 50),
        "runs": Part("concurrency=20", 400, 20),
    }

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Make the workflows known to the server."""
        await client.sync_registry(get_default_registry(), app="bench")
        try:
            yield
        finally:
            await client.close()

    async def many(self, function: str, params: Sequence[Params]) -> None:
        """Create jobs, 30 awaits at once: its pool of connections runs dry at 100."""
        for chunk in chunks(params, 30):
            await asyncio.gather(*(self.one(function, each) for each in chunk))

    def one(self, function: str, params: Params) -> Awaitable[object]:
        """Create a job."""
        return client.emit_workflow(function, params)

    def work(self, workload: str, concurrency: int) -> None:
        """Run a worker."""
        del workload
        logging.disable(logging.INFO)

        async def work() -> None:
            await start_worker(StartWorkerOptions(app="bench", url=URL, concurrency=concurrency))
            await asyncio.Event().wait()

        run(work())


if __name__ == "__main__":
    main(Redflow())
