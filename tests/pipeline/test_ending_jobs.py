"""Cancelling, retrying and deleting jobs from outside, wherever they stand."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from flows import JobGone, StateError, current_job
from flows.store.jobs.control import Cascaded
from flows.testing import private_server
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
    order_flow,
    price,
    ship,
    split,
    staff,
    total,
    within,
)
from tests.waiting import until

#: A cancelled function ends within this; its next renewal, at which it would end at the latest, is 7.5 s away.
QUICK = 3.0
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


def heard(lists: Lists, name: str) -> list[int]:
    """Return a list to which the counts of these events are added from now on."""
    counts: list[int] = []
    lists.events.subscribe(lambda event: counts.append(int(str(event.fields["count"]))) if event.name == name else None)
    return counts


async def children_are(lists: Lists, job_id: str, **wanted: int) -> None:
    """Wait until so many children of a job are in each of these states."""
    states: Counter[str] = Counter()
    async with asyncio.timeout(LONG):
        while states != Counter(wanted):
            record = await lists.get_job(job_id, resolve_children=True)
            assert record is not None
            states = Counter(str(child.status) for child in record.child_jobs)


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
        assert (await orders.wait_for(job_id, LONG)).status == "cancelled"
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
        assert (await orders.wait_for(job_id, LONG)).status == "done"
        with pytest.raises(JobGone):
            await orders.cancel_job(GONE)


async def test_retry_a_failed_job(orders: Orders) -> None:
    """A job that failed begins anew where it failed, as its first attempt, and loses its error when it is done."""
    attempts: list[int] = []

    async def priced(job: Price) -> Priced:
        attempts.append(job.attempt)
        if len(attempts) == 1:
            raise RuntimeError("no ink")
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


async def test_cancel_while_a_child_runs(lists: Lists) -> None:
    """A parent is cancelled while one of its children runs: so is that child, long before its next renewal."""
    begun = asyncio.Event()

    async def endless(_job: One) -> Value:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    lists.create_child_workers(Add, One, endless)
    job_id = await children_waiting(lists, Numbers(numbers=[1]))
    await within(begun.wait())
    recorded = asyncio.create_task(lists.events.wait_for("job.recorded", queue="add:one"))
    await asyncio.sleep(0)
    assert await lists.cancel_job(job_id) == "cancelled"
    await within(recorded, QUICK)
    record = await lists.get_job(job_id, resolve_children=True)
    await lists.stop_all()
    assert record is not None
    assert (record.status, record.child_jobs[0].status) == ("cancelled", "cancelled")


async def test_cancel_of_a_plain_function(orders: Orders) -> None:
    """A thread cannot be stopped, but it can ask: it learns in a moment that nobody wants its result."""
    begun, seen = threading.Event(), threading.Event()

    def endless(_job: Price) -> Any:
        begun.set()
        here = current_job()
        while not here.cancelled:
            time.sleep(0.001)
        seen.set()

    orders.create_workers(Price, endless)
    async with orders:
        job_id = await orders.create_job(Order())
        assert await asyncio.to_thread(begun.wait, LONG)
        assert await orders.cancel_job(job_id) == "requested"
        assert await orders.cancel_job(job_id) in {"requested", "too late"}
        assert await asyncio.to_thread(seen.wait, QUICK)
        assert (await orders.wait_for(job_id, QUICK)).status == "cancelled"


async def test_cancel_while_the_messages_are_lost(namespace: str) -> None:
    """The server drops the connection that hears them: when it is back, every job is looked at, and nothing is late."""
    begun = asyncio.Event()

    async def endless(_job: Price) -> Any:
        begun.set()
        await asyncio.Event().wait()

    with private_server() as url, Redis.from_url(url) as redis:
        orders = order_flow(url, namespace)
        orders.create_workers(Price, endless)
        async with orders:
            job_id = await orders.create_job(Order())
            await within(begun.wait())
            await until(lambda: redis.client_kill_filter(_type="pubsub"))
            assert await orders.cancel_job(job_id) == "requested"
            assert (await orders.wait_for(job_id, QUICK)).status == "cancelled"


async def test_a_client_that_dies_between_a_parent_and_its_children(
    make_lists: Callable[..., Lists], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parent is cancelled, and what is to become of its children is noted: any process with a worker does it."""
    lists = make_lists()
    params = Numbers(numbers=[1, 2], nested=[[3, 4], [5]])
    lists.create_parent_workers("add:many")
    job_id = await children_waiting(lists, params)
    await children_are(lists, job_id, waiting=2, children=2)
    await asyncio.gather(*(worker.stop() for worker in lists.workers))

    async def dies(_parent: str = "") -> Cascaded:
        raise asyncio.CancelledError

    monkeypatch.setattr(lists._runtime.session.control, "cascade", dies)
    with pytest.raises(asyncio.CancelledError):
        await lists.cancel_job(job_id)
    await children_are(lists, job_id, waiting=2, children=2)
    await lists.stop_all()

    other = make_lists(lease=timedelta(seconds=0.6))
    cascaded = heard(other, "job.cascaded")
    other.create_workers("total", total)
    async with other:
        await children_are(other, job_id, cancelled=4)
        await until(lambda: sum(cascaded) == 7)
        assert (await other.wait_for(job_id, LONG)).status == "cancelled"


async def test_cancel_while_many_children_are_being_written(
    make_lists: Callable[..., Lists], redis: Redis, namespace: str
) -> None:
    """Those that were let out are cancelled, the others are gone, and nothing waits for any of them."""
    lists = make_lists(lease=timedelta(seconds=3))
    staff(lists)
    await asyncio.gather(*(worker.start() for worker in lists.workers if worker.queue != "add:one"))
    job_id = await lists.create_job(Numbers(numbers=[1] * 5000))
    await until(lambda: redis.exists(f"{namespace}flows:building:lists:{job_id}"))
    assert await lists.cancel_job(job_id) == "requested"
    assert (await lists.wait_for(job_id, LONG)).status == "cancelled"
    await until(lambda: not redis.exists(f"{namespace}flows:cancelling:lists"))
    await lists.stop_all()
    left = {key.removeprefix(namespace) for key in redis.scan_iter(f"{namespace}*", count=10_000)}
    assert not {key for key in left if key.startswith(("flows:pending", "flows:building", "flows:parents"))}
    assert not {key for key in left if key.endswith((":waiting", ":processing", ":children"))}
    states = {redis.hget(namespace + key, "_status") for key in left if key.startswith("job:add:one:")}
    assert states <= {"cancelled"}
