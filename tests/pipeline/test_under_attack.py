"""What once lost jobs, results or time: large batches, foreign keys, stops in the wrong moment, edited hashes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from flows import DeclarationError, FlowOptions, KeyConflict, QueueOptions
from flows.kernel.prefetch import Prefetch
from flows.model.outcome import Advance, AwaitChildren, Finish, NewChild
from flows.store.jobs.claimed import ClaimedJob
from flows.store.jobs.finished import FinishedAttempt, first_batch
from tests.pipeline.parts import (
    LONG,
    Added,
    Lists,
    Numbers,
    One,
    Order,
    OrderFlow,
    Orders,
    Price,
    Priced,
    Ship,
    Value,
    price,
    ship,
    staff,
    within,
)

MakeOrders = Callable[..., Orders]

CLAIMED = ClaimedJob([b"id", 1, 1, 0, 0, 0, None])


@pytest.mark.parametrize(
    ("outcome", "taken"),
    [
        (Finish({}), 100),
        (Finish({"data": b"x" * ((1 << 19) - 200)}), 2),
        (Advance("b", {"data": b"x" * (2 << 20)}), 1),
        (AwaitChildren([NewChild("c", "id", {})] * 50, None, {}), 4),
        (Finish({f"field{number}": b"1" for number in range(200)}), 8),
    ],
    ids=["jobs", "bytes", "one large", "children", "arguments"],
)
def test_a_script_takes_a_bounded_batch(outcome: Finish | Advance | AwaitChildren, taken: int) -> None:
    """However many attempts end together, a script gets 100, 1 MiB, 200 children or 3,500 arguments of them."""
    assert first_batch([FinishedAttempt(CLAIMED, outcome, child=False)] * 1000) == taken


async def test_many_jobs_that_end_together_all_go_on(orders: Orders) -> None:
    """More attempts than one script takes end in the same moment; none is lost."""
    everyone = asyncio.Barrier(500)

    async def together(job: Price) -> Priced:
        await everyone.wait()
        return await price(job)

    orders.create_workers(Price, together, concurrency=500)
    orders.create_workers(Ship, ship, concurrency=4)
    async with orders:
        ids = await orders.create_jobs(Order(user_id=1) for _ in range(500))
        ended = [await orders.wait_for(job_id, LONG) for job_id in ids]
    assert Counter(record.status for record in ended) == {"done": 500}


async def test_a_lane_that_is_free_takes_a_job(orders: Orders) -> None:
    """Six of ten lanes hold long jobs that came at once; the next job begins without waiting for them."""
    running, gate = asyncio.Semaphore(0), asyncio.Event()

    async def long(_job: Price) -> Any:
        running.release()
        await gate.wait()

    orders.create_workers(Price, long, concurrency=10)
    orders.create_workers(Ship, lambda _job: None)
    async with orders:
        await orders.create_jobs(Order() for _ in range(6))
        for _ in range(6):
            await within(running.acquire())
        await orders.create_job(Order())
        await within(running.acquire(), 2)
        gate.set()


def test_a_free_lane_is_worth_a_claim() -> None:
    """However many jobs are ready, as long as not every lane has one."""
    assert Prefetch(10).room(0, 9) == 1
    assert Prefetch(10).room(0, 10) == 0


async def test_a_parent_that_is_handed_back_while_its_children_begin(lists: Lists) -> None:
    """A worker stops between letting many children out and waiting for them; what they return is not lost."""
    staff(lists)
    [parent_worker] = [worker for worker in lists.workers if worker.queue == "add"]
    async with lists:
        job_id = await lists.create_job(Numbers(numbers=[1] * 1500))
        await within(lists.events.wait_for("job.recorded", queue="add:one"))
        await parent_worker.stop(grace=0)
        await parent_worker.start()
        done = await lists.wait_for(job_id, LONG)
        assert done.error is None
    assert done.view(Added).total == 1500


async def test_a_foreign_key_in_the_way_fails_one_job(orders: Orders, redis_url: str, namespace: str) -> None:
    """The job that goes there fails with the key's name, after one run; its neighbours of the batch are done."""
    runs: Counter[int] = Counter()

    async def count(job: Price) -> Priced:
        runs[job.user_id] += 1
        return Priced(price=1)

    orders.create_workers(Price, count, concurrency=5)
    async with Redis.from_url(redis_url) as redis:
        await redis.set(f"{namespace}queue:ship:waiting", "not ours")
    async with orders:
        job_id = await orders.create_job(Order(user_id=7))
        failed = await orders.wait_for(job_id, LONG)
    assert failed.status == "failed"
    assert failed.error is not None
    assert (failed.error.type, "queue:ship:waiting" in failed.error.message) == ("KeyConflict", True)
    assert runs == {7: 1}


