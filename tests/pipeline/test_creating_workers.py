"""Workers: how they are created, when they start, and which of them come by themselves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flows import DeclarationError, StoreUnavailable
from flows.kernel.session import Session
from tests.pipeline.parts import (
    LONG,
    Add,
    Added,
    ListFlow,
    Lists,
    Many,
    Numbers,
    One,
    Order,
    Orders,
    Price,
    Ship,
    Shipped,
    Split,
    Total,
    Value,
    list_flow,
    one,
    order_flow,
    price,
    ship,
    split,
    total,
    within,
)
from tests.waiting import until


@pytest.fixture
def orders(redis_url: str, namespace: str) -> Orders:
    """Return a flow of two queues without workers."""
    return order_flow(redis_url, namespace)


@pytest.fixture
def lists(redis_url: str, namespace: str) -> Lists:
    """Return a flow with a parent queue without workers."""
    return list_flow(redis_url, namespace)


def statuses(flow: Any) -> dict[str, list[str]]:
    """Return what the workers of each queue are doing."""
    found: dict[str, list[str]] = {}
    for worker in flow.workers:
        found.setdefault(worker.queue, []).append(worker.status)
    return found


async def test_workers_that_are_created_late_start_by_themselves(orders: Orders) -> None:
    """On a flow that runs, a worker starts as soon as it is created: from the loop, and from a thread."""
    orders.create_workers(Price, price)
    async with orders:
        job_id = await orders.create_job(Order(user_id=3))
        await asyncio.to_thread(orders.create_workers, Ship, ship, 2)
        assert (await within(orders.wait_for(job_id, LONG))).view(Shipped).parcel == "3 for 30"
        orders.create_workers(Price, price)
        await until(lambda: statuses(orders) == {"price": ["running"] * 2, "ship": ["running"] * 2})
    assert statuses(orders) == {"price": ["stopped"] * 2, "ship": ["stopped"] * 2}
    orders.create_workers(Price, price)
    await asyncio.sleep(0.01)
    assert statuses(orders)["price"] == ["stopped"] * 3


async def test_a_flow_that_only_connected_starts_nothing(orders: Orders) -> None:
    """A producer's process: workers that are created there wait for a start."""
    await orders.create_job(Order(user_id=1))
    orders.create_workers(Price, price)
    await asyncio.sleep(0.01)
    assert statuses(orders) == {"price": ["stopped"]}
    await orders.stop_all()


async def test_a_late_worker_that_cannot_start_is_tried_again(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server has no room just now: that is told, and the worker starts when there is."""
    monkeypatch.setattr("flows.kernel.program.worker_pool._PAUSE", 0.01)
    serve, failures = Session.serve, [StoreUnavailable("full"), StoreUnavailable("full")]

    async def failing(session: Session) -> None:
        if failures:
            raise failures.pop()
        await serve(session)

    monkeypatch.setattr(Session, "serve", failing)
    async with orders:
        told = asyncio.create_task(orders.events.wait_for("store.unavailable", queue="price"))
        orders.create_workers(Price, price)
        await within(told)
        await until(lambda: statuses(orders) == {"price": ["running"]})


async def test_a_flow_that_is_stopped_at_once_starts_no_late_worker(orders: Orders) -> None:
    """The stop wins, whichever of the two has come first."""
    for _ in range(3):
        await orders.start_all()
        orders.create_workers(Price, price)
        await orders.stop_all()
        await asyncio.sleep(0.01)
        assert set(statuses(orders)["price"]) == {"stopped"}


async def test_parent_workers_come_by_themselves(lists: Lists) -> None:
    """A process with workers of any queue has one of each parent queue too, and no second one by a second start."""
    lists.create_workers(Split, split)
    lists.create_workers(Total, total)
    lists.create_child_workers(Add, One, one)
    for _ in range(2):
        async with lists:
            assert statuses(lists) == {queue: ["running"] for queue in ("split", "total", "add:one", "add")}
            job_id = await lists.create_job(Numbers(numbers=[1, 2, 4]))
            assert (await within(lists.wait_for(job_id, LONG))).view(Added).total == 7


async def test_parent_workers_come_with_the_first_late_worker(lists: Lists) -> None:
    """A flow that was started without workers gets them when it gets workers."""
    async with lists:
        assert statuses(lists) == {}
        lists.create_child_workers(Add, One, one)
        await until(lambda: statuses(lists) == {"add:one": ["running"], "add": ["running"]})


async def test_parent_workers_that_were_created_stay_the_only_ones(lists: Lists) -> None:
    """Who creates them decides how many there are."""
    lists.create_parent_workers(Add, 2, concurrency=3)
    lists.create_workers(Split, split)
    async with lists:
        assert statuses(lists) == {"add": ["running"] * 2, "split": ["running"]}
        assert {worker.concurrency for worker in lists.workers if worker.queue == "add"} == {3}


async def test_a_producer_has_no_parent_worker(lists: Lists) -> None:
    """A process that only creates jobs takes none."""
    async with lists:
        job_id = await lists.create_job(Numbers(numbers=[1]))
        assert lists.workers == []
        record = await lists.get_job(job_id)
        assert record is not None
        assert record.status == "waiting"


async def test_a_child_queue_with_children_has_no_worker_by_itself(lists: Lists) -> None:
    """Its children may be named by a function, which another process may have."""
    lists.create_child_workers(Add, Many, lambda _job: None)
    async with lists:
        assert sorted(statuses(lists)) == ["add", "add:many"]


async def test_decorated_functions(lists: Lists) -> None:
    """A decorator creates the workers that `create_workers` would, and returns the function itself."""
    assert lists.worker(Split, count=2, concurrency=3)(split) is split
    assert lists.worker("total")(total) is total

    @lists.child_worker(Add, One, concurrency=8)
    async def value(job: One) -> Value:
        """Return the number."""
        return Value(value=job.number)

    assert (await value(One(number=5))).value == 5
    made = [(worker.queue, worker.concurrency) for worker in lists.workers]
    assert made == [("split", 3), ("split", 3), ("total", 1), ("add:one", 8)]
    async with lists:
        job_id = await lists.create_job(Numbers(numbers=[1, 2]))
        assert (await within(lists.wait_for(job_id, LONG))).view(Added).total == 3


def test_decorators_are_refused_before_they_decorate(lists: ListFlow) -> None:
    """What cannot work is refused where the queue is named, and the function where it is decorated."""
    for wrong, why in (
        (lambda: lists.worker("nothing"), "has no queue 'nothing'"),
        (lambda: lists.worker(Add), "is a parent queue"),
        (lambda: lists.worker(split), "write @flow.worker"),  # type: ignore[arg-type]
        (lambda: lists.worker(Split, concurrency=0), "concurrency=0"),
        (lambda: lists.child_worker(Add, "nothing"), "has no queue for nothing"),
        (lambda: lists.worker(Split)(one), "takes a One"),  # type: ignore[type-var]
        (lambda: lists.worker(Split, executor="process")(split), "is async"),
    ):
        with pytest.raises(DeclarationError, match=why):
            wrong()
    assert lists.workers == []
