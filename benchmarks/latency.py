"""An idle worker in another process: how long from the call of `create_job` until its function begins."""

from __future__ import annotations

import asyncio
from multiprocessing.connection import Connection
from time import perf_counter_ns

from measure import Figures, Setting, WorkerProcess
from subject import Request, Work, one_queue

#: After each job the worker has so many seconds to become idle.
_IDLE = 0.005


async def latency(url: str, jobs: int) -> Figures:
    """Create job after job, each when the worker is idle, and look at the spread."""
    process = WorkerProcess(work, url)
    try:
        async with one_queue(url) as flow:
            await process.receive()
            spans: list[float] = []
            for _ in range(jobs):
                await asyncio.sleep(_IDLE)
                # The monotonic clock is one for all processes.
                await flow.create_job(
                    Request(user_id=perf_counter_ns(), guild_id=1985, role_ids=[1, 2], reason="benchmark")
                )
                spans.append(await process.receive())
    finally:
        process.stop()
    spans.sort()
    return {f"p{part}_ms": spans[min(jobs * part // 100, jobs - 1)] / 1e6 for part in (50, 95, 99)}


async def work(parent: Connection, url: str) -> None:
    """Run a worker that tells when it was called, until the parent goes."""
    flow = one_queue(url)
    gone = asyncio.Event()

    async def tell(job: Work) -> None:
        parent.send(perf_counter_ns() - job.user_id)

    flow.create_workers(Work, tell)
    async with flow:
        asyncio.get_running_loop().add_reader(parent.fileno(), gone.set)
        parent.send(0)
        await gone.wait()


SETTINGS = [Setting("latency", "idle worker, create to start", 150, latency)]
