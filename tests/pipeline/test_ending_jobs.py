"""Cancelling, retrying and deleting jobs from outside, wherever they stand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from redis import Redis

from flows import JobGone, StateError
from tests.pipeline.parts import (
    LONG,
    Add,
    Lists,
    Numbers,
    One,
    Order,
    Orders,
    Price,
    Priced,
    Ship,
    Split,
    Value,
    price,
    ship,
    split,
    within,
)

GONE = "01890000-0000-7000-8000-000000000000"


async def children_waiting(lists: Lists, params: Numbers) -> str:
    """Return a job that waits for its children, which nobody takes."""
    lists.create_workers(Split, split)
    lists.create_parent_workers(Add)
    await lists.start_all()
    waits = asyncio.create_task(lists.events.wait_for("job.recorded", queue="add"))
    await asyncio.sleep(0)
    job_id = await lists.create_job(params)
    await within(waits)
    return job_id


async def test_cancel_a_waiting_job(orders: Orders, redis: Redis, namespace: str) -> None:
    """A job that waits is cancelled at once, leaves its queue, and who waits for it gets it."""
    async with orders:
        job_id = await orders.create_job(Order())
        waiting = asyncio.create_task(orders.wait_for(job_id, LONG))
        assert await orders.cancel_job(job_id, "not wanted") == "cancelled"
        record = await within(waiting)
        assert (record.status, record.queue) == ("cancelled", "price")
        assert await orders.cancel_job(job_id) == "too late"
    assert redis.llen(f"{namespace}queue:price:waiting") == 0


async def test_cancel_a_delayed_job(orders: Orders, redis: Redis, namespace: str) -> None:
    """A delayed job is cancelled at once and is not promoted later."""
    async with orders:
        job_id = await orders.create_job(Order())
        redis.lrem(f"{namespace}queue:price:waiting", 0, job_id)
        redis.hset(f"{namespace}job:orders:{job_id}", mapping={"_status": "delayed", "_queue": "price"})
        redis.zadd(f"{namespace}queue:price:delayed", {job_id: 1})
        assert await orders.cancel_job(job_id) == "cancelled"
        assert (await orders.wait_for(job_id, 1)).status == "cancelled"
    assert redis.zcard(f"{namespace}queue:price:delayed") == 0


async def test_cancel_a_parent_with_its_children(lists: Lists, redis: Redis, namespace: str) -> None:
    """A parent that waits for its children is cancelled together with them."""
    job_id = await children_waiting(lists, Numbers(numbers=[1, 2]))
    assert await lists.cancel_job(job_id) == "cancelled"
    record = await lists.get_job(job_id, resolve_children=True)
    await lists.stop_all()
    assert record is not None
    assert record.status == "cancelled"
    assert [child.status for child in record.child_jobs] == ["cancelled", "cancelled"]
    assert redis.llen(f"{namespace}queue:add:one:waiting") == 0
    assert redis.zcard(f"{namespace}queue:add:children") == 0


async def test_cancel_a_job_that_has_ended(orders: Orders) -> None:
    """A job that is done stays done; one that never was is JobGone."""
    orders.create_workers(Price, price)
    orders.create_workers(Ship, ship)
    async with orders:
        job_id = await orders.create_job(Order())
        await orders.wait_for(job_id, LONG)
        assert await orders.cancel_job(job_id) == "too late"
        assert (await orders.wait_for(job_id, 1)).status == "done"
        with pytest.raises(JobGone):
            await orders.cancel_job(GONE)


async def test_retry_a_failed_job(orders: Orders) -> None:
    """A job that failed begins anew where it failed, as its first attempt, and loses its error when it is done."""
    attempts: list[int] = []

    async def priced(job: Price) -> Priced:
        attempts.append(job.attempt)
        if len(attempts) == 1:
            msg = "no ink"
            raise RuntimeError(msg)
        return await price(job)

    orders.create_workers(Price, priced)
    orders.create_workers(Ship, ship)
    async with orders:
        job_id = await orders.create_job(Order())
        assert (await orders.wait_for(job_id, LONG)).status == "failed"
        await orders.retry_job(job_id)
        record = await orders.wait_for(job_id, LONG)
        assert (record.status, record.error) == ("done", None)
        with pytest.raises(StateError, match="is done"):
            await orders.retry_job(job_id)
        with pytest.raises(JobGone):
            await orders.retry_job(GONE)
    assert attempts == [1, 1]


async def test_retry_a_cancelled_job(orders: Orders) -> None:
    """A job that was cancelled can be given a new life; one that waits cannot."""
    orders.create_workers(Price, price)
    orders.create_workers(Ship, ship)
    job_id = await orders.create_job(Order())
    with pytest.raises(StateError, match="is waiting"):
        await orders.retry_job(job_id)
    await orders.cancel_job(job_id)
    await orders.retry_job(job_id)
    async with orders:
        assert (await orders.wait_for(job_id, LONG)).status == "done"


async def test_delete_leaves_nothing(orders: Orders, redis: Redis, namespace: str) -> None:
    """A deleted job's hash, lookup entries and place in the queue are gone; others keep theirs."""
    async with orders:
        kept, deleted = await orders.create_jobs([Order(user_id=1, tags=["a"]), Order(user_id=1, tags=["a", "b"])])
        assert await orders.delete_job(deleted)
        assert not await orders.delete_job(deleted)
        assert await orders.get_job(deleted) is None
    assert redis.lrange(f"{namespace}queue:price:waiting", 0, -1) == [kept]
    assert redis.lrange(f"{namespace}job:orders:user_id:1", 0, -1) == [kept]
    assert not redis.exists(f"{namespace}job:orders:tags:b")


