"""Whether a worker process grows: its resident memory while it drains a million jobs."""

from __future__ import annotations

import os
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import linear_regression, median
from typing import Final

from backlog import Backlog, fill, kept
from measure import Recorded, Row, WorkerProcess, empty, quiet_server
from subject import one_queue, worked

WORKLOAD: Final = "growth"
_JOBS: Final = 1_000_000
_LEVEL: Final = 20_000
_SAMPLES: Final = 20
#: The first samples tell how it warms up: what is imported, cached and allocated once.
_WARM: Final = 4
#: Results are dropped so soon that the server's memory stays bounded.
_KEPT: Final = timedelta(seconds=1)
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


async def rows(url: str | None, size: float, count: int) -> list[Row]:
    """Measure so many rounds, each with a new process."""
    step = max(1, round(_JOBS * size / _SAMPLES))
    with quiet_server(url) as server:
        rounds = [await _grow(server, step, max(1, round(_LEVEL * size))) for _ in range(count)]
    counts = [step * number for number in range(1, _SAMPLES + 1)]
    slopes = [linear_regression(counts[_WARM - 1 :], samples[_WARM - 1 :]).slope for samples in rounds]
    return [
        {
            "workload": WORKLOAD,
            "setting": f"{counts[-1]:,} jobs, one process",
            "figure": median(slopes) * 100_000,
            "unit": "MiB per 100,000 jobs",
            "samples": rounds,
            "rounds": count,
        }
    ]


async def work(parent: Connection, url: str, step: int) -> None:
    """Run the worker, and tell how much memory is resident whenever so many more jobs are recorded."""
    flow = one_queue(url, WORKLOAD, _KEPT)
    flow.create_workers(f"{WORKLOAD}-1", worked, concurrency=100)
    marks = [Recorded(flow, f"{WORKLOAD}-1", step * number) for number in range(1, _SAMPLES + 1)]
    async with flow:
        for mark in marks:
            await mark.wait()
            parent.send(_resident())


async def _grow(url: str, step: int, level: int) -> list[float]:
    backlog = Backlog(WORKLOAD, url, level, level)
    await fill(backlog)
    process = WorkerProcess(work, url, step)
    try:
        async with kept(backlog):
            return [await process.receive() for _ in range(_SAMPLES)]
    finally:
        process.stop()
        await empty(url)


def _resident() -> float:
    """Return how many MiB of this process are in memory."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * _PAGE / (1 << 20)
