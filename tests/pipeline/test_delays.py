"""Jobs that start later: `delay=` and `run_at=` of `create_job` and `create_jobs`, also by plain callers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from flows import KeyConflict, ValidationError
from flows.testing import isolated
from tests.pipeline.parts import LONG, Order, Orders, Price, Priced, ship, within
from tests.waiting import patient, until


def work_at_once(orders: Orders) -> list[float]:
    """Create the flow's workers, and return when each job starts."""
    started: list[float] = []

    async def price(job: Price) -> Priced:
        started.append(time.time())
        return Priced(price=job.user_id)

    orders.create_workers(Price, price, concurrency=4)
    orders.create_workers("ship", ship)
    return started


@pytest.mark.parametrize("how", ["delay", "run_at"])
async def test_a_due_job_starts_promptly_where_a_worker_is_idle(orders: Orders, how: str) -> None:
    """Never early, and by less than 50 ms late: the worker that the creation wakes sets its alarm."""
    started = work_at_once(orders)
    late: list[float] = []
    async with orders:
        for _ in range(3):
            before = time.time()
            if how == "delay":
                job_id = await orders.create_job(Order(user_id=1), delay=0.2)
            else:
                job_id = await orders.create_job(Order(user_id=1), run_at=datetime.fromtimestamp(before + 0.2, UTC))
            record = await orders.get_job(job_id)
            assert record is not None
            assert (record.status, record.queue) == ("delayed", "price")
            assert (await orders.wait_for(job_id, LONG)).status == "done"
            late.append(started[-1] - before - 0.2)
    assert min(late) >= -0.002
    assert min(late) < patient(0.05)


async def test_a_job_that_is_due_sooner_than_the_alarm_of_an_idle_worker(orders: Orders) -> None:
    """The alarm is set anew: the sooner one does not wait for the later one."""
    started = work_at_once(orders)
    async with orders:
        await orders.create_job(Order(user_id=1), delay=timedelta(hours=1))
        await asyncio.sleep(0)
        await within(orders.wait_for(await orders.create_job(Order(user_id=2), delay=0.1), LONG))
    assert len(started) == 1


async def test_what_is_over_runs_at_once(orders: Orders) -> None:
    """A time in the past is no error, and neither is no delay."""
    work_at_once(orders)
    async with orders:
        past = await orders.create_job(Order(user_id=1), run_at=datetime(2001, 1, 1, tzinfo=UTC))
        now = await orders.create_job(Order(user_id=1), delay=0)
        for job_id in (past, now):
            assert (await orders.wait_for(job_id, LONG)).status == "done"


async def test_many_delayed_jobs(orders: Orders, redis: Redis, namespace: str) -> None:
    """Several batches of at most 200; found by their lookups; options are for all of them."""
    ids = await orders.create_jobs(
        (Order(user_id=7, tags=["a", "b"]) for _ in range(450)), delay=timedelta(hours=1), correlation_id="request-1"
    )
    assert redis.zcard(f"{namespace}queue:price:delayed") == len(set(ids)) == 450
    found = await orders.get_jobs_by_key("tags", "b", limit=500)
    assert [record.id for record in found] == ids
    assert {record.status for record in found} == {"delayed"}
    await orders.stop_all()


async def test_a_delayed_job_can_be_cancelled_and_deleted(orders: Orders, redis: Redis, namespace: str) -> None:
    """As one that is delayed by a retry."""
    one, other = await orders.create_jobs([Order(user_id=7), Order(user_id=7)], delay=3600)
    assert await orders.cancel_job(one) == "cancelled"
    assert await orders.delete_job(other)
    assert redis.zcard(f"{namespace}queue:price:delayed") == 0
    assert [record.id for record in await orders.get_jobs_by_key("user_id", 7)] == [one]
    await orders.stop_all()


async def test_nothing_is_written_where_something_is_refused(orders: Orders, redis: Redis, namespace: str) -> None:
    """Options first, then params, then keys that hold something else: the error names them, and no hash is left."""
    with pytest.raises(ValidationError, match="naive"):
        await orders.create_job(Order(user_id=7), run_at=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValidationError, match="both"):
        await orders.create_jobs([Order(user_id=7)], run_at=datetime.now(UTC), delay=1)
    with pytest.raises(ValidationError, match="takes a Order"):
        await orders.create_job(Price(user_id=7), delay=1)  # type: ignore[arg-type]
    key = f"{namespace}job:orders:user_id:7"
    redis.set(key, "theirs")
    with pytest.raises(KeyConflict, match=f"{key} holds a string"):
        await orders.create_job(Order(user_id=7), delay=1)
    assert not [name for name in redis.scan_iter(f"{namespace}job:*") if name != key]
    await orders.stop_all()


def test_plain_callers_delay_jobs(orders: Orders) -> None:
    """`flow.sync` takes the same options."""
    job_id = orders.sync.create_job(Order(user_id=1), delay=3600)
    [other] = orders.sync.create_jobs([Order(user_id=1)], run_at=datetime.now(UTC) + timedelta(hours=1))
    assert [record and record.status for record in orders.sync.get_jobs([job_id, other])] == ["delayed"] * 2
    orders.sync.close()


async def test_a_test_travels_to_what_is_due(orders: Orders, redis_url: str) -> None:
    """In `isolated`, days pass without a wait, and times are those of its clock."""
    started = work_at_once(orders)
    async with isolated(orders, url=redis_url) as test:
        await test.travel(timedelta(days=3))
        at = test.now() + timedelta(days=30)
        await orders.create_job(Order(user_id=1), run_at=at)
        await orders.create_job(Order(user_id=2), delay=timedelta(days=31))
        await test.assert_enqueued(Price, user_id=1, delayed_until=at)
        assert (await test.drain()).delayed == 2
        await test.travel(timedelta(days=30, minutes=1))
        assert (await test.drain()).delayed == 1
        assert len(started) == 1
        await test.travel(timedelta(days=1))
        assert (await test.drain()).delayed == 0
    assert len(started) == 2


async def test_one_of_many_idle_workers_wakes(orders: Orders, redis: Redis, namespace: str) -> None:
    """Each of twenty jobs that are due at once runs once, though three workers are idle."""
    started = work_at_once(orders)
    orders.create_workers(Price, lambda job: _price(job, started), count=2)
    async with orders:
        await orders.create_jobs((Order(user_id=1) for _ in range(20)), delay=0.1)
        await until(lambda: len(started) == 20)
        await until(lambda: redis.zcard(f"{namespace}queue:price:delayed") == 0)
    assert len(started) == 20


async def test_the_alarm_is_of_who_is_there(make_orders: Callable[..., Orders], redis: Redis, namespace: str) -> None:
    """A worker that starts takes it over, since its holder may be gone; one that stops hands it on."""
    first, second = make_orders(), make_orders()
    work_at_once(first)
    work_at_once(second)
    timer = f"{namespace}flows:timer:price"

    def holder() -> str:
        return str(redis.get(timer)).partition(" ")[2]

    await first.create_job(Order(user_id=1), delay=3600)
    redis.set(timer, f"{round(1000 * time.time()) + 1_800_000} killed")
    async with first:
        await until(lambda: holder() not in {"killed", ""})
        here = holder()
        async with second:
            await until(lambda: holder() not in {here, ""})
        await until(lambda: holder() == here)


async def _price(job: Price, started: list[float]) -> Priced:
    started.append(time.time())
    return Priced(price=job.user_id)
