"""saq: asyncio, lists and a blocking pop.

Settings: `concurrency=50` for throughput, the default of 10 for latency. It has no bulk call and no join: the
children count down by hand.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

from contract import FAN, AsyncAdapter, Params, Part, main, run
from counting import count
from meeting import URL
from saq import Queue, Worker
from saq.queue.redis import RedisQueue


async def noop(_context: dict[str, Any], **_params: object) -> None:
    """Do nothing."""
    count.tick()


def plain(_context: dict[str, Any], **_params: object) -> None:
    """Do nothing in a thread."""
    count.tick()


async def tell(_context: dict[str, Any], **_params: object) -> None:
    """Tell when it began."""
    count.began()


async def stage_1(context: dict[str, Any], **params: Params) -> None:
    """Pass on."""
    count.start()
    await context["job"].queue.enqueue("stage_2", **params)


async def stage_2(context: dict[str, Any], **params: Params) -> None:
    """Pass on."""
    await context["job"].queue.enqueue("noop", **params)


async def parent(context: dict[str, Any], **params: Params) -> None:
    """Create the children."""
    count.start()
    queue: RedisQueue = context["job"].queue
    left = f"compare-left:{context['job'].key}"
    await queue.redis.set(left, FAN)
    await asyncio.gather(*(queue.enqueue("child", left=left, **params) for _ in range(FAN)))


async def child(context: dict[str, Any], left: str, **params: Params) -> None:
    """Create the join, if it is the last."""
    queue: RedisQueue = context["job"].queue
    if await queue.redis.decr(left) == 0:
        await queue.enqueue("noop", **params)


class Saq(AsyncAdapter):
    """The adapter."""

    name = "saq"
    libraries = ("saq", "redis", "hiredis", "uvloop")
    parts = {  # noqa: RUF012 - a ClassVar in the base
        "create": Part("Queue.enqueue", 8000),
        "bulk": Part("gather of 100 Queue.enqueue", 10_000),
        "drain": Part("concurrency=50", 7000, 50),
        "drain-threads": Part("concurrency=50", 5000, 50),
        "latency": Part("concurrency=10", 300, 10),
        "three-queues": Part("concurrency=50, stages enqueue the next", 2000, 50),
        "fan-out": Part("concurrency=50, joined by hand", 350, 50),
    }
    _queue: Queue

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Hold a queue."""
        self._queue = Queue.from_url(URL, name="bench")
        await self._queue.connect()
        try:
            yield
        finally:
            await self._queue.disconnect()

    def one(self, function: str, params: Params) -> Awaitable[object]:
        """Create a job."""
        return self._queue.enqueue(function, **params)

    def work(self, workload: str, concurrency: int) -> None:
        """Run a worker."""
        del workload
        logging.disable(logging.INFO)

        async def work() -> None:
            async with self.opened():
                functions = [noop, plain, tell, stage_1, stage_2, parent, child]
                await Worker(self._queue, functions, concurrency=concurrency).start()

        run(work())


if __name__ == "__main__":
    main(Saq())