async def test_a_creation_that_a_worker_overtook(orders: Orders, redis_url: str, namespace: str) -> None:
    """With a foreign key for a lookup list, a job is either refused and never ran, or its id is returned."""
    ran: set[str] = set()

    async def note(job: Price) -> Priced:
        ran.add(job.id)
        return Priced(price=1)

    orders.create_workers(Price, note)
    orders.create_workers(Ship, ship)
    async with Redis.from_url(redis_url) as redis:
        await redis.set(f"{namespace}job:orders:user_id:5", "not ours")
    created: set[str] = set()
    async with orders:
        for _ in range(60):
            try:
                created.add(await orders.create_job(Order(user_id=5)))
            except KeyConflict:
                continue
        for job_id in created:
            await orders.wait_for(job_id, LONG)
    assert ran == created


async def test_a_list_is_not_shortened(redis_url: str, namespace: str) -> None:
    """A list lives as long as the job in it that is kept longest, whatever is created afterwards."""
    short = OrderFlow(
        FlowOptions(
            name="orders",
            lookup_attributes=["user_id", "tags"],
            queues=[QueueOptions("price", job=Price, next_queue="ship"), QueueOptions("ship", job=Ship)],
            redis_url=redis_url,
            namespace=namespace,
            job_ttl=timedelta(hours=1),
            retention=timedelta(days=7),
        )
    )
    await short.create_job(Order(user_id=3))
    async with Redis.from_url(redis_url) as redis:
        assert await redis.ttl(f"{namespace}job:orders:user_id:3") > 6 * 86400
    await short.stop_all()


async def test_children_that_name_their_parent(orders: Orders, redis_url: str, namespace: str) -> None:
    """A hash that was edited to be its own child is fetched all the same."""
    job_id = await orders.create_job(Order())
    async with Redis.from_url(redis_url) as redis:
        key = f"{namespace}job:orders:{job_id}"
        await redis.hset(key, "children:x:jobs", f'["{key}"]')
    record = await within(orders.get_job(job_id, resolve_children=True), 5)
    assert record is not None
    assert record.child_jobs == []
    await orders.stop_all()


async def test_a_stop_that_is_cancelled_leaves_nothing_open(make_orders: MakeOrders, redis_url: str) -> None:
    """A second stop closes what the first one did not come to."""
    flow = make_orders(name="stopping")
    flow.create_workers(Price, price)
    for _ in range(5):
        await flow.start_all()
        stopping = asyncio.create_task(flow.stop_all())
        await asyncio.sleep(0)
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
        await flow.stop_all()
    async with Redis.from_url(redis_url) as redis:
        names = [client["name"] for client in await redis.client_list()]
    assert [name for name in names if name.startswith("flows-stopping")] == []


@pytest.mark.parametrize("namespace_", ["a,b:", 'q"', "x" * 65, "a b"])
def test_a_namespace_keeps_to_its_grammar(namespace_: str) -> None:
    """Keys stand in JSON that scripts read by pattern, so a namespace may not hold what would break it."""
    with pytest.raises(DeclarationError, match="namespace"):
        FlowOptions(name="x", queues=[QueueOptions("q", job=Price)], namespace=namespace_)


async def test_the_correlation_id_reaches_children(lists: Lists) -> None:
    """Whoever works on a part of a job can tell what it belongs to."""
    seen: set[str | None] = set()

    async def see(job: One) -> Value:
        seen.add(job.correlation_id)
        return Value(value=1)

    staff(lists, see)
    async with lists:
        job_id = await lists.create_job(Numbers(numbers=[1, 2]), correlation_id="c1")
        await lists.wait_for(job_id, LONG)
    assert seen == {"c1"}


async def test_a_job_that_expired_while_it_waited_is_told(orders: Orders, redis_url: str, namespace: str) -> None:
    """Its id is dropped at claim, and the worker says so."""
    job_id = await orders.create_job(Order())
    async with Redis.from_url(redis_url) as redis:
        await redis.delete(f"{namespace}job:orders:{job_id}")
    told = asyncio.create_task(orders.events.wait_for("job.expired", queue="price", count=1))
    await asyncio.sleep(0)
    orders.create_workers(Price, price)
    async with orders:
        await within(told)
