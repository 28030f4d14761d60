"""Jobs that are due while workers are idle: how late they begin, beside none and a million that are due in years."""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import random
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from statistics import median
from typing import Final

from idle import calls
from measure import PATIENCE, Row, WorkerProcess, empty, quiet_server, told
from redis.asyncio import Redis
from subject import Request, Work, one_queue, requests

WORKLOAD: Final = "due"
#: Delayed jobs that stand beside.
FAR: Final = 1_000_000
#: Idle workers, of which one is to wake.
WORKERS: Final = 250
#: So many jobs are due in a round, one after another, so many seconds apart on average.
_JOBS: Final = 300
_APART: Final = 0.02
#: What the clock cannot tell from nothing, in ms.
_RESOLUTION: Final = time.get_clock_info("monotonic").resolution * 1e3
#: The first one is due so many seconds after it was created.
_AHEAD: Final = 0.5
_YEARS: Final = 10 * 365 * 86_400
_PARTS: Final = ("p50_ms", "p95_ms", "p99_ms")


async def rows(url: str | None, size: float, count: int) -> list[Row]:
    """Measure so many rounds without and with jobs that are due in years, and timers of asyncio alone.

    How late those are is the machine's own part.
    """
    jobs, far = max(1, round(_JOBS * size)), max(1, round(FAR * size))
    with quiet_server(url) as server:
        alone = [await late(server, jobs) for _ in range(count)]
        async with one_queue(server) as flow:
            await flow.create_jobs(requests(far), delay=_YEARS)
        beside = [await late(server, jobs) for _ in range(count)]
        await empty(server)
    bare = [sorted(await timers(jobs)) for _ in range(count)]
    settings = {"beside none": [late for late, _ in alone], f"beside {far:,}": [late for late, _ in beside]}
    made = [_spread(setting, found) for setting, found in {**settings, "timers of asyncio alone": bare}.items()]
    made += [
        {
            "workload": WORKLOAD,
            "setting": f"{setting}, {WORKERS} idle workers",
            "figure": median(scripts for _, scripts in found),
            "unit": "scripts a job",
            "rounds": count,
        }
        for setting, found in (("beside none", alone), (f"beside {far:,}", beside))
    ]
    return made


async def late(url: str, jobs: int) -> tuple[list[float], float]:
    """Let jobs be due by chance; return how many ms late each began, sorted, and how many scripts each caused.

    Those scripts are from the first due time on: a turn that sets the alarm or claims, and one that ends the job.
    """
    process = WorkerProcess(work, url, jobs)
    try:
        await process.receive()
        async with one_queue(url) as flow, Redis.from_url(url) as client:
            begin = time.time() + _AHEAD + 0.002 * jobs
            for at in sorted(random.uniform(begin, begin + _APART * jobs) for _ in range(jobs)):
                params = Request(user_id=int(at * 1e6), guild_id=1985, role_ids=[1, 2], reason="benchmark")
                await flow.create_job(params, run_at=datetime.fromtimestamp(int(at * 1e6) / 1e6, UTC))
            await asyncio.sleep(max(0.0, begin - time.time()))
            before, _ = await calls(client)
            late_ms = sorted([await process.receive() for _ in range(jobs)])
            after, _ = await calls(client)
    finally:
        process.stop()
    return late_ms, (after - before) / jobs


async def work(parent: Connection, url: str, jobs: int) -> None:
    """Run idle workers that tell how many ms late each job began, once the last has."""
    flow, late_ms, all_ = one_queue(url), list[float](), asyncio.Event()

    async def begin(job: Work) -> None:
        late_ms.append(time.time() * 1e3 - job.user_id / 1e3)
        if len(late_ms) == jobs:
            all_.set()

    flow.create_workers(Work, begin, count=WORKERS)
    async with flow:
        await asyncio.sleep(1.0)  # until all are idle
        parent.send(0)
        async with asyncio.timeout(PATIENCE):
            await all_.wait()
        for one in late_ms:
            parent.send(one)
        await told(parent)


async def timers(jobs: int) -> list[float]:
    """Return how many ms late timers of asyncio are that are due by chance in the same way."""
    loop, found, all_ = asyncio.get_running_loop(), list[float](), asyncio.Event()

    def ring(at: float) -> None:
        found.append(max(_RESOLUTION, (loop.time() - at) * 1e3))  # a timer may ring that much early
        if len(found) == jobs:
            all_.set()

    begin = loop.time() + 0.1
    for _ in range(jobs):
        at = random.uniform(begin, begin + _APART * jobs)
        loop.call_at(at, ring, at)
    await all_.wait()
    return found


def _spread(setting: str, found: list[list[float]]) -> Row:
    p50, p95, p99 = (
        median(late[min(len(late) - 1, len(late) * part // 100)] for late in found) for part in (50, 95, 99)
    )
    return {"workload": WORKLOAD, "setting": setting, "p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "rounds": len(found)}
