"""docket (on PyPI: pydocket): asyncio, streams.

Settings: `concurrency=30`, since its pool of 100 connections runs dry at 100, and a check every millisecond in place
of 250, since a worker whose slots are all taken sleeps for so long; not tuned further. It runs `async def` only, and
has no join: the children count down by hand.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from contract import FAN, AsyncAdapter, Params, Part, main, run
from counting import count
from docket import CurrentDocket, Docket, Worker
from meeting import URL
from redis.asyncio import Redis

WORKER = "concurrency=30, checks each 1 ms"
client = Redis.from_url(URL)
#: docket fills in the docket that a task runs on.
HERE = CurrentDocket()


async def noop(user_id: int, guild_id: int, role_ids: list[int], reason: str) -> None:
    """Do nothing."""
    del user_id, guild_id, role_ids, reason
    count.tick()


async def tell(user_id: int, guild_id: int, role_ids: list[int], reason: str) -> None:
    """Tell when it began."""
    del user_id, guild_id, role_ids, reason
    count.began()


async def stage_1(user_id: int, guild_id: int, role_ids: list[int], reason: str, docket: Docket = HERE) -> None:
    """Pass on."""
    count.start()
    await docket.add(stage_2)(user_id, guild_id, role_ids, reason)


async def stage_2(user_id: int, guild_id: int, role_ids: list[int], reason: str, docket: Docket = HERE) -> None:
    """Pass on."""
    await docket.add(noop)(user_id, guild_id, role_ids, reason)


async def parent(user_id: int, guild_id: int, role_ids: list[int], reason: str, docket: Docket = HERE) -> None:
    """Create the children."""
    count.start()
    await client.set(f"compare-left:{user_id}", FAN)
    await docket.add_many([docket.call(child)(user_id, guild_id, role_ids, reason) for _ in range(FAN)])


async def child(user_id: int, guild_id: int, role_ids: list[int], reason: str, docket: Docket = HERE) -> None:
    """Create the join, if it is the last."""
    if await client.decr(f"compare-left:{user_id}") == 0:
        await docket.add(noop)(user_id, guild_id, role_ids, reason)


FUNCTIONS = {function.__name__: function for function in (noop, tell, stage_1, stage_2, parent, child)}


class DocketAdapter(AsyncAdapter):
    """The adapter."""

    name = "docket"
    libraries = ("pydocket", "redis", "hiredis", "uvloop")
    parts = {  # noqa: RUF012 - a ClassVar in the base
        "create": Part("Docket.add", 3000),
        "bulk": Part("Docket.add_many", 8000),
        "drain": Part(WORKER, 2000, 30),
        "latency": Part(WORKER, 300, 30),
        "three-queues": Part(f"{WORKER}, stages add the next", 600, 30),
        "fan-out": Part(f"{WORKER}, joined by hand", 100, 30),
    }
    _docket: Docket

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Hold a docket."""
        async with Docket(name="bench", url=URL) as self._docket:
            for function in FUNCTIONS.values():
                self._docket.register(function)
            yield

    def one(self, function: str, params: Params) -> Awaitable[object]:
        """Create a job."""
        return self._docket.add(FUNCTIONS[function])(**params)

    async def many(self, function: str, params: Sequence[Params]) -> None:
        """Create jobs in pipelines."""
        await self._docket.add_many([self._docket.call(FUNCTIONS[function])(**each) for each in params])

    def work(self, workload: str, concurrency: int) -> None:
        """Run a worker."""
        del workload
        logging.disable(logging.INFO)

        async def work() -> None:
            async with self.opened():
                often = timedelta(milliseconds=1)
                async with Worker(self._docket, concurrency=concurrency, minimum_check_interval=often) as worker:
                    await worker.run_forever()

        run(work())


if __name__ == "__main__":
    main(DocketAdapter())
