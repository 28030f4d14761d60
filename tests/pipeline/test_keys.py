"""Jobs with keys, by `create_job` and plain callers: what it returns and raises, and what is there afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from redis import Redis
from typing_extensions import override

from flows import (
    CreateNext,
    Creation,
    Debounce,
    DeclarationWarning,
    DuplicateJob,
    IdempotencyConflict,
    JobExists,
    KeyConflict,
    Middleware,
    Retention,
    Unique,
    ValidationError,
)
from flows.testing import isolated
from tests.pipeline.parts import LONG, Order, Orders, Price, Priced, ship

MakeOrders = Callable[..., Orders]


async def price(job: Price) -> Priced:
    """Work off a job of the first queue."""
    return Priced(price=job.user_id)


def hashes(redis: Redis, namespace: str) -> int:
    """Return how many jobs there are."""
    return sum(1 for _key in redis.scan_iter(f"{namespace}job:*", _type="hash", count=1000))


async def test_one_job_for_an_idempotency_key(orders: Orders, redis: Redis, namespace: str) -> None:
    """The first id for the same params, an error with that id for others; once it has ended, too."""
    orders.create_workers(Price, price)
    orders.create_workers("ship", ship)
    async with orders:
        first = await orders.create_job(Order(user_id=7, tags=["a"]), idempotency_key="k")
        assert (await orders.wait_for(first, LONG)).status == "done"
        again = await orders.create_job(Order(user_id=7, tags=["a"]), idempotency_key="k", correlation_id="r", delay=60)
        assert again == first
        with pytest.raises(IdempotencyConflict, match="idempotency_key='k' and other params") as raised:
            await orders.create_job(Order(user_id=8, tags=["a"]), idempotency_key="k")
        assert raised.value.job_id == first
        assert hashes(redis, namespace) == 1
        assert await orders.delete_job(first)
        assert await orders.create_job(Order(user_id=8), idempotency_key="k") != first


async def test_a_hundred_calls_of_one_key_are_one_job(orders: Orders, redis: Redis, namespace: str) -> None:
    """All of them at the same time, of each kind."""
    calls = (orders.create_job(Order(user_id=7), idempotency_key="k") for _ in range(100))
    assert len(set(await asyncio.gather(*calls))) == 1
    calls = (orders.create_job(Order(user_id=number), debounce=Debounce("k", 60)) for number in range(100))
    assert len(set(await asyncio.gather(*calls))) == 1
    calls = (orders.create_job(Order(user_id=7), unique=Unique("k")) for _ in range(100))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    [created] = [answer for answer in answers if isinstance(answer, str)]
    assert {answer.job_id for answer in answers if isinstance(answer, JobExists)} == {created}
    assert hashes(redis, namespace) == 3
    await orders.stop_all()


async def test_a_unique_job_keeps_others_out_until_it_ends(orders: Orders) -> None:
    """By what ends it from outside, and by its own end."""
    first = await orders.create_job(Order(user_id=7), unique=Unique("k"), delay=60)
    with pytest.raises(DuplicateJob, match=f"job {first} has the unique key 'k', which still holds") as raised:
        await orders.create_job(Order(user_id=8), unique=Unique("k"))
    assert raised.value.job_id == first
    assert await orders.cancel_job(first) == "cancelled"
    second = await orders.create_job(Order(user_id=8), unique=Unique("k"))
    with pytest.raises(DuplicateJob) as raised:
        await orders.create_job(Order(user_id=8), unique=Unique("k", within=60))
    assert raised.value.job_id == second
    orders.create_workers(Price, price)
    orders.create_workers("ship", ship)
    async with orders:
        await orders.wait_for(second, LONG)
        third = await orders.create_job(Order(user_id=8), unique=Unique("k", until="started"))
        await orders.wait_for(third, LONG)
        await orders.create_job(Order(user_id=8), unique=Unique("k", until="started"))


async def test_debounced_calls_are_one_job_with_the_last_params(orders: Orders, redis_url: str) -> None:
    """Found by its last lookups alone, it starts once nobody has called for so long."""
    orders.create_workers(Price, price)
    orders.create_workers("ship", ship)
    async with isolated(orders, url=redis_url) as test:
        calm = Debounce("k", wait=30, longest=60)
        ids = set[str]()
        for number in range(5):
            ids.add(await orders.create_job(Order(user_id=number, tags=["a", str(number)]), debounce=calm))
            await test.travel(10)
        [job_id] = ids
        assert [record.id for record in await orders.get_jobs_by_key("user_id", 4)] == [job_id]
        assert [record.id for record in await orders.get_jobs_by_key("tags", "a")] == [job_id]
        assert await orders.get_jobs_by_key("tags", "3") == []
        assert (await test.drain()).delayed == 1
        await test.travel(15)
        await test.drain()
        record = await orders.get_job(job_id)
        assert record is not None
        assert (record.status, record.params.user_id) == ("done", 4)
        assert await orders.create_job(Order(user_id=9), debounce=calm) != job_id


async def test_nothing_is_sent_where_something_is_refused(
    make_orders: MakeOrders, redis: Redis, namespace: str
) -> None:
    """Keys that cannot be, several of them, many jobs, and a flow that would forget its jobs too early."""
    with pytest.warns(DeclarationWarning, match="a call that is sent again"):
        orders = make_orders(retention=5)
    for options in ({"idempotency_key": "k"}, {"unique": Unique("k")}, {"debounce": Debounce("k", 5)}):
        with pytest.raises(ValidationError, match="retention=5 s may forget it before"):
            await orders.create_job(Order(), **options)  # type: ignore[arg-type]
        with pytest.raises(ValidationError, match="a key is of one job"):
            await orders.create_jobs([Order()], **options)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="is empty"):
        await orders.create_job(Order(), idempotency_key="")
    orders = make_orders(retention=Retention(done=60))
    with pytest.raises(ValidationError, match="within=61 s is longer than the flow keeps a job, 60 s"):
        await orders.create_job(Order(), unique=Unique("k", within=61))
    assert [*redis.scan_iter(f"{namespace}*")] == []


@pytest.mark.parametrize("key", ["a b", "é:", "#key:x", "line\nfeed", "\ud800", "x" * 200, "job:1"])
async def test_any_text_is_a_key(orders: Orders, redis: Redis, namespace: str, key: str) -> None:
    """As lookup values: what cannot stand in a key of Redis stands as its digest."""
    first = await orders.create_job(Order(), idempotency_key=key)
    assert await orders.create_job(Order(), idempotency_key=key) == first
    assert await orders.create_job(Order(), idempotency_key=key[:-1] + "z") != first
    lists = [name.removeprefix(f"{namespace}job:orders:#key:") for name in redis.scan_iter(f"{namespace}job:orders:#*")]
    assert len(lists) == 2
    assert all("\n" not in name for name in lists)
    await orders.stop_all()


async def test_a_key_of_something_else_is_named(orders: Orders, redis: Redis, namespace: str) -> None:
    """As any lookup list that is none."""
    key = f"{namespace}job:orders:#unique:k"
    redis.set(key, "theirs")
    with pytest.raises(KeyConflict, match=f"{key} holds a string"):
        await orders.create_job(Order(), unique=Unique("k"))
    assert hashes(redis, namespace) == 0
    await orders.stop_all()


async def test_keys_are_no_lookups(orders: Orders) -> None:
    """They are not searched by."""
    await orders.create_job(Order(), idempotency_key="k")
    with pytest.raises(ValidationError):
        await orders.get_jobs_by_key("#key", "k")  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        orders.jobs.where("#key", "k")  # type: ignore[arg-type]
    await orders.stop_all()


def test_plain_callers_have_keys(orders: Orders) -> None:
    """`flow.sync` returns and raises the same."""
    first = orders.sync.create_job(Order(user_id=1), idempotency_key="k")
    assert orders.sync.create_job(Order(user_id=1), idempotency_key="k") == first
    with pytest.raises(IdempotencyConflict):
        orders.sync.create_job(Order(user_id=2), idempotency_key="k")
    calm = Debounce("k", 60)
    assert len({orders.sync.create_job(Order(user_id=number), debounce=calm) for number in range(3)}) == 1
    unique = orders.sync.create_job(Order(), unique=Unique("k"))
    with pytest.raises(DuplicateJob) as raised:
        orders.sync.create_job(Order(), unique=Unique("k"))
    assert raised.value.job_id == unique
    orders.sync.close()


async def test_middleware_sees_what_came_of_a_call(make_orders: MakeOrders) -> None:
    """The id of the job that is there, the error, and the params that it has changed are those that are compared."""
    seen: list[str] = []

    class Noting(Middleware):
        @override
        async def create(self, creation: Creation, call_next: CreateNext) -> str:
            creation.carried["trace"] = str(len(seen))
            try:
                job_id = await call_next(replace(creation, params=Order(user_id=5)))
            except JobExists as error:
                seen.append(f"refused {error.job_id}")
                raise
            seen.append(job_id)
            return job_id

    async with make_orders(middleware=[Noting()]) as orders:
        first = await orders.create_job(Order(user_id=1), idempotency_key="k")
        assert await orders.create_job(Order(user_id=2), idempotency_key="k", delay=5) == first
        unique = await orders.create_job(Order(), unique=Unique("k"))
        with pytest.raises(DuplicateJob):
            await orders.create_job(Order(), unique=Unique("k"))
        calm = await orders.create_job(Order(), debounce=Debounce("k", 60))
        assert await orders.create_job(Order(), debounce=Debounce("k", 60)) == calm
    assert seen == [first, first, unique, f"refused {unique}", calm, calm]
