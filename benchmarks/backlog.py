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
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import median
from typing import Final

from measure import Row, reference, seconds_until_recorded, told, worker_processes
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
    def waiting(self) -> str:
        """The list in which its jobs wait."""
        return f"queue:{self.name}-1:waiting"


async def pairs(url: str | None, size: float, count: int) -> list[Row]:
    """Measure so many pairs: on two private servers, or on the one at `url`."""
    step = max(1, round(_JOBS * size) // _STEPS)
    rates: list[tuple[float, float]] = []
    ratios: list[tuple[float, float]] = []
    with _backlogs(url, size, step) as (deep, shallow):
        for _ in range(count):
            trips = await reference(shallow.url)
            pair = await _drained(deep, shallow, step)
            rates.append(pair)
            ratios.append((pair[0] / trips, pair[1] / trips))
    rows: list[Row] = [
        {
            "workload": WORKLOAD,
            "setting": f"{backlog.name}: {backlog.lowest:,} or more waited",
            "rate": median(pair[at] for pair in rates),
            "ratio": median(pair[at] for pair in ratios),
            "rounds": count,
        }
        for at, backlog in enumerate((deep, shallow))
    ]
    against = median(one / other for one, other in rates)
    return [*rows, {"workload": WORKLOAD, "setting": "deep against shallow", "ratio": against, "rounds": count}]


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


async def _drained(deep: Backlog, shallow: Backlog, step: int) -> tuple[float, float]:
    """Return the rates at which a worker process of each drains a round, by turns."""
    seconds = {deep.name: 0.0, shallow.name: 0.0}
    with ExitStack() as stack:
        workers = [
            (backlog, *stack.enter_context(worker_processes(1, work, backlog.url, backlog.name, step)))
            for backlog in (deep, shallow)
        ]
        for _ in range(_STEPS):
            for backlog, process in workers:
                await fill(backlog)
                seconds[backlog.name] += await process.ask()
                await _note_level(backlog)
    return step * _STEPS / seconds[deep.name], step * _STEPS / seconds[shallow.name]


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
