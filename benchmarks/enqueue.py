"""Creating jobs one at a time, by 100 coroutines at once, and in bulk; nobody works on them."""

from __future__ import annotations

import asyncio
from time import perf_counter

from measure import Figures, Setting
from subject import one_queue, requests

_COROUTINES = 100


async def one_at_a_time(url: str, jobs: int) -> Figures:
    """Await each `create_job` before the next."""
    async with one_queue(url) as flow:
        many = list(requests(jobs))
        started = perf_counter()
        for params in many:
            await flow.create_job(params)
        return {"rate": jobs / (perf_counter() - started)}


async def at_once(url: str, jobs: int) -> Figures:
    """Let 100 coroutines share the jobs, each of which awaits its own."""
    async with one_queue(url) as flow:
        many = iter(list(requests(jobs)))

        async def create() -> None:
            for params in many:
                await flow.create_job(params)

        started = perf_counter()
        await asyncio.gather(*(create() for _ in range(_COROUTINES)))
        return {"rate": jobs / (perf_counter() - started)}


async def in_bulk(url: str, jobs: int) -> Figures:
    """Hand all of them to `create_jobs`."""
    async with one_queue(url) as flow:
        many = list(requests(jobs))
        started = perf_counter()
        await flow.create_jobs(many)
        return {"rate": jobs / (perf_counter() - started)}


SETTINGS = [
    Setting("enqueue", "one at a time", 5_000, one_at_a_time),
    Setting("enqueue", "100 awaits at once", 20_000, at_once),
    Setting("enqueue", "create_jobs", 30_000, in_bulk),
]
