"""Draining from a backlog that is kept above a million, against one that is kept at ten thousand.

The cost of a job must not depend on how many wait. The two are drained by turns, in small steps, so that what else the
machine does hits both; the ratio of the two is what counts. Between the steps the level is restored: nobody creates
jobs while it is measured, as that would take from the two cores what the worker and the server could use.
"""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter
from typing import Final

from bare import Bare
from measure import Row, seconds_until_recorded, told, worker_processes
from redis.asyncio import Redis
from subject import one_queue, requests, worked

from flows.testing import private_server

WORKLOAD: Final = "backlog"
#: So many jobs are drained in a round, in so many steps.
_JOBS: Final = 200_000
_STEPS: Final = 10
#: A worker that has done a step may have begun with so many more.
_AHEAD: Final = 2_000
_CHUNK: Final = 2_000


@dataclass
class Backlog:
    """A queue on a server, and how many jobs are to wait in it at least."""

    name: str
    url: str
    level: int
    spare: int
    """How many more there are before anybody drains it."""
    lowest: int = sys.maxsize
    """How few have waited."""

    @property
    def place(self) -> tuple[str, str]:
        """The server and the flow, for a worker."""
        return self.url, self.name

    @property
    def waiting(self) -> str:
        """The list in which its jobs wait."""
        return f"queue:{self.name}-1:waiting"


async def pairs(url: str | None, size: float, count: int) -> list[Row]:
    """Measure so many pairs, of flows and of the bare loop: on two private servers, or on the one at `url`."""
    step = max(1, round(_JOBS * size) // _STEPS)
    with _backlogs(url, size, step) as (deep, shallow):
        found = [await _round(deep, shallow, step) for _ in range(count)]
    rows: list[Row] = []
    for name in _WORKERS:
        rows += [
            {
                "workload": WORKLOAD,
                "setting": f"{name}, {backlog.name}: {backlog.lowest:,} or more waited",
                "rate": median(rates[name, backlog.name] for rates in found),
                "rounds": count,
            }
            for backlog in (deep, shallow)
        ]
        against = median(rates[name, deep.name] / rates[name, shallow.name] for rates in found)
        setting = f"{name}, deep against shallow"
        rows.append({"workload": WORKLOAD, "setting": setting, "ratio": against, "rounds": count})
    return rows


async def fill(backlog: Backlog) -> None:
    """Create what is missing of the backlog and of what may be drained before it is filled again."""
    async with one_queue(backlog.url, backlog.name) as flow, Redis.from_url(backlog.url) as client:
        while (missing := backlog.level + backlog.spare - await client.llen(backlog.waiting)) > 0:
            await flow.create_jobs(requests(min(_CHUNK, missing)))


@asynccontextmanager
async def kept(backlog: Backlog) -> AsyncGenerator[None]:
    """Keep the level while others drain it."""
    drained = asyncio.Event()
    keeper = asyncio.create_task(_keep(backlog, drained))
    try:
        yield
    finally:
        drained.set()
        await keeper


async def work(parent: Connection, url: str, name: str, jobs: int) -> None:
    """Whenever the parent says so, run the worker and tell how long it took until so many jobs were recorded."""
    while await told(parent):
        flow = one_queue(url, name)
        flow.create_workers(f"{name}-1", worked, concurrency=100)
        parent.send(await seconds_until_recorded(flow, f"{name}-1", jobs))


async def work_bare(parent: Connection, url: str, name: str, jobs: int) -> None:
    """Do the same with the bare loop, which shows what the server itself makes of a backlog."""
    loop = Bare(url, name)
    while await told(parent):
        started = perf_counter()
        loop.drain(jobs)
        parent.send(perf_counter() - started)


_WORKERS: Final = {"flows": work, "bare loop": work_bare}


@contextmanager
def _backlogs(url: str | None, size: float, step: int) -> Generator[tuple[Backlog, Backlog]]:
    levels = [max(1, round(level * size)) for level in (1_000_000, 10_000)]
    with ExitStack() as stack:
        # A rewrite of the append-only file in the middle of a round would be measured too.
        settings = {"auto-aof-rewrite-percentage": "0"}
        urls = [url or stack.enter_context(private_server(settings=settings)) for _ in levels]
        deep, shallow = (
            Backlog(name, place, level, step + _AHEAD)
            for name, place, level in zip(("deep", "shallow"), urls, levels, strict=True)
        )
        yield deep, shallow


async def _round(deep: Backlog, shallow: Backlog, step: int) -> dict[tuple[str, str], float]:
    """Return the rates of each worker on each backlog, of which they drain a step by turns."""
    seconds: Counter[tuple[str, str]] = Counter()
    with ExitStack() as stack:
        running = [
            ((name, backlog.name), backlog, *stack.enter_context(worker_processes(1, function, *backlog.place, step)))
            for name, function in _WORKERS.items()
            for backlog in (deep, shallow)
        ]
        for _ in range(_STEPS):
            for both, backlog, process in running:
                await fill(backlog)
                seconds[both] += await process.ask()
                await _note_level(backlog)
    return {both: step * _STEPS / spent for both, spent in seconds.items()}


async def _note_level(backlog: Backlog) -> None:
    async with Redis.from_url(backlog.url) as client:
        backlog.lowest = min(backlog.lowest, await client.llen(backlog.waiting))


async def _keep(backlog: Backlog, drained: asyncio.Event) -> None:
    async with one_queue(backlog.url, backlog.name) as flow, Redis.from_url(backlog.url) as client:
        while not drained.is_set():
            missing = backlog.level + backlog.spare - await client.llen(backlog.waiting)
            if missing > 0:
                await flow.create_jobs(requests(min(_CHUNK, missing)))
            else:
                await asyncio.sleep(0.002)
