"""What a job carries: texts that middleware gives it at its creation, there in every queue and for all its children."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis
from typing_extensions import override

from flows import (
    AttemptNext,
    ChildJob,
    CreateNext,
    Creation,
    CurrentJob,
    Job,
    JobResult,
    Middleware,
    Retry,
    Verdict,
    current_job,
)
from flows.kernel.attempt_runner import ParentRunner
from flows.pipeline.around.carrying import carrying
from tests.pipeline.parts import (
    LONG,
    Add,
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
    price,
    ship,
    total,
    within,
)

MakeOrders = Callable[..., Orders]
MakeLists = Callable[..., Lists]


class Carrier(Middleware):
    """Give each job something to carry, and note what its attempts find."""

    def __init__(self, carried: Mapping[str, str]) -> None:
        self.carried = carried
        self.found: dict[str, list[tuple[Mapping[str, str], str | None]]] = {}

    @override
    async def create(self, creation: Creation, call_next: CreateNext) -> str:
        creation.carried.update(self.carried)
        return await call_next(creation)

    @override
    async def attempt(self, job: Job, current: CurrentJob, call_next: AttemptNext) -> JobResult | Verdict | None:
        self.found.setdefault(current.queue, []).append((dict(current.carried), current.correlation_id))
        return await call_next(job)


def in_process(_job: Ship) -> None:
    """Log what the process knows of its job."""
    current = current_job()
    current.log("seen", carried=dict(current.carried), correlation_id=current.correlation_id)


async def test_it_goes_through_every_queue(make_orders: MakeOrders, redis: Redis, namespace: str) -> None:
    """Each attempt finds it, that of a retried job and of a function in a process too."""
    carrier = Carrier({"traceparent": "00-1", "empty": ""})

    async def again(_job: Price) -> Priced | Verdict:
        return Priced(price=1) if current_job().attempt == 2 else Retry("once more", after=timedelta(0))

    orders = make_orders(middleware=[carrier])
    orders.create_workers(Price, again)
    orders.create_workers(Ship, in_process, executor="process")
    async with orders:
        job_id = await orders.create_job(Order(), correlation_id="c-7")
        assert (await within(orders.wait_for(job_id, LONG))).status == "done"
        (line,) = await orders.get_log(job_id)
    found = ({"traceparent": "00-1", "empty": ""}, "c-7")
    assert carrier.found == {"price": [found, found], "ship": [found]}
    assert (line.meta["carried"], line.meta["correlation_id"]) == found
    assert redis.hget(f"{namespace}job:orders:{job_id}", "_carried") == '{"traceparent":"00-1","empty":""}'


@pytest.mark.parametrize("named", ["by the root", "by the child"])
async def test_it_comes_to_grandchildren(make_lists: MakeLists, named: str) -> None:
    """Children get it when they are created, and theirs from them, whoever names them."""
    carrier = Carrier({"a": "b"})

    async def split(_job: Split) -> Empty:
        ones = [ChildJob(One, {"number": 1})] if named == "by the root" else []
        return Empty(children=[ChildJob(One, {"number": 0}), ChildJob(Many, {}, ones)])

    async def many(_job: Many) -> Empty:
        return Empty(children=[ChildJob(One, {"number": 1})])

    async def one(job: One) -> Value:
        return Value(value=job.number)

    lists = make_lists(middleware=[carrier])
    lists.create_workers(Split, split)
    lists.create_child_workers(Add, One, one)
    if named == "by the root":
        lists.create_parent_workers("add:many")
    else:
        lists.create_child_workers(Add, Many, many)
    lists.create_child_workers("add:many", One, one)  # type: ignore[type-var]
    lists.create_workers(Total, total)
    async with lists:
        job_id = await lists.create_job(Numbers(), correlation_id="c")
        assert (await within(lists.wait_for(job_id, LONG))).status == "done"
    queues = {"split", "add:one", "add:many:one", "total"} | ({"add:many"} if named == "by the child" else set())
    assert carrier.found == {queue: [({"a": "b"}, "c")] for queue in queues}


async def test_many_children_get_it(make_lists: MakeLists, redis: Redis, namespace: str) -> None:
    """Those too that are too many for one script, and are written in parts."""
    carrier = Carrier({"long": "x" * 4000})

    async def split(_job: Split) -> Empty:
        return Empty(children=[ChildJob(One, {"number": number}) for number in range(400)])

    lists = make_lists(middleware=[carrier])
    lists.create_workers(Split, split)
    async with lists:
        told = asyncio.create_task(lists.events.wait_for("job.fanned_out"))
        await asyncio.sleep(0)
        await lists.create_job(Numbers())
        await within(told)
    children = redis.lrange(f"{namespace}queue:add:one:waiting", 0, -1)
    texts = {redis.hget(f"{namespace}job:add:one:{child}", "_carried") for child in children}
    assert (len(children), texts) == (400, {'{"long":"' + "x" * 4000 + '"}'})


async def test_a_job_that_carries_nothing_has_no_field(make_orders: MakeOrders, redis: Redis, namespace: str) -> None:
    """Its attempts find nothing."""
    carrier = Carrier({})
    orders = make_orders(middleware=[carrier])
    async with staffed(orders):
        job_id = await orders.create_job(Order())
        assert (await within(orders.wait_for(job_id, LONG))).status == "done"
    assert carrier.found == {"price": [({}, None)], "ship": [({}, None)]}
    assert redis.hexists(f"{namespace}job:orders:{job_id}", "_carried") is False


def staffed(orders: Orders) -> Orders:
    """Give the flow its workers."""
    orders.create_workers(Price, price)
    orders.create_workers(Ship, ship)
    return orders


@pytest.mark.parametrize(
    "nonsense", [b"{", b"7", b'["a"]', b'{"a": 7}', b"\xff", b"", b'{"a": "' + b"x" * 5000 + b'"}', b'{"a": {}}']
)
async def test_nonsense_counts_as_nothing(
    make_orders: MakeOrders, redis_url: str, namespace: str, nonsense: bytes
) -> None:
    """A field that was edited by hand is in no job's way."""
    carrier = Carrier({"a": "b"})
    orders = make_orders(middleware=[carrier])
    job_id = await orders.create_job(Order())
    with Redis.from_url(redis_url) as client:
        client.hset(f"{namespace}job:orders:{job_id}", mapping={"_carried": nonsense})
    async with staffed(orders):
        assert (await within(orders.wait_for(job_id, LONG))).status == "done"
    assert carrier.found == {"price": [({}, None)], "ship": [({}, None)]}


async def test_children_get_no_nonsense(make_lists: MakeLists, redis: Redis, namespace: str) -> None:
    """What their parent's field was edited into stays there."""

    async def split(_job: Split) -> Empty:
        return Empty(children=[ChildJob(One, {"number": 1})])

    lists = make_lists(middleware=[Carrier({"a": "b"})])
    job_id = await lists.create_job(Numbers())
    redis.hset(f"{namespace}job:lists:{job_id}", "_carried", "nonsense")
    lists.create_workers(Split, split)
    told = asyncio.create_task(lists.events.wait_for("job.fanned_out"))
    await asyncio.sleep(0)
    async with lists:
        await within(told)
    (child,) = redis.lrange(f"{namespace}queue:add:one:waiting", 0, -1)
    assert redis.hget(f"{namespace}job:add:one:{child}", "_carried") is None


def test_without_middleware_claims_read_what_they_did() -> None:
    """The runner is the one of the queue, with its own fields."""
    runner = ParentRunner.__new__(ParentRunner)
    assert carrying(runner, []) is runner
    plan: Any = type("Plan", (), {"queue": "add"})()
    runner.__init__(plan)  # type: ignore[misc]
    assert carrying(runner, [Middleware()]).fields == ["children:add:params", "_carried"]
