"""Jobs that only wait: 500 at once sleep for 10 ms each, and so does asyncio alone."""

from __future__ import annotations

import asyncio
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter
from typing import Final

from measure import Row, empty, in_a_worker_process, quiet_server, seconds_until_recorded
from subject import Work, Worked, one_queue, requests

WORKLOAD: Final = "waits"
#: So many jobs are worked on in a round.
_JOBS: Final = 50_000
_AT_ONCE: Final = 500
_SECONDS: Final = 0.010
#: If nothing but the waiting took time.
_ALLOWED: Final = _AT_ONCE / _SECONDS


async def rows(url: str | None, size: float, count: int) -> list[Row]:
    """Measure so many rounds: a worker process, and one right after it that sleeps as often without a queue."""
    jobs = max(1, round(_JOBS * size))
    found: list[tuple[float, float]] = []
    with quiet_server(url) as server:
        for _ in range(count):
            async with one_queue(server) as flow:
                await flow.create_jobs(requests(jobs))
            drained = await in_a_worker_process(work, server, jobs)
            await empty(server)
            found.append((jobs / drained, jobs / await in_a_worker_process(sleep_alone, jobs)))
    made: list[Row] = []
    for at, setting in enumerate((f"{_AT_ONCE} jobs at once, to asyncio alone", f"asyncio alone, {_AT_ONCE} tasks")):
        rate = median(rates[at] for rates in found)
        made.append(
            {
                "workload": WORKLOAD,
                "setting": setting,
                "rate": rate,
                "figure": 100 * rate / _ALLOWED,
                "unit": f"% of {_ALLOWED:,.0f}/s",
                "rounds": count,
            }
        )
    made[0]["ratio"] = median(rate / alone for rate, alone in found)
    return made


async def work(parent: Connection, url: str, jobs: int) -> None:
    """Run the worker and tell how long it took."""

    async def wait(job: Work) -> Worked:
        await asyncio.sleep(_SECONDS)
        return Worked(ok=job.user_id >= 0)

    flow = one_queue(url)
    flow.create_workers("bench-1", wait, concurrency=_AT_ONCE)
    parent.send(await seconds_until_recorded(flow, "bench-1", jobs))


async def sleep_alone(parent: Connection, times: int) -> None:
    """Let as many tasks share the sleeps, and tell how long it took."""
    left = iter(range(times))

    async def sleep() -> None:
        for _ in left:
            await asyncio.sleep(_SECONDS)

    started = perf_counter()
    await asyncio.gather(*(sleep() for _ in range(_AT_ONCE)))
    parent.send(perf_counter() - started)
