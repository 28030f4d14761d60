"""One queue drained by more and more worker processes, against what the server allows (`bare.py`)."""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter
from typing import Final

import bare
from measure import PATIENCE, Row, WorkerProcess, empty, quiet_server, told, worker_processes
from redis.asyncio import Redis
from subject import one_queue, requests, worked

WORKLOAD: Final = "processes"
#: So many jobs are drained by each number of processes.
_JOBS: Final = 50_000
_PROCESSES: Final = (1, 2, 4, 8, 16)
#: So many loops keep the server busy all the time, one of them alone would not.
_BARE: Final = 4


async def rows(url: str | None, size: float, count: int) -> list[Row]:
    """Measure so many rounds; in each, all numbers of processes take their turn, and the bare loops."""
    jobs = max(1, round(_JOBS * size))
    found: list[list[float]] = []
    with (
        quiet_server(url) as server,
        worker_processes(max(_PROCESSES), work, server) as ours,
        worker_processes(_BARE, bare.work, server) as loops,
    ):
        for _ in range(count):
            rates = [await _drain(server, ours[:number], jobs) for number in _PROCESSES]
            found.append([*rates, await _drain(server, loops, jobs)])
    made: list[Row] = [
        {
            "workload": WORKLOAD,
            "setting": f"{number} {'process' if number == 1 else 'processes'}, to bare loops",
            "rate": median(rates[at] for rates in found),
            "ratio": median(rates[at] / rates[-1] for rates in found),
            "rounds": count,
        }
        for at, number in enumerate(_PROCESSES)
    ]
    most = median(rates[-1] for rates in found)
    four, sixteen = _PROCESSES.index(4), _PROCESSES.index(16)
    against = median(rates[sixteen] / rates[four] for rates in found)
    return [
        *made,
        {"workload": WORKLOAD, "setting": f"{_BARE} bare loops", "rate": most, "rounds": count},
        {"workload": WORKLOAD, "setting": "16 processes against 4", "ratio": against, "rounds": count},
    ]


async def work(parent: Connection, url: str) -> None:
    """Whenever the parent says so, connect; then run a worker; then end it."""
    while await told(parent):
        async with one_queue(url) as flow:
            flow.create_workers("bench-1", worked, concurrency=100)
            parent.send(0)
            if await told(parent):
                await flow.start_all()
                await told(parent)
        parent.send(0)


async def _drain(url: str, processes: Sequence[WorkerProcess], jobs: int) -> float:
    """Return at what rate the processes end jobs, from when all are ready until the last end is recorded."""
    async with one_queue(url) as flow:
        await flow.create_jobs(requests(jobs))
    for process in processes:
        await process.ask()
    started = perf_counter()
    for process in processes:
        process.go()
    await _all_ended(url, jobs)
    spent = perf_counter() - started
    for process in processes:
        await process.ask()
    await empty(url)
    return jobs / spent


async def _all_ended(url: str, jobs: int) -> None:
    """Wait until no job waits or is processed: the script that records an end takes the job out of `processing`."""
    async with asyncio.timeout(PATIENCE), Redis.from_url(url) as client:
        left = jobs
        while left:
            # Seldom before the end comes near: what looks on takes its share of the machine.
            await asyncio.sleep(0.02 if left > jobs / 20 else 0.002)
            async with client.pipeline(transaction=True) as both:
                both.llen("queue:bench-1:waiting")
                both.zcard("queue:bench-1:processing")
                left = sum(await both.execute())
