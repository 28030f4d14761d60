"""What is measured: one typed model of four fields, and the flows that it goes through."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Never

from pydantic import BaseModel

from flows import ChildJob, ChildrenOf, ChildResult, Flow, FlowOptions, Job, JobResult, QueueOptions


class Request(BaseModel):
    """What a job is created with."""

    user_id: int
    guild_id: int
    role_ids: list[int]
    reason: str


class Work(Job):
    """What the worker functions see: all four fields, validated."""

    user_id: int
    guild_id: int
    role_ids: list[int]
    reason: str


class Worked(JobResult):
    """A result, which is kept."""

    ok: bool


class Branch(Job):
    """A parent queue's job."""


class Leaf(Job):
    """A child queue's job."""

    role_id: int


class Joined(Job):
    """The job after its children: it sees their results."""

    user_id: int
    leaves: Annotated[list[ChildResult[Worked]], ChildrenOf("bench-branch", "leaf")]


OneQueue = Flow[Work, Request, Never]
FannedOut = Flow[Work | Branch | Joined, Request, Never]


def requests(count: int) -> Iterator[Request]:
    """Make params for so many jobs."""
    for number in range(count):
        yield Request(user_id=number, guild_id=1985, role_ids=[1, 2], reason="benchmark")


def one_queue(url: str, name: str = "bench", retention: timedelta | None = None) -> OneQueue:
    """A flow of one queue, `<name>-1`."""
    queues = [QueueOptions(f"{name}-1", job=Work)]
    return OneQueue(FlowOptions(name, queues, redis_url=url, retention=retention))


def three_queues(url: str) -> OneQueue:
    """A flow of three queues: `bench-1`, `bench-2` and `bench-3`."""
    queues = [
        QueueOptions("bench-1", job=Work, next_queue="bench-2"),
        QueueOptions("bench-2", job=Work, next_queue="bench-3"),
        QueueOptions("bench-3", job=Work),
    ]
    return OneQueue(FlowOptions("bench", queues, redis_url=url))


def fanned_out(url: str) -> FannedOut:
    """A flow that fans each job out to the child queue `leaf` of `bench-branch`, and joins it in `bench-joined`."""
    return FannedOut(
        FlowOptions(
            "bench",
            [
                QueueOptions("bench-start", job=Work, next_queue="bench-branch"),
                QueueOptions(
                    "bench-branch", job=Branch, next_queue="bench-joined", children=[QueueOptions("leaf", job=Leaf)]
                ),
                QueueOptions("bench-joined", job=Joined),
            ],
            redis_url=url,
        )
    )


async def worked(job: Work) -> Worked:
    """Do nothing but return a result."""
    return Worked(ok=job.user_id >= 0)


def worked_in_a_thread(job: Work) -> Worked:
    """Do the same as a plain function."""
    return Worked(ok=job.user_id >= 0)


async def fan_out(_job: Work) -> JobResult:
    """Name ten children."""
    return JobResult(children=[ChildJob(Leaf, {"role_id": number}) for number in range(10)])


async def leaf(job: Leaf) -> Worked:
    """Work for the child queue."""
    return Worked(ok=job.role_id >= 0)


async def joined(job: Joined) -> Worked:
    """Read the children's results."""
    return Worked(ok=all(child.result is not None and child.result.ok for child in job.leaves))
