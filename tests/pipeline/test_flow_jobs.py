"""Jobs on their way through a flow: queue by queue, with what each function returned."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel
from redis import Redis

from flows import (
    Flow,
    FlowOptions,
    Job,
    JobGone,
    JobResult,
    MalformedJob,
    PayloadTooLarge,
    QueueOptions,
    ValidationError,
    WaitTimeout,
)
from flows.kernel.deploy import misfits
from tests.pipeline.parts import LONG, Order, Orders, Price, Priced, Ship, Shipped, price, ship, within


async def test_a_job_goes_through_its_queues(orders: Orders) -> None:
    """A job is priced by an async function, shipped by a plain one, and keeps what both returned."""
    orders.create_workers(Price, price)
    orders.create_workers(Ship, ship)
    async with orders:
        job_id = await orders.create_job(Order(user_id=7, tags=["a"]))
        done = await orders.wait_for(job_id, LONG)
    assert (done.id, done.status, done.queue, done.flow_name) == (job_id, "done", "ship", "orders")
    assert done.params == Order(user_id=7, tags=["a"])
    assert done.view(Priced).price == 70
    assert done.view(Shipped).parcel == "7 for 70"
    assert (done.error, done.children, done.progress) == (None, [], None)


async def test_many_jobs_arrive_once_each(orders: Orders) -> None:
    """Of a thousand jobs over two workers of a queue, eight at a time, each function sees each job once."""
    seen: list[str] = []

    async def priced(job: Price) -> Priced:
        if job.user_id % 10 == 0:
            await asyncio.sleep(0)
        seen.append(job.id)
        return await price(job)

    orders.create_workers(Price, priced, count=2, concurrency=8)
    orders.create_workers(Ship, ship, count=2, concurrency=2)
    async with orders:
        ids = await orders.create_jobs(Order(user_id=number) for number in range(1000))
        for job_id in reversed(ids):
            assert (await orders.wait_for(job_id, LONG)).status == "done"
    assert sorted(seen) == sorted(ids)


async def test_a_plain_function_runs_in_a_thread(orders: Orders) -> None:
    """A plain function does not block the loop: two of them can wait for each other."""
    meet = threading.Barrier(2, timeout=LONG)
    orders.create_workers(Price, lambda job: (meet.wait() and None) or Priced(price=job.user_id), concurrency=2)
    orders.create_workers(Ship, ship)
    async with orders:
        ids = await orders.create_jobs([Order(user_id=1), Order(user_id=2)])
        done = [await orders.wait_for(job_id, LONG) for job_id in ids]
    assert [record.view(Shipped).parcel for record in done] == ["1 for 1", "2 for 2"]


async def test_count_and_concurrency_multiply(orders: Orders) -> None:
    """Two workers that run three jobs at once each run six at once, and not one more."""
    running, most, enough = 0, 0, asyncio.Event()

    async def priced(job: Price) -> Priced:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 6:
            enough.set()
        await enough.wait()
        await orders.get_job(job.id)  # answered after every claim that was sent before
        running -= 1
        return Priced(price=1)

    workers = orders.create_workers(Price, priced, count=2, concurrency=3)
    orders.create_workers(Ship, ship)
    assert len(workers) == 2
    async with orders:
        for job_id in await orders.create_jobs([Order()] * 20):
            await orders.wait_for(job_id, LONG)
    assert most == 6


async def test_a_result_may_name_the_next_queue(orders: Orders) -> None:
    """`next_queue` of a result wins over the queue's own: this job is priced three times."""
    attempts: list[int] = []

    async def priced(job: Price) -> Priced:
        attempts.append(job.attempt)
        return Priced(price=len(attempts), next_queue="price" if len(attempts) < 3 else None)

    orders.create_workers(Price, priced)
    orders.create_workers(Ship, ship)
    async with orders:
        done = await orders.wait_for(await orders.create_job(Order(user_id=1)), LONG)
    assert done.view(Shipped).parcel == "1 for 3"
    assert attempts == [1, 1, 1]


async def test_a_next_queue_that_does_not_exist_fails_the_job(orders: Orders) -> None:
    """The error says which queues there are, nothing of the result is written, and the worker goes on."""

    async def priced(job: Price) -> Priced:
        return Priced(price=1, next_queue="shop" if job.user_id else None)

    orders.create_workers(Price, priced)
    orders.create_workers(Ship, ship)
    async with orders:
        failed = await orders.wait_for(await orders.create_job(Order(user_id=1)), LONG)
        done = await orders.wait_for(await orders.create_job(Order(user_id=0)), LONG)
    assert failed.error is not None
    assert (failed.status, failed.queue) == ("failed", "price")
    assert failed.error.message == "next_queue='shop' is no queue of the flow: those are price, ship"
    with pytest.raises(MalformedJob):
        failed.view(Priced)
    assert done.status == "done"


