"""Batches in pipelines: of children, with children, and held against what later queues need."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from flows import ChildJob, DeclarationError, Retry
from tests.pipeline.parts import (
    LONG,
    Add,
    Added,
    Empty,
    Lists,
    Many,
    Numbers,
    One,
    Order,
    Orders,
    Price,
    Priced,
    Ship,
    Split,
    Total,
    Value,
    order_flow,
    ship,
    total,
    within,
)

MakeLists = Callable[..., Lists]


async def test_batches_of_children_and_with_children(make_lists: MakeLists) -> None:
    """A batch names children for each of its jobs, and a batch of children ends each of them alone."""
    sizes: list[int] = []

    async def split(jobs: list[Split]) -> list[Empty]:
        return [Empty(children=[ChildJob(One, {"number": number}) for number in job.numbers]) for job in jobs]

    lists = make_lists()
    lists.create_workers(Split, split, batch=10)

    @lists.child_worker(Add, One, batch=4)
    def ones(jobs: Sequence[One]) -> list[Value | ValueError]:
        sizes.append(len(jobs))
        return [Value(value=job.number) if job.number >= 0 else ValueError("negative") for job in jobs]

    lists.create_workers(Total, total)
    async with lists:
        ids = await lists.create_jobs([Numbers(numbers=[1, 2]), Numbers(numbers=[3, -4, 5])])
        records = [await within(lists.wait_for(job_id, LONG)) for job_id in ids]
    added = [record.view(Added) for record in records]
    assert [(one.total, sorted(one.endings), one.errors) for one in added] == [
        (3, ["done", "done"], []),
        (8, ["done", "done", "failed"], ["negative"]),
    ]
    assert sum(sizes) == 5
    assert max(sizes) <= 4


async def test_a_childs_batch_names_children_of_its_own(make_lists: MakeLists) -> None:
    """By `create_child_workers` with a batch."""

    async def split(_job: Split) -> Empty:
        return Empty(children=[ChildJob(Many, {"numbers": [number]}) for number in (1, 2)])

    async def many(jobs: list[Many]) -> list[Empty]:
        return [Empty(children=[ChildJob(One, {"number": number}) for number in job.numbers]) for job in jobs]

    async def one(job: One) -> Value:
        return Value(value=job.number)

    lists = make_lists()
    lists.create_workers(Split, split)
    lists.create_child_workers(Add, Many, many, batch=2)
    lists.create_child_workers("add:many", One, one)  # type: ignore[type-var]
    lists.create_workers(Total, total)
    async with lists:
        job_id = await lists.create_job(Numbers())
        await within(lists.wait_for(job_id, LONG))
        record = await lists.get_job(job_id, resolve_children=True)
    assert record is not None
    assert [[child.status for child in one.child_jobs] for one in record.child_jobs] == [["done"], ["done"]]


async def price_many(jobs: list[Price]) -> list[Priced | Retry | ValueError | None]:
    """Price orders."""
    return [Priced(price=job.user_id) for job in jobs]


async def test_a_batch_hands_its_results_on(redis_url: str, namespace: str) -> None:
    """Its fields are found by the next queue, and the start sees that they will be."""
    orders: Orders = order_flow(redis_url, namespace)
    orders.create_workers(Price, price_many, batch=3)
    orders.create_workers(Ship, ship)
    async with orders:
        ids = await orders.create_jobs(Order(user_id=number) for number in range(3))
        records = [await within(orders.wait_for(job_id, LONG)) for job_id in ids]
    assert [record.view(Priced).price for record in records] == [0, 1, 2]


async def test_a_field_that_no_batch_returns_is_missed(redis_url: str, namespace: str) -> None:
    """As with functions of one job: before a job is created."""

    async def nothing(jobs: list[Price]) -> list[Value | ValueError]:
        return [Value(value=job.user_id) for job in jobs]

    orders = order_flow(redis_url, namespace)
    orders.create_workers(Price, nothing, batch=3)
    orders.create_workers(Ship, ship)
    with pytest.raises(DeclarationError, match="Ship of queue 'ship' needs price, which no queue before it returns"):
        await orders.start_all()
