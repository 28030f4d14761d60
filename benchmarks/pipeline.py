"""Each job goes through three queues, whose workers share one process."""

from __future__ import annotations

from multiprocessing.connection import Connection

from measure import Figures, Setting, in_a_worker_process, seconds_until_recorded
from subject import requests, three_queues, worked


async def pipeline(url: str, jobs: int) -> Figures:
    """Fill the first queue, then start the workers of all three."""
    async with three_queues(url) as flow:
        await flow.create_jobs(requests(jobs))
    return {"rate": jobs / await in_a_worker_process(work, url, jobs)}


async def work(parent: Connection, url: str, jobs: int) -> None:
    """Run the workers and tell how long it took."""
    flow = three_queues(url)
    for queue in ("bench-1", "bench-2", "bench-3"):
        flow.create_workers(queue, worked, concurrency=100)
    parent.send(await seconds_until_recorded(flow, "bench-3", jobs))


SETTINGS = [Setting("pipeline", "three queues, one process", 10_000, pipeline)]
