"""Each job fans out to ten children and is joined; all workers share one process."""

from __future__ import annotations

from multiprocessing.connection import Connection

from measure import Figures, Setting, in_a_worker_process, seconds_until_recorded
from subject import Branch, Joined, Leaf, Work, fan_out, fanned_out, joined, leaf, requests


async def parents(url: str, jobs: int) -> Figures:
    """Fill the first queue, then start the workers; the rate is of parents."""
    async with fanned_out(url) as flow:
        await flow.create_jobs(requests(jobs))
    return {"rate": jobs / await in_a_worker_process(work, url, jobs)}


async def work(parent: Connection, url: str, jobs: int) -> None:
    """Run the workers and tell how long it took."""
    flow = fanned_out(url)
    flow.create_workers(Work, fan_out, concurrency=100)
    flow.create_parent_workers(Branch, concurrency=100)
    flow.create_child_workers(Branch, Leaf, leaf, concurrency=100)
    flow.create_workers(Joined, joined, concurrency=100)
    parent.send(await seconds_until_recorded(flow, "bench-joined", jobs))


SETTINGS = [Setting("fan-out", "parent, 10 children and join", 700, parents)]
