"""Middleware around creations: it sees each job that is to be created, and may change it, refuse it or let it be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis
from typing_extensions import override

from flows import CreateNext, Creation, DeclarationError, Middleware, PayloadTooLarge, ValidationError
from flows.pipeline.job_actions import JobActions
from flows.store.client.connection import Connection
from tests.pipeline.parts import Order, Orders

MakeOrders = Callable[..., Orders]

said: ContextVar[str] = ContextVar("said", default="nothing")


class Noting(Middleware):
    """Note when a creation begins and ends, in which context, and what it brings."""

    def __init__(self, name: str, notes: list[str]) -> None:
        self.name = name
        self.notes = notes

    @override
    async def create(self, creation: Creation, call_next: CreateNext) -> str:
        self.notes.append(f"{self.name} begins {creation.flow} {creation.queue} {said.get()}")
        job_id = await call_next(creation)
        self.notes.append(f"{self.name} ends {job_id}")
        return job_id


async def test_the_first_is_the_outermost(make_orders: MakeOrders) -> None:
    """They nest in their order, and go around each job of `create_job` and `create_jobs`."""
    notes: list[str] = []
    orders = make_orders(middleware=[Noting("outer", notes), Middleware(), Noting("inner", notes)])
    async with orders:
        ids = [await orders.create_job(Order()), *await orders.create_jobs([Order(user_id=1), Order(user_id=2)])]
        records = await orders.get_jobs(ids)
    assert [record.params.user_id for record in records if record] == [0, 1, 2]
    begun = "begins orders price nothing"
    assert notes == [
        note
        for job_id in ids
        for note in (f"outer {begun}", f"inner {begun}", f"inner ends {job_id}", f"outer ends {job_id}")
    ]


def test_plain_callers_go_through_it(make_orders: MakeOrders) -> None:
    """`flow.sync` creates by the same middleware, in the context of its caller."""
    notes: list[str] = []
    orders = make_orders(middleware=[Noting("only", notes)])
    token = said.set("a thread's")
    try:
        ids = [orders.sync.create_job(Order()), *orders.sync.create_jobs([Order()])]
    finally:
        said.reset(token)
        orders.sync.close()
    begun = "only begins orders price a thread's"
    assert notes == [note for job_id in ids for note in (begun, f"only ends {job_id}")]


async def test_a_job_can_be_changed_before_it_is_created(make_orders: MakeOrders, redis: Redis, namespace: str) -> None:
    """Other params are looked up by their own values; a correlation id is set, and given ones are seen."""
    seen: list[str | None] = []

    class Changing(Middleware):
        @override
        async def create(self, creation: Creation, call_next: CreateNext) -> str:
            seen.append(creation.correlation_id)
            return await call_next(replace(creation, params=Order(user_id=9), correlation_id="mine"))

    async with make_orders(middleware=[Changing()]) as orders:
        job_id = await orders.create_job(Order(user_id=1), correlation_id="yours")
        (record,) = await orders.get_jobs_by_key("user_id", 9)
        assert await orders.get_jobs_by_key("user_id", 1) == []
    assert (record.id, record.params, seen) == (job_id, Order(user_id=9), ["yours"])
    assert redis.hget(f"{namespace}job:orders:{job_id}", "_correlation_id") == '"mine"'


async def test_what_create_jobs_writes_comes_later(make_orders: MakeOrders, redis: Redis, namespace: str) -> None:
    """There the end of the chain only prepares the job, so that no job waits for a round trip of its own."""
    written: list[bool] = []

    class Looking(Middleware):
        @override
        async def create(self, creation: Creation, call_next: CreateNext) -> str:
            job_id = await call_next(creation)
            written.append(bool(redis.exists(f"{namespace}job:orders:{job_id}")))
            return job_id

    async with make_orders(middleware=[Looking()]) as orders:
        await orders.create_job(Order())
        ids = await orders.create_jobs([Order(), Order()])
    assert written == [True, False, False]
    assert redis.exists(*(f"{namespace}job:orders:{job_id}" for job_id in ids)) == 2


async def test_many_jobs_are_written_in_parts(make_orders: MakeOrders, redis: Redis, namespace: str) -> None:
    """Not one by one, and not all at once; in order, each job once."""
    waiting: list[int] = []

    def many() -> Iterator[Order]:
        for _ in range(300):
            waiting.append(redis.llen(f"{namespace}queue:price:waiting"))
            yield Order(tags=["x" * 1000])

    async with make_orders(middleware=[Noting("n", [])]) as orders:
        ids = await orders.create_jobs(many())
    assert 2 < len(set(waiting)) < 30
    assert redis.lrange(f"{namespace}queue:price:waiting", 0, -1) == ids


class Saying(Middleware):
    """Return or raise something instead of going on."""

    def __init__(self, what: object) -> None:
        self.what = what

    @override
    async def create(self, creation: Creation, call_next: CreateNext) -> Any:
        if isinstance(self.what, Exception):
            raise self.what
        return self.what


async def test_it_can_create_nothing(make_orders: MakeOrders, redis: Redis, namespace: str) -> None:
    """What it returns or raises is what `create_job` does, and no job is written."""
    async with make_orders(middleware=[Saying("another's id")]) as orders:
        assert await orders.create_job(Order()) == "another's id"
        assert await orders.create_jobs([Order(), Order()]) == ["another's id"] * 2
    async with make_orders(middleware=[Saying(LookupError("not now"))]) as orders:
        with pytest.raises(LookupError, match="not now"):
            await orders.create_job(Order())
        with pytest.raises(LookupError, match="not now"):
            await orders.create_jobs([Order()])
    async with make_orders(middleware=[Saying(7)]) as orders:
        with pytest.raises(DeclarationError, match=r"Saying\.create returned a int: return the id"):
            await orders.create_job(Order())
    assert list(redis.scan_iter(f"{namespace}job:*")) == []


class Giving(Middleware):
    """Let each job carry something, or have other params."""

    def __init__(self, carried: Any = None, params: Any = None) -> None:
        self.carried = carried
        self.params = params

    @override
    async def create(self, creation: Creation, call_next: CreateNext) -> str:
        creation.carried = {} if self.carried is None else self.carried
        return await call_next(creation if self.params is None else replace(creation, params=self.params))


@pytest.mark.parametrize(
    ("middleware", "error"),
    [
        (Giving({"big": "x" * 5000}), PayloadTooLarge("carries \\(big\\) takes 5,010 bytes, over 4,096")),
        (Giving({"number": 7}), ValidationError("carried\\['number'\\] = 7: what a job carries are texts")),
        (Giving({7: "text"}), ValidationError("what a job carries are texts, by names")),
        (Giving(["text"]), ValidationError("give a dict of texts")),
        (Giving({"half": "\ud800"}), ValidationError("carried")),
        (Giving(params=Saying(7)), ValidationError("takes a Order, not Saying")),
    ],
)
async def test_what_cannot_be_created_is_refused(
    make_orders: MakeOrders, redis: Redis, namespace: str, middleware: Middleware, error: Exception
) -> None:
    """Nothing is written then."""
    async with make_orders(middleware=[middleware]) as orders:
        with pytest.raises(type(error), match=str(error)):
            await orders.create_job(Order())
        with pytest.raises(type(error), match=str(error)):
            await orders.create_jobs([Order()])
    assert list(redis.scan_iter(f"{namespace}job:*")) == []


async def test_params_are_checked_before_middleware_sees_them(make_orders: MakeOrders) -> None:
    """So a middleware has only to do with what its flow takes."""
    notes: list[str] = []
    async with make_orders(middleware=[Noting("n", notes)]) as orders:
        with pytest.raises(ValidationError, match="takes a Order, not int"):
            await orders.create_job(7)  # type: ignore[arg-type]
        with pytest.raises(ValidationError, match="takes many Order"):
            await orders.create_jobs(Order())  # type: ignore[arg-type]
        with pytest.raises(ValidationError, match="correlation_id"):
            await orders.create_job(Order(), correlation_id=7)  # type: ignore[arg-type]
    assert notes == []


async def test_without_it_creation_is_the_same(make_orders: MakeOrders, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flows whose middleware wants no creations create by the same code, and what carries nothing by the same bytes."""
    sent: list[bytes] = []
    packed = Connection.packed

    async def recording(self: Connection, data: bytes, replies: int) -> list[Any]:
        sent.append(data)
        return await packed(self, data, replies)

    monkeypatch.setattr(Connection, "packed", recording)
    written: list[bytes] = []
    for middleware in ([], [Middleware()], [Noting("n", [])]):
        orders = make_orders(middleware=middleware)
        assert (type(orders._actions) is JobActions) is (not any(isinstance(one, Noting) for one in middleware))
        async with orders:
            sent.clear()
            ids = [await orders.create_job(Order(user_id=7, tags=["a"]), correlation_id="c"), *await two(orders)]
            data = b"|".join(sent)
        for at, job_id in enumerate(ids):
            data = data.replace(job_id.encode(), b"id %d" % at)
        written.append(data)
    assert b"id 2" in written[0]
    assert written == [written[0]] * 3


