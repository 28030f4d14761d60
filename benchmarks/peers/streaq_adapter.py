"""streaq: anyio on coredis, streams and functions on the server.

Settings: `concurrency=50` for throughput, the default of 16 for latency; tasks are silent, since formatting a log line
per task would be what is measured.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from contract import FAN, AsyncAdapter, Params, Part, chunks, main
from counting import count
from meeting import URL
from streaq import Worker

logging.disable(logging.INFO)
worker: Any = Worker(redis_url=URL, concurrency=16 if "latency" in sys.argv else 50, anyio_kwargs={"use_uvloop": True})


@worker.task(silent=True)
async def noop(*_results: object, **_params: object) -> None:
    """Do nothing."""
    count.tick()


@worker.task(silent=True)
def plain(**_params: object) -> None:
    """Do nothing in a thread."""
    count.tick()


@worker.task(silent=True)
async def tell(**_params: object) -> None:
    """Tell when it began."""
    count.began()


@worker.task(silent=True)
async def stage_1(**params: Params) -> Params:
    """Pass on."""
    count.start()
    return params


@worker.task(silent=True)
async def stage_2(params: Params) -> Params:
    """Pass on."""
    return params


@worker.task(silent=True)
async def child(**_params: object) -> None:
    """Do nothing."""


@worker.task(silent=True)
async def parent(**params: Params) -> None:
    """Create the children, and the join that comes after them."""
    count.start()
    children = [child.enqueue(**params) for _ in range(FAN)]
    await worker.enqueue_many(children)
    await noop.enqueue(**params).start(after=[each.id for each in children])


FUNCTIONS: dict[str, Any] = {"noop": noop, "plain": plain, "tell": tell, "parent": parent}


class Streaq(AsyncAdapter):
    """The adapter."""

    name = "streaq"
    libraries = ("streaq", "coredis", "uvloop")
    parts = {  # noqa: RUF012 - a ClassVar in the base
        "create": Part("enqueue", 4000),
        "bulk": Part("enqueue_many of 500", 10_000),
        "drain": Part("concurrency=50", 4000, 50),
        "drain-threads": Part("concurrency=50", 3000, 50),
        "latency": Part("concurrency=16", 300, 16),
        "three-queues": Part("concurrency=50, then()", 1000, 50),
        "fan-out": Part("concurrency=50, after=", 200, 50),
    }

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Hold the worker's connection."""
        async with worker:
            yield

    def one(self, function: str, params: Params) -> Awaitable[object]:
        """Create a job."""
        return _awaited(FUNCTIONS[function].enqueue(**params))

    async def many(self, function: str, params: Sequence[Params]) -> None:
        """Create jobs in pipelines, those of three stages one by one."""
        if function == "stage_1":
            for each in params:
                await stage_1.enqueue(**each).then(stage_2).then(noop)
            return
        for chunk in chunks(params, 500):
            await worker.enqueue_many([FUNCTIONS[function].enqueue(**each) for each in chunk])

    def work(self, workload: str, concurrency: int) -> None:
        """Run the worker, which has its concurrency."""
        del workload, concurrency
        worker.run_sync()


async def _awaited(task: Awaitable[object]) -> object:
    # What enqueue returns can be awaited, but is no coroutine, which gather would want.
    return await task


if __name__ == "__main__":
    main(Streaq())
