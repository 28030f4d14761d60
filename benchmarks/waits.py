"""Jobs that only wait: 500 at once sleep for 10 ms each."""

from __future__ import annotations

import asyncio
from multiprocessing.connection import Connection
from statistics import median
from time import process_time
from typing import Final

from measure import Row, empty, in_a_worker_process, quiet_server, seconds_until_recorded, worker_processes
from subject import Work, Worked, one_queue, requests, worked

WORKLOAD: Final = "waits"
#: So many jobs are worked on in a round.
_JOBS: Final = 50_000
_AT_ONCE: Final = 500
_SECONDS: Final = 0.010
#: If nothing but the waiting took time.
_ALLOWED: Final = _AT_ONCE / _SECONDS


async def rows(url: str | None, size: float, count: int) -> list[Row]:
    """Measure so many rounds of jobs that wait, each beside what one core can schedule.

    That is reckoned from the processor time of a job that does not wait and of a sleep of asyncio's, for a job that
    waits takes both.
    """
    jobs = max(1, round(_JOBS * size))
    found: list[tuple[float, float, float, float]] = []
    with quiet_server(url) as server:
        for _ in range(count):
            waiting, _cpu = await _worked(server, jobs, wait=True)
            _seconds, job_cpu = await _worked(server, jobs, wait=False)
            sleep_cpu = await in_a_worker_process(sleep_alone, jobs)
            core = min(_ALLOWED, jobs / (job_cpu + sleep_cpu))
            found.append((jobs / waiting, core, jobs / job_cpu, jobs / sleep_cpu))
    settings = (
        f"{_AT_ONCE} jobs at once, to what one core can schedule",
        "what one core can schedule",
        "jobs that do not wait, by processor time",
        f"asyncio alone, {_AT_ONCE} tasks, by processor time",
    )
    made: list[Row] = [
        {
            "workload": WORKLOAD,
            "setting": setting,
            "rate": median(rates),
            "figure": 100 * median(rates) / _ALLOWED,
            "unit": f"% of {_ALLOWED:,.0f}/s",
            "rounds": count,
        }
        for setting, rates in zip(settings, zip(*found, strict=True), strict=True)
    ]
    made[0]["ratio"] = median(rate / core for rate, core, _jobs, _sleeps in found)
    return made


async def work(parent: Connection, url: str, jobs: int, wait: bool) -> None:  # noqa: FBT001 - sent to a process
    """Run the worker and tell how long it took, and how much processor time."""

    async def waiting(job: Work) -> Worked:
        await asyncio.sleep(_SECONDS)
        return Worked(ok=job.user_id >= 0)

    flow = one_queue(url)
    flow.create_workers("bench-1", waiting if wait else worked, concurrency=_AT_ONCE)
    used = process_time()
    parent.send(await seconds_until_recorded(flow, "bench-1", jobs))
    parent.send(process_time() - used)


async def sleep_alone(parent: Connection, times: int) -> None:
    """Let as many tasks share the sleeps, and tell how much processor time it took."""
    left = iter(range(times))

    async def sleep() -> None:
        for _ in left:
            await asyncio.sleep(_SECONDS)

    used = process_time()
    await asyncio.gather(*(sleep() for _ in range(_AT_ONCE)))
    parent.send(process_time() - used)


async def _worked(url: str, jobs: int, *, wait: bool) -> tuple[float, float]:
    """Return the seconds, and those of the processor, in which a worker process did so many jobs."""
    async with one_queue(url) as flow:
        await flow.create_jobs(requests(jobs))
    with worker_processes(1, work, url, jobs, wait) as [process]:
        spent = await process.receive(), await process.receive()
    await empty(url)
    return spent
