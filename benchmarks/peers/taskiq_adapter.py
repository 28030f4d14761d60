"""taskiq: asyncio, with the stream broker of taskiq-redis, the one that acknowledges.

Settings: 50 tasks at once, as many prefetched, and 100 messages a read, so that reads are shared. No bulk call and no
join: the children count down by hand.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager

from contract import FAN, AsyncAdapter, Params, Part, main, run
from counting import count
from meeting import URL
from redis.asyncio import Redis
from taskiq.api import run_receiver_task
from taskiq_redis import RedisStreamBroker

# consumer_id 0: a consumer group made after the jobs were must read them too.
broker = RedisStreamBroker(URL, consumer_id="0", xread_count=100)
client = Redis.from_url(URL)
WORKER = "50 tasks, prefetch 50, 100 a read"


@broker.task(task_name="noop")
async def noop(**_params: object) -> None:
    """Do nothing."""
    count.tick()


@broker.task(task_name="plain")
def plain(**_params: object) -> None:
    """Do nothing in a thread."""
    count.tick()


@broker.task(task_name="tell")
async def tell(**_params: object) -> None:
    """Tell when it began."""
    count.began()


@broker.task(task_name="stage_1")
async def stage_1(**params: Params) -> None:
    """Pass on."""
    count.start()
    await stage_2.kiq(**params)


@broker.task(task_name="stage_2")
async def stage_2(**params: Params) -> None:
    """Pass on."""
    await noop.kiq(**params)


@broker.task(task_name="parent")
async def parent(**params: Params) -> None:
    """Create the children."""
    count.start()
    key = f"compare-left:{params['user_id']}"
    await client.set(key, FAN)
    await asyncio.gather(*(child.kiq(key=key, **params) for _ in range(FAN)))


@broker.task(task_name="child")
async def child(key: str, **params: Params) -> None:
    """Create the join, if it is the last."""
    if await client.decr(key) == 0:
        await noop.kiq(**params)


FUNCTIONS = {"noop": noop, "plain": plain, "tell": tell, "stage_1": stage_1, "parent": parent}


class Taskiq(AsyncAdapter):
    """The adapter."""

    name = "taskiq"
    libraries = ("taskiq", "taskiq-redis", "redis", "hiredis", "uvloop")
    parts = {  # noqa: RUF012 - a ClassVar in the base
        "create": Part("kiq", 8000),
        "bulk": Part("gather of 100 kiq", 10_000),
        "drain": Part(WORKER, 10_000, 50),
        "drain-threads": Part(WORKER, 6000, 50),
        "latency": Part(WORKER, 300, 50),
        "three-queues": Part(f"{WORKER}, stages kiq the next", 2500, 50),
        "fan-out": Part(f"{WORKER}, joined by hand", 400, 50),
    }

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Hold the broker."""
        await broker.startup()
        try:
            yield
        finally:
            await broker.shutdown()

    def one(self, function: str, params: Params) -> Awaitable[object]:
        """Create a job."""
        return FUNCTIONS[function].kiq(**params)

    def work(self, workload: str, concurrency: int) -> None:
        """Run a receiver."""
        del workload
        logging.disable(logging.INFO)
        broker.is_worker_process = True
        run(run_receiver_task(broker, max_async_tasks=concurrency, max_prefetch=concurrency, run_startup=True))


if __name__ == "__main__":
    main(Taskiq())
