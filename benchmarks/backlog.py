"""Draining from a backlog that is kept above a million, against one that is kept at ten thousand.

The cost of a job must not depend on how many wait. A pair of rounds is measured one right after the other, so that
what else the machine does hits both; the ratio of the two is what counts.
"""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import median
from typing import Final

from measure import Row, WorkerProcess, reference, seconds_until_recorded
from redis.asyncio import Redis
from subject import one_queue, requests, worked

from flows.testing import private_server

WORKLOAD: Final = "backlog"
#: So many jobs are drained in a round.
_JOBS: Final = 200_000
_CHUNK: Final = 2_000


@dataclass
class Backlog:
    """A queue on a server, and how many jobs are to wait in it."""

    name: str
    url: str
    level: int
    lowest: int

    @property
    def waiting(self) -> str:
        """The list in which its jobs wait."""
        return f"queue:{self.name}-1:waiting"


async def pairs(url: str | None, size: float, count: int) -> list[Row]:
    """Measure so many pairs: on two private servers, or on the one at `url`."""
    jobs = max(1, round(_JOBS * size))
    with _backlogs(url, size) as (deep, shallow):
        await asyncio.gather(fill(deep), fill(shallow))
        rates: list[tuple[float, float]] = []
        ratios: list[tuple[float, float]] = []
        for _ in range(count):
            trips = await reference(shallow.url)
            pair = (await _drain(deep, jobs), await _drain(shallow, jobs))
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
    """Create what is missing of the backlog, and a little more, so that it does not fall below its level."""
    async with one_queue(backlog.url, backlog.name) as flow, Redis.from_url(backlog.url) as client:
        while (missing := _full(backlog) - await client.llen(backlog.waiting)) > 0:
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
    """Run the worker and tell how long it took until so many jobs were recorded."""
    flow = one_queue(url, name)
    flow.create_workers(f"{name}-1", worked, concurrency=100)
    parent.send(await seconds_until_recorded(flow, f"{name}-1", jobs))


@contextmanager
def _backlogs(url: str | None, size: float) -> Generator[tuple[Backlog, Backlog]]:
    levels = [max(1, round(level * size)) for level in (1_000_000, 10_000)]
    with ExitStack() as stack:
        # A rewrite of the append-only file in the middle of a round would be measured too.
        settings = {"auto-aof-rewrite-percentage": "0"}
        urls = [url or stack.enter_context(private_server(settings=settings)) for _ in levels]
        deep, shallow = (
            Backlog(name, place, level, level)
            for name, place, level in zip(("deep", "shallow"), urls, levels, strict=True)
        )
        yield deep, shallow


async def _drain(backlog: Backlog, jobs: int) -> float:
    """Return the rate at which a worker process drains jobs while this one keeps the level."""
    process = WorkerProcess(work, backlog.url, backlog.name, jobs)
    try:
        async with kept(backlog):
            return jobs / await process.receive()
    finally:
        process.stop()


async def _keep(backlog: Backlog, drained: asyncio.Event) -> None:
    async with one_queue(backlog.url, backlog.name) as flow, Redis.from_url(backlog.url) as client:
        while not drained.is_set():
            waiting = await client.llen(backlog.waiting)
            backlog.lowest = min(backlog.lowest, waiting)
            missing = _full(backlog) - waiting
            if missing > 0:
                await flow.create_jobs(requests(min(_CHUNK, missing)))
            else:
                await asyncio.sleep(0.002)


def _full(backlog: Backlog) -> int:
    return backlog.level + min(backlog.level, 5 * _CHUNK)
