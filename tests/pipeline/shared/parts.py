"""Two flows that share a queue and a parent queue: what tests of shared queues are made of."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel

from flows import ChildJob, ChildrenOf, ChildResult, Flow, FlowOptions, Job, JobResult, QueueOptions


class Text(BaseModel):
    """What each flow's jobs begin with."""

    user_id: int


class Send(Job):
    """What the workers of the shared queue see."""

    user_id: int


class Sent(JobResult):
    """What they return."""

    receipt: int


class Keep(Job):
    """What a flow's own last queue sees."""

    receipt: int


Texts: TypeAlias = Flow[Send | Keep, Text, Literal["user_id"]]


def texts(name: str, url: str, namespace: str, **more: Any) -> Texts:
    """Declare a flow that shares the queue `send`; its jobs go to its own queue `<name>-keep`, or are done."""
    ends = more.pop("ends", False)
    diff = more.pop("diff", 0)
    queues: list[QueueOptions[Send | Keep]] = [
        QueueOptions(
            "send", job=Send, shared=True, next_queue=None if ends else f"{name}-keep", next_queue_priority_diff=diff
        )
    ]
    if not ends:
        queues.append(QueueOptions(f"{name}-keep", job=Keep, priorities=more.pop("priorities", 1)))
    return Texts(FlowOptions(name, queues, redis_url=url, namespace=namespace, lookup_attributes=["user_id"], **more))


class Order(BaseModel):
    """What jobs with children begin with."""

    items: list[int]


class Split(Job):
    """What a flow's first queue sees: it names the children."""

    items: list[int]


class Parted(JobResult):
    """What it returns."""

    parts: int


class Check(Job):
    """A job of the shared parent queue, which no function sees."""


class Item(Job):
    """A child."""

    item: int


class Checked(JobResult):
    """What becomes of it."""

    double: int


class Sum(Job):
    """What the queue after the parent queue sees."""

    checks: Annotated[list[ChildResult[Checked]], ChildrenOf("check", "item")]


class Total(JobResult):
    """What is left in the end."""

    total: int


Orders: TypeAlias = Flow[Split | Check | Sum, Order]


def orders(name: str, url: str, namespace: str, **more: Any) -> Orders:
    """Declare a flow that shares the parent queue `check`, between its own first and last queues."""
    return Orders(
        FlowOptions(
            name,
            [
                QueueOptions(f"{name}-split", job=Split, next_queue="check"),
                QueueOptions(
                    "check",
                    job=Check,
                    shared=True,
                    next_queue=f"{name}-sum",
                    children=[QueueOptions("item", job=Item)],
                ),
                QueueOptions(f"{name}-sum", job=Sum),
            ],
            redis_url=url,
            namespace=namespace,
            **more,
        )
    )


async def split(job: Split) -> Parted:
    """Name a child for each item."""
    return Parted(parts=len(job.items), children=[ChildJob(Item, {"item": item}) for item in job.items])


async def double(job: Item) -> Checked:
    """Do a child's work."""
    return Checked(double=2 * job.item)


async def add(job: Sum) -> Total:
    """Sum up what the children have returned."""
    return Total(total=sum(check.result.double for check in job.checks if check.result))
