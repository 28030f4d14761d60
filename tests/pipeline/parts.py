"""Two flows: `orders`, whose jobs go from price to ship, and `lists`, whose jobs are added up by children."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel

from flows import ChildJob, ChildrenOf, ChildResult, Flow, FlowOptions, Job, JobResult, QueueOptions
from tests import waiting

T = TypeVar("T")

#: Long enough for whatever a test waits for.
LONG = waiting.LONG


async def within(awaitable: Awaitable[T], seconds: float = LONG) -> T:
    """Return what an awaitable brings; it fails when it takes too long."""
    async with asyncio.timeout(waiting.patient(seconds)):
        return await awaitable


class Order(BaseModel):
    """What an order is created with."""

    user_id: int = 0
    tags: list[str] = []


class Price(Job):
    """An order without a price."""

    user_id: int


class Priced(JobResult):
    """An order's price."""

    price: int


class Ship(Job):
    """An order with a price."""

    price: int
    user_id: int


class Shipped(JobResult):
    """Where an order went."""

    parcel: str


OrderFlow = Flow[Price | Ship, Order, Literal["user_id", "tags"]]
Orders = Flow[Price | Ship, Order, Literal["user_id", "tags"]]


def order_flow(redis_url: str, namespace: str, name: str = "orders", **options: Any) -> Orders:
    """Return the flow without workers; its queues bear the flow's name where that is not `orders`."""
    price, ship = ("price", "ship") if name == "orders" else (f"{name}-price", f"{name}-ship")
    return OrderFlow(
        FlowOptions(
            name=name,
            lookup_attributes=["user_id", "tags"],
            queues=[QueueOptions(price, job=Price, next_queue=ship), QueueOptions(ship, job=Ship)],
            redis_url=redis_url,
            namespace=namespace,
            **options,
        )
    )


async def price(job: Price) -> Priced:
    """Price an order."""
    return Priced(price=job.user_id * 10)


def ship(job: Ship) -> Shipped:
    """Ship an order; this is a plain function."""
    return Shipped(parcel=f"{job.user_id} for {job.price}")


class Numbers(BaseModel):
    """What a list is created with: its numbers, or lists of them."""

    numbers: list[int] = []
    nested: list[list[int]] = []


class Split(Job):
    """A list that is to be split."""

    numbers: list[int]
    nested: list[list[int]]


class Empty(JobResult):
    """A result without fields: it only names children."""


class Add(Job):
    """The parent queue's job."""


class One(Job):
    """A child: one number."""

    number: int


class Many(Job):
    """A child that has children of its own."""

    numbers: list[int] = []  # noqa: RUF012 - pydantic copies it


class Value(JobResult):
    """What a child found."""

    value: int


class Total(Job):
    """A list whose children have ended."""

    ones: Annotated[list[ChildResult[Value]], ChildrenOf("add", "one")]


class TotalOfAll(Total):
    """The same, with the children that had children of their own."""

    many: Annotated[list[ChildResult[Empty]], ChildrenOf("add", "many")]


class Added(JobResult):
    """The sum, and how the children ended."""

    total: int
    endings: list[str]
    errors: list[str]


Lists = Flow[Split | Add | Total, Numbers]
ListFlow = Flow[Split | Add | Total, Numbers]


def list_flow(
    redis_url: str,
    namespace: str,
    policy: Literal["continue", "fail"] = "continue",
    last: type[Total] = Total,
    **options: Any,
) -> Lists:
    """Return the flow without workers: split → add, with the children `one` and `many` (of `one`s) → total."""
    children = [QueueOptions("one", job=One), QueueOptions("many", job=Many, children=[QueueOptions("one", job=One)])]
    return ListFlow(
        FlowOptions(
            name="lists",
            queues=[
                QueueOptions("split", job=Split, next_queue="add"),
                QueueOptions("add", job=Add, next_queue="total", children=children, on_child_failure=policy),
                QueueOptions("total", job=last),
            ],
            redis_url=redis_url,
            namespace=namespace,
            **options,
        )
    )


async def split(job: Split) -> Empty:
    """Name a child for each number, and one with children for each list."""
    ones = [ChildJob(One, {"number": number}) for number in job.numbers]
    many = [ChildJob(Many, {}, children=[ChildJob(One, {"number": n}) for n in nested]) for nested in job.nested]
    return Empty(children=[*ones, *many])


async def one(job: One) -> Value:
    """Return the number; negative ones fail."""
    if job.number < 0:
        raise ValueError(f"{job.number} is negative")
    return Value(value=job.number)


async def total(job: Total) -> Added:
    """Add up what the children found."""
    return Added(
        total=sum(child.result.value for child in job.ones if child.result),
        endings=[child.status for child in job.ones],
        errors=[child.error.message for child in job.ones if child.error],
    )


def staff(flow: Lists, child: Callable[[One], Any] = one, *, concurrency: int = 8) -> None:
    """Give the flow workers for all but the child `many`."""
    flow.create_workers(Split, split, concurrency=concurrency)
    flow.create_parent_workers(Add)
    flow.create_child_workers(Add, One, child, concurrency=concurrency)
    flow.create_workers("total", total, concurrency=concurrency)