async def test_delete_a_parent_with_its_children(lists: Lists, redis: Redis, namespace: str) -> None:
    """Of a deleted parent nothing is left, nor of its children and theirs."""
    before = set(redis.scan_iter(f"{namespace}*"))
    job_id = await children_waiting(lists, Numbers(numbers=[1], nested=[[2, 3]]))
    assert await lists.delete_job(job_id)
    await lists.stop_all()
    left = {key.removeprefix(namespace) for key in set(redis.scan_iter(f"{namespace}*")) - before}
    assert not {key for key in left if key.startswith("job:")}
    assert not {key for key in left if key.startswith("queue:") and not key.endswith(":meta")}
    assert not {key for key in left if key.startswith(("flows:pending", "flows:parents", "flows:building"))}


async def test_delete_a_running_job(orders: Orders) -> None:
    """A job that is deleted while it runs does not come back as a half-written hash."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def priced(job: Price) -> Priced:
        begun.set()
        await go_on.wait()
        return await price(job)

    orders.create_workers(Price, priced)
    async with orders:
        job_id = await orders.create_job(Order())
        await within(begun.wait())
        lost = asyncio.create_task(orders.events.wait_for("job.lost", job_id=job_id))
        assert await orders.delete_job(job_id)
        go_on.set()
        await within(lost)
        assert await orders.get_job(job_id) is None


async def test_cancel_while_a_child_runs(make_lists: Callable[..., Lists]) -> None:
    """A parent is cancelled while one of its children runs: that child is told, and the parent stays cancelled."""
    lists = make_lists()
    begun, ended = asyncio.Event(), asyncio.Event()

    async def slow(job: One) -> Value:
        begun.set()
        await ended.wait()
        return Value(value=job.number)

    lists.create_child_workers(Add, One, slow)
    job_id = await children_waiting(lists, Numbers(numbers=[1]))
    await within(begun.wait())
    assert await lists.cancel_job(job_id) == "cancelled"
    ended.set()
    await lists.stop_all()
    async with lists:
        record = await lists.get_job(job_id, resolve_children=True)
        assert record is not None
        assert record.status == "cancelled"
        assert record.child_jobs[0].status in {"done", "cancelled"}