async def two(orders: Orders) -> list[str]:
    """Create two jobs at once."""
    return await orders.create_jobs([Order(), Order(user_id=1)])


async def test_calls_at_the_same_time_do_not_meet(make_orders: MakeOrders) -> None:
    """Each call of `create_jobs` writes its own jobs."""

    class Pausing(Middleware):
        @override
        async def create(self, creation: Creation, call_next: CreateNext) -> str:
            await asyncio.sleep(0)
            return await call_next(creation)

    async with make_orders(middleware=[Pausing()]) as orders:
        many = await asyncio.gather(*(orders.create_jobs([Order(user_id=of)] * 3) for of in range(3)))
        for of, ids in enumerate(many):
            found = await orders.get_jobs(ids)
            assert [record.params.user_id for record in found if record] == [of] * 3


async def test_delayed_jobs_go_through_it(make_orders: MakeOrders, redis: Redis, namespace: str) -> None:
    """They are delayed, and carry what they are given."""
    async with make_orders(middleware=[Giving({"a": "b"})]) as orders:
        ids = [await orders.create_job(Order(), delay=3600), *await orders.create_jobs([Order()] * 2, delay=3600)]
    assert set(redis.zrange(f"{namespace}queue:price:delayed", 0, -1)) == set(ids)
    assert [redis.hget(f"{namespace}job:orders:{job_id}", "_carried") for job_id in ids] == ['{"a":"b"}'] * 3
