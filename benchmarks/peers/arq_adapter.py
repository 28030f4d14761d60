"""arq: asyncio, a sorted set that workers poll.

Settings: `max_jobs=50`, since the default of 10 leaves the loop waiting, and `poll_delay=0.01` in place of 0.5 s,
which is how long an idle worker may sleep before it looks. It has no plain functions, no bulk call and no join: the
children count down by hand.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

from arq import create_pool
from arq.connections import ArqRedis, RedisSettings
from arq.worker import Worker
from contract import FAN, AsyncAdapter, Params, Part, main
from counting import count
from meeting import URL

SETTINGS = RedisSettings.from_dsn(URL)
WORKER = "max_jobs=50, poll_delay=0.01"


async def noop(_context: dict[str, Any], **_params: object) -> None:
    """Do nothing."""
    count.tick()


async def tell(_context: dict[str, Any], **_params: object) -> None:
    """Tell when it began."""
    count.began()


async def stage_1(context: dict[str, Any], **params: Params) -> None:
    """Pass on."""
    count.start()
    await context["redis"].enqueue_job("stage_2", **params)


async def stage_2(context: dict[str, Any], **params: Params) -> None:
    """Pass on."""
    await context["redis"].enqueue_job("noop", **params)


async def parent(context: dict[str, Any], **params: Params) -> None:
    """Create the children."""
    count.start()
    key = f"compare-left:{context['job_id']}"
    await context["redis"].set(key, FAN)
    await asyncio.gather(*(context["redis"].enqueue_job("child", key=key, **params) for _ in range(FAN)))


async def child(context: dict[str, Any], key: str, **params: Params) -> None:
    """Create the join, if it is the last."""
    if await context["redis"].decr(key) == 0:
        await context["redis"].enqueue_job("noop", **params)


class Arq(AsyncAdapter):
    """The adapter."""

    name = "arq"
    libraries = ("arq", "redis", "hiredis", "uvloop")
    parts = {  # noqa: RUF012 - a ClassVar in the base
        "create": Part("enqueue_job", 4000),
        "bulk": Part("gather of 100 enqueue_job", 6000),
        "drain": Part(WORKER, 4000, 50),
        "latency": Part(WORKER, 300, 50),
        "three-queues": Part(f"{WORKER}, stages enqueue the next", 1200, 50),
        "fan-out": Part(f"{WORKER}, joined by hand", 200, 50),
    }
    _pool: ArqRedis

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Hold a pool."""
        self._pool = await create_pool(SETTINGS)
        try:
            yield
        finally:
            await self._pool.aclose()

    def one(self, function: str, params: Params) -> Awaitable[object]:
        """Create a job."""
        return self._pool.enqueue_job(function, **params)

    def work(self, workload: str, concurrency: int) -> None:
        """Run a worker."""
        del workload
        _use_uvloop()
        logging.disable(logging.INFO)
        functions = [noop, tell, stage_1, stage_2, parent, child]
        Worker(functions, redis_settings=SETTINGS, max_jobs=concurrency, poll_delay=0.01).run()


def _use_uvloop() -> None:
    # arq takes the loop that is set, and makes none.
    import uvloop  # noqa: PLC0415

    asyncio.set_event_loop(uvloop.new_event_loop())


if __name__ == "__main__":
    main(Arq())
