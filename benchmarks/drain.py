"""One worker process drains a queue in which all jobs wait; a job counts when its end is recorded."""

from __future__ import annotations

from functools import partial
from multiprocessing.connection import Connection

from measure import Figures, Setting, in_a_worker_process, seconds_until_recorded
from subject import Work, one_queue, requests, worked, worked_in_a_thread

from flows.pipeline.signature import WorkerFunction

#: The function and how many run at once.
FUNCTIONS: dict[str, tuple[WorkerFunction[Work], int]] = {
    "async def": (worked, 100),
    "def": (worked_in_a_thread, 8),
}


async def drain(function: str, url: str, jobs: int) -> Figures:
    """Fill the queue, then start the worker."""
    async with one_queue(url) as flow:
        await flow.create_jobs(requests(jobs))
    return {"rate": jobs / await in_a_worker_process(work, url, function, jobs)}


async def work(parent: Connection, url: str, function: str, jobs: int) -> None:
    """Run the worker and tell how long it took."""
    flow = one_queue(url)
    worker_function, concurrency = FUNCTIONS[function]
    flow.create_workers("bench-1", worker_function, concurrency=concurrency)
    parent.send(await seconds_until_recorded(flow, "bench-1", jobs))


SETTINGS = [
    Setting("drain", "async def, concurrency 100", 30_000, partial(drain, "async def")),
    Setting("drain", "def, concurrency 8", 7_000, partial(drain, "def")),
]
