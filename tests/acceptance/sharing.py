"""Two flows that share a queue and a parent queue, and a worker process of one of them: `sharing.py URL NAMESPACE`."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel
from redis.asyncio import Redis

from flows import ChildJob, ChildrenOf, ChildResult, Flow, FlowOptions, Job, JobResult, QueueOptions


class Given(BaseModel):
    """What a job begins with."""

    number: int


class Begin(Job):
    """What each flow's own first queue sees."""

    number: int


class Begun(JobResult):
    """It names two children for the shared parent queue."""

    begun: bool = True


class Work(Job):
    """The shared queue."""

    number: int


class Worked(JobResult):
    """What it returns."""

    worked: int


class Check(Job):
    """The shared parent queue."""


class Part(Job):
    """Its child queue."""

    part: int


class Parted(JobResult):
    """What a child returns."""

    doubled: int


class End(Job):
    """What the last queue sees."""

    worked: int
    parts: Annotated[list[ChildResult[Parted]], ChildrenOf("check", "part")]


class Ended(JobResult):
    """What is left."""

    total: int


Shared = Flow[Begin | Work | Check | End, Given]


def sharing(name: str, url: str, namespace: str) -> Shared:
    """Declare a flow: `<name>-begin`, the shared `work` and `check`, and `near-end` for `near`."""
    last = name == "near"
    queues: list[QueueOptions[Begin | Work | Check | End]] = [
        QueueOptions(f"{name}-begin", job=Begin, next_queue="work"),
        QueueOptions("work", job=Work, shared=True, next_queue="check"),
        QueueOptions(
            "check",
            job=Check,
            shared=True,
            next_queue=f"{name}-end" if last else None,
            children=[QueueOptions("part", job=Part)],
        ),
    ]
    if last:
        queues.append(QueueOptions(f"{name}-end", job=End))
    lease = timedelta(seconds=2)
    return Shared(FlowOptions(name, queues, redis_url=url, namespace=namespace, lease=lease))


def serve(flow: Shared, url: str, namespace: str) -> None:
    """Create workers of the shared queues, and of the last one."""
    redis: Redis = Redis.from_url(url)

    async def work(job: Work) -> Worked:
        await redis.hincrby(f"{namespace}attempts", f"{job.flow_name}:{job.id}", 1)
        await asyncio.sleep(0.01)
        return Worked(worked=job.number + 1)

    async def part(job: Part) -> Parted:
        return Parted(doubled=2 * job.part)

    async def end(job: End) -> Ended:
        return Ended(total=job.worked + sum(one.result.doubled for one in job.parts if one.result))

    flow.create_workers(Work, work, concurrency=8)
    flow.create_child_workers(Check, Part, part, concurrency=8)
    flow.create_workers(End, end, concurrency=4)


async def begin(job: Begin) -> Begun:
    """Name the children, in the flow's own queue."""
    return Begun(children=[ChildJob(Part, {"part": job.number}), ChildJob(Part, {"part": 1})])


if __name__ == "__main__":
    near = sharing("near", *sys.argv[1:])
    serve(near, *sys.argv[1:])
    sys.exit(asyncio.run(near.run()))
