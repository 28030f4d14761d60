"""Priorities and costs: from creation to functions, children, records and the next queue."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel
from redis import Redis

from flows import (
    ChildJob,
    Flow,
    FlowOptions,
    Job,
    JobGone,
    JobResult,
    Limiter,
    QueueOptions,
    StateError,
    ValidationError,
)
from tests.pipeline.parts import LONG


class Order(BaseModel):
    """What a job is created with."""

    number: int = 0


class Split(Job):
    """A job that names children."""

    number: int


class Gather(Job):
    """The parent queue's job."""


class Ship(Job):
    """A job whose children have ended."""

    number: int


class Part(Job):
    """A child."""

    name: str


class Parts(JobResult):
    """A result that names children alone."""


Shop = Flow[Split | Gather | Ship, Order]


def shop(redis_url: str, namespace: str, **of_ship: Any) -> Shop:
    """Return a flow whose last queue is declared so."""
    queues: list[Any] = [
        QueueOptions("split", Split, "gather", next_queue_priority_diff=of_ship.pop("diff", 0)),
        QueueOptions("gather", Gather, "ship", children=[QueueOptions("part", Part)]),
        QueueOptions("ship", Ship),
        QueueOptions("late", Ship, **of_ship),
    ]
    return Flow[Split | Gather | Ship, Order](FlowOptions("shop", queues, redis_url=redis_url, namespace=namespace))


async def seen(flow: Shop, **options: Any) -> tuple[dict[str, int], Any]:
    """Create a job and return the priority that each function has seen, and the job's record."""
    found: dict[str, int] = {}

    async def split(job: Split) -> Parts:
        found["split"] = job.priority
        return Parts(children=[ChildJob(Part, {"name": "a"}), ChildJob(Part, {"name": "b"}, priority=1)])

    async def part(job: Part) -> None:
        found[job.name] = job.priority

    async def ship(job: Ship) -> JobResult | None:
        found["ship"] = job.priority
        return JobResult(next_queue="late") if job.number else None

    flow.create_workers("split", split)
    flow.create_child_workers("gather", Part, part)

    async def late(job: Ship) -> None:
        found["late"] = job.priority

    flow.create_workers("ship", ship)
    flow.create_workers("late", late)
    async with flow:
        job_id = await flow.create_job(Order(), **options)
        await flow.wait_for(job_id, LONG)
        return found, await flow.get_job(job_id, resolve_children=True)


async def test_functions_and_children_see_the_priority(redis_url: str, namespace: str, redis: Redis) -> None:
    """Children inherit it, unless they are given one; records and hashes tell it."""
    found, record = await seen(shop(redis_url, namespace, priorities=3), priority=3)
    assert found == {"split": 3, "a": 3, "b": 1, "ship": 3}
    assert (record.priority, record.cost, record.view(Ship).priority) == (3, 1, 3)
    assert record.to_dict()["priority"] == 3
    assert {child.params.name: child.priority for child in record.child_jobs} == {"a": 3, "b": 1}
    key = f"{namespace}job:gather:part:"
    fields = {
        redis.hget(f"{key}{child.id}", "name"): redis.hget(f"{key}{child.id}", "_priority")
        for child in record.child_jobs
    }
    assert fields == {'"a"': "3", '"b"': None}


async def test_a_priority_changes_on_the_way(redis_url: str, namespace: str) -> None:
    """By what the queue declares; children are created with the new one."""
    found, record = await seen(shop(redis_url, namespace, priorities=3, diff=-2), priority=3)
    assert found == {"split": 3, "a": 1, "b": 1, "ship": 1}
    assert record.priority == 1


async def test_a_cost_stands_in_the_hash(redis_url: str, namespace: str, redis: Redis) -> None:
    """Where it is not 1; children have their own."""
    _found, record = await seen(shop(redis_url, namespace, limits=[Limiter(5, 1)]), cost=5)
    assert (record.cost, record.to_dict()["cost"]) == (5, 5)
    assert redis.hget(f"{namespace}job:shop:{record.id}", "_cost") == "5"
    assert {child.cost for child in record.child_jobs} == {1}


@pytest.mark.parametrize(
    ("declared", "options", "says"),
    [
        ({"limits": [Limiter(5, 1)]}, {"priority": 2}, "priority=2: no queue of flow 'shop' has priorities"),
        ({"priorities": 3}, {"cost": 2}, "cost=2: no queue of flow 'shop' has limits or slots"),
        ({"limits": [Limiter(5, 1)]}, {"cost": 6}, "cost=6 is over the 5 tokens of a limiter of queue 'late': give 5"),
        ({"max_concurrency": 3}, {"cost": 4}, "cost=4 is over 3 slots of queue 'late': give 3 at most"),
    ],
)
async def test_what_a_flow_cannot_do_is_refused(declared: Any, options: Any, says: str) -> None:
    """Before anything is sent: nobody listens where this flow would connect."""
    flow = shop("redis://127.0.0.1:1", "", **declared)
    with pytest.raises(ValidationError, match=says):
        await flow.create_job(Order(), **options)
    with pytest.raises(ValidationError, match=says):
        await flow.create_jobs([Order()], **options)


async def test_a_priority_is_changed_while_the_job_waits(redis_url: str, namespace: str) -> None:
    """Of a delayed one too; of one that has ended, or is gone, it is an error that says so."""
    flow = shop(redis_url, namespace, priorities=3)

    async with flow:
        job_id, later = await flow.create_job(Order()), await flow.create_job(Order(), delay=3600)
        for one in (job_id, later):
            assert await flow.set_priority(one, 2) == "set"
            assert await flow.set_priority(one, 2) == "same"
            record = await flow.get_job(one)
            assert record is not None
            assert record.priority == 2
        await flow.cancel_job(later)
        with pytest.raises(StateError, match="is cancelled: it cannot be given another priority"):
            await flow.set_priority(later, 3)
        await flow.delete_job(later)
        with pytest.raises(JobGone):
            await flow.set_priority(later, 3)
        with pytest.raises(ValidationError, match="priority=9"):
            await flow.set_priority(job_id, 9)
    assert await asyncio.to_thread(flow.sync.set_priority, job_id, 1) == "set"
    await asyncio.to_thread(flow.sync.close)