async def test_a_function_may_return_nothing(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    """None passes the job on and writes no field; here the next queue misses one and, after an hour, says so."""
    monkeypatch.setattr(misfits, "IN_ALL", 0.0)

    async def nothing(_job: Price) -> Any:
        return None

    orders.create_workers(Price, nothing)
    orders.create_workers(Ship, ship)
    async with orders:
        failed = await orders.wait_for(await orders.create_job(Order()), LONG)
    assert failed.error is not None
    assert (failed.queue, failed.error.type) == ("ship", "FieldMissing")
    assert failed.error.message == "Ship of queue 'ship' needs 'price'; this job has tags, user_id"


async def test_a_result_cannot_change_params(orders: Orders) -> None:
    """A result class that names a field of Params fails the job; where it is annotated, create_workers refuses it."""

    class Stolen(JobResult):
        user_id: int

    orders.create_workers(Price, lambda _job: Stolen(user_id=99))
    async with orders:
        failed = await orders.wait_for(await orders.create_job(Order(user_id=5)), LONG)
    assert failed.error is not None
    assert "user_id" in failed.error.message
    assert failed.params.user_id == 5


async def test_the_correlation_id_goes_along(orders: Orders) -> None:
    """Every function of the job sees the correlation id that it was created with; without one it is None."""
    seen: list[tuple[str, str | None]] = []

    async def priced(job: Price) -> Priced:
        seen.append(("price", job.correlation_id))
        return Priced(price=1)

    def shipped(job: Ship) -> None:
        seen.append(("ship", job.correlation_id))

    orders.create_workers(Price, priced)
    orders.create_workers(Ship, shipped)
    async with orders:
        for given in ("request 7 → ü", None):
            await orders.wait_for(await orders.create_job(Order(), correlation_id=given), LONG)
    assert seen == [("price", "request 7 → ü"), ("ship", "request 7 → ü"), ("price", None), ("ship", None)]


async def test_what_comes_with_every_job(orders: Orders) -> None:
    """A function sees the job's id, its flow's name, its attempt and when it was created."""
    seen: list[Price] = []

    async def priced(job: Price) -> Priced:
        seen.append(job)
        return await price(job)

    orders.create_workers(Price, priced)
    orders.create_workers(Ship, ship)
    async with orders:
        done = await orders.wait_for(await orders.create_job(Order()), LONG)
    assert (seen[0].id, seen[0].flow_name, seen[0].attempt, seen[0].priority) == (done.id, "orders", 1, 1)
    assert seen[0].created_at == done.created_at


async def test_wait_for_times_out(orders: Orders) -> None:
    """A job that nobody takes is not waited for longer than asked, and the error says where it is."""
    async with orders:
        job_id = await orders.create_job(Order())
        with pytest.raises(WaitTimeout, match=r"is still waiting in 'price' after 0\.05 s"):
            await within(orders.wait_for(job_id, 0.05))
        assert await orders.get_job(job_id) is not None


async def test_wait_for_a_job_that_goes_away(orders: Orders) -> None:
    """Who waits for a job that is deleted, or never was, gets JobGone at once and not the time-out."""
    async with orders:
        job_id = await orders.create_job(Order())
        waiting = asyncio.create_task(orders.wait_for(job_id, LONG))
        await asyncio.sleep(0)
        assert await orders.delete_job(job_id)
        with pytest.raises(JobGone):
            await within(waiting, 3)
        with pytest.raises(JobGone):
            await within(orders.wait_for("01890000-0000-7000-8000-000000000000", LONG), 3)
        with pytest.raises(ValidationError):
            await orders.wait_for("seven", LONG)


async def test_many_wait_for_one_job(orders: Orders) -> None:
    """A hundred who wait for the same job all get it, and one who gives up does not disturb the others."""
    orders.create_workers(Price, price)
    orders.create_workers(Ship, ship)
    job_id = await orders.create_job(Order(user_id=1))
    waiting = [asyncio.create_task(orders.wait_for(job_id, LONG)) for _ in range(100)]
    await asyncio.sleep(0)
    waiting.pop().cancel()
    async with orders:
        assert {(await within(task)).status for task in waiting} == {"done"}


async def test_params_without_fields(redis_url: str, namespace: str) -> None:
    """Params and a job class may be empty: the job still is a hash, and runs."""

    class Nothing(BaseModel):
        pass

    class Tick(Job):
        pass

    flow = Flow[Tick, Nothing](
        FlowOptions(name="ticks", queues=[QueueOptions("tick", job=Tick)], redis_url=redis_url, namespace=namespace)
    )

    async def tick(_job: Tick) -> None:
        return

    flow.create_workers(Tick, tick)
    async with flow:
        done = await flow.wait_for(await flow.create_job(Nothing()), LONG)
    assert (done.status, done.params) == ("done", Nothing())


async def test_without_a_ttl(make_orders: Callable[..., Orders], redis: Redis, namespace: str) -> None:
    """With job_ttl=None a job and its lookups are kept until it ends, and for the retention from then on."""
    orders = make_orders(job_ttl=None)
    orders.create_workers(Price, price)
    orders.create_workers(Ship, ship)
    job_id = await orders.create_job(Order(user_id=1))
    job = f"{namespace}job:orders:{job_id}"
    assert (redis.ttl(job), redis.ttl(f"{namespace}job:orders:user_id:1")) == (-1, -1)
    async with orders:
        await orders.wait_for(job_id, LONG)
    assert 86_000 < redis.ttl(job) <= 86_400


async def test_params_of_another_class_are_refused(orders: Orders) -> None:
    """create_job and create_jobs take the flow's own Params and nothing else; nothing is written."""

    class Stranger(BaseModel):
        user_id: int = 1

    async with orders:
        for wrong in (Stranger(), {"user_id": 1}, None, Priced(price=1), Order):
            with pytest.raises(ValidationError, match="takes a Order"):
                await orders.create_job(wrong)  # type: ignore[arg-type]
            with pytest.raises(ValidationError, match="takes a Order"):
                await orders.create_jobs([Order(user_id=1), wrong])  # type: ignore[list-item]
        assert await orders.get_jobs_by_key("user_id", 1) == []


@pytest.mark.parametrize("correlation_id", [7, "\ud800"])
async def test_a_correlation_id_that_cannot_be_kept_is_refused(orders: Orders, correlation_id: object) -> None:
    """A correlation id that no job could show is refused when the job is created."""
    async with orders:
        with pytest.raises(ValidationError):
            await orders.create_job(Order(), correlation_id=correlation_id)  # type: ignore[arg-type]


async def test_a_payload_that_is_too_large_is_refused(make_orders: Callable[..., Orders]) -> None:
    """Params over max_payload are refused before anything is sent."""
    orders = make_orders(max_payload=100)
    async with orders:
        with pytest.raises(PayloadTooLarge):
            await orders.create_job(Order(tags=["x" * 100]))
        assert await orders.get_jobs_by_key("user_id", 0) == []


async def test_a_hash_edited_by_hand(orders: Orders, redis: Redis, namespace: str) -> None:
    """A hash that no longer is JSON fails its own job; read back, it is MalformedJob from params, and only there."""
    orders.create_workers(Price, price)
    orders.create_workers(Ship, ship)
    ids = await orders.create_jobs([Order(user_id=number) for number in range(3)])
    redis.hset(f"{namespace}job:orders:{ids[1]}", "user_id", "{")
    async with orders:
        records = [await orders.wait_for(job_id, LONG) for job_id in ids]
    assert [record.status for record in records] == ["done", "failed", "done"]
    assert records[1].error is not None
    assert records[1].error.type == "MalformedJob"
    with pytest.raises(MalformedJob, match="cannot be read as Order"):
        _ = records[1].params


async def test_kernel_fields_edited_by_hand(orders: Orders, redis: Redis, namespace: str) -> None:
    """Nonsense in the kernel's own fields does not keep the job, or others, from being read or from running."""
    orders.create_workers(Price, price)
    orders.create_workers(Ship, ship)
    ids = await orders.create_jobs([Order(user_id=number) for number in range(3)])
    redis.hset(f"{namespace}job:orders:{ids[0]}", mapping={"_attempt": "x", "_progress": "[", "_error": "?"})
    redis.hset(f"{namespace}job:orders:{ids[1]}", mapping={"_status": "lost", "_attempt": "1 w many 0 0"})
    async with orders:
        failed = await orders.wait_for(ids[0], LONG)
        assert failed.error is not None
        assert (failed.status, failed.error.type) == ("failed", "MalformedJob")
        assert (await orders.wait_for(ids[2], LONG)).status == "done"
        found = await orders.get_jobs(ids)
    assert [record and record.status for record in found] == ["failed", "failed", "done"]


async def test_a_queue_or_lookup_of_another_type_is_named(orders: Orders, redis: Redis, namespace: str) -> None:
    """A job that cannot be created because a key is taken leaves nothing, and the error names the key."""
    async with orders:
        redis.set(f"{namespace}job:orders:user_id:8", "mine")
        with pytest.raises(Exception, match="job:orders:user_id:8"):
            await orders.create_job(Order(user_id=8, tags=["left"]))
        assert await orders.get_jobs_by_key("tags", "left") == []
    assert redis.llen(f"{namespace}queue:price:waiting") == 0
