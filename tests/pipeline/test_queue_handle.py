"""`flow.queue(…)` and `flow.states()`: what queues hold, and waiting until one is drained."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from flows import DeclarationError, FlowsError, Job, WaitTimeout
from flows.model.explain.queue_state import QueueState
from tests.pipeline.parts import LONG, Lists, Numbers, One, Order, Orders, Price, Priced, Ship, price, ship, staff


def test_a_queue_is_named_by_its_class_or_its_name(orders: Orders, make_lists: Callable[..., Lists]) -> None:
    """An unknown one is refused by an error that names those there are; a class may stand for one queue only."""
    assert orders.queue(Price).name == orders.queue("price").name == "price"
    assert repr(orders.queue(Ship)) == "<QueueHandle ship of orders>"
    for unknown in ("prize", Job, None, 5):
        with pytest.raises(DeclarationError, match=r"has no queue .*; it has price, ship"):
            orders.queue(unknown)  # type: ignore[arg-type]
    with pytest.raises(DeclarationError, match="One is the job class of several queues: name one of add:one, add:many"):
        make_lists().queue(One)
    assert make_lists().queue("add:many:one").name == "add:many:one"


async def test_the_state_of_a_queue_says_what_is_in_it(orders: Orders, redis: Redis, namespace: str) -> None:
    """What waits and for how long, what is delayed and until when; a queue that was never used holds nothing."""
    await orders.create_jobs(Order(user_id=number) for number in range(3))
    due = datetime(2099, 1, 1, tzinfo=UTC)
    redis.zadd(f"{namespace}queue:price:delayed", {"a": due.timestamp() * 1000})
    redis.hset(f"{namespace}queue:price:meta", mapping={"stale": 1, "finish": 7, "fail": "nonsense"})
    state = await orders.queue(Price).state()
    assert (state.queue, state.waiting, state.delayed, state.next_due, state.idle) == ("price", 2, 1, due, False)
    assert state.oldest_age is not None
    assert timedelta() <= state.oldest_age < timedelta(seconds=LONG)
    assert state.counts == {"finish": 7}
    states = await orders.states()
    assert [*states] == ["price", "ship"]
    assert states["ship"] == QueueState("ship", states["ship"].at, counts=states["ship"].counts)
    assert states["ship"].idle
    assert abs(states["ship"].at - datetime.now(UTC)) < timedelta(seconds=LONG)


async def test_states_have_child_queues_too(lists: Lists) -> None:
    """By their full names."""
    staff(lists)
    async with lists:
        job_id = await lists.create_job(Numbers(numbers=[1, 2]))
        await lists.wait_for(job_id, LONG)
        assert [*await lists.states()] == ["split", "add", "add:one", "add:many", "add:many:one", "total"]


async def test_edited_fields_of_a_pause_are_no_error(orders: Orders, redis: Redis, namespace: str) -> None:
    """Nonsense is no pause; one that is over neither."""
    await orders.states()
    for text, paused in (("inf", True), ("9" * 16, True), ("1", False), ("0", False), ("", False), ("x", False)):
        redis.hset(f"{namespace}queue:price:meta", mapping={"paused": text, "paused_at": "y", "paused_note": "n"})
        state = await orders.queue("price").state()
        assert (state.paused, state.paused_at, state.note) == (paused, None, "n" if paused else "")
        assert (state.paused_until is not None) == (len(text) == 16)


async def test_a_key_that_holds_something_else_is_named(orders: Orders, redis: Redis, namespace: str) -> None:
    """Nothing is known of that place, and everything of the others and of other queues."""
    await orders.create_job(Order(user_id=1))
    for key in ("queue:price:processing", "queue:price:meta", "flows:ended:price:failed"):
        redis.delete(f"{namespace}{key}")
        redis.set(f"{namespace}{key}", "not ours")
    states = await orders.states()
    assert (states["price"].waiting, states["price"].failed, states["price"].counts) == (1, 0, {})
    assert states["price"].unreadable == ("processing", "failed", "counts")
    assert states["ship"].unreadable == ()
    await orders.stop_all()


async def test_drain_waits_until_all_jobs_have_left(orders: Orders) -> None:
    """Those that wait and those that run; a delayed one comes later."""
    running, go = asyncio.Event(), asyncio.Event()

    async def slow(job: Price) -> Priced:
        running.set()
        await go.wait()
        return await price(job)

    await orders.create_jobs([Order(user_id=1), Order(user_id=2)])
    await orders.create_job(Order(user_id=3), delay=timedelta(hours=1))
    orders.create_workers(Price, slow)
    orders.create_workers(Ship, ship)
    async with orders:
        await running.wait()
        drained = asyncio.create_task(orders.queue(Price).drain(LONG))
        with pytest.raises(WaitTimeout, match=r"'price' is not drained after 0.05 s: 1 wait, 1 run, 0 await"):
            await orders.queue(Price).drain(0.05)
        assert not drained.done()
        go.set()
        await drained
        state = await orders.queue(Price).state()
        assert (state.waiting, state.processing, state.delayed) == (0, 0, 1)


async def test_drain_refuses_what_is_no_time(orders: Orders) -> None:
    """Before anything is sent."""
    for timeout in (float("nan"), "1", None):
        wrong: Any = timeout
        with pytest.raises(FlowsError, match="timeout"):
            await orders.queue(Price).drain(wrong)


async def test_drain_says_that_nobody_serves_the_queue(orders: Orders) -> None:
    """So that whoever waits for it knows why it takes so long."""
    await orders.create_job(Order(user_id=1))
    with pytest.raises(WaitTimeout, match="and no process has workers of it"):
        await orders.queue(Price).drain(0)


def test_plain_callers_have_the_same(orders: Orders) -> None:
    """And are told what to write where it would block a loop."""
    orders.sync.create_job(Order(user_id=1))
    handle = orders.sync.queue(Price)
    assert (handle.name, handle.state().waiting) == ("price", 1)
    assert orders.sync.states()["price"].waiting == 1
    assert orders.sync.queue("ship").drain(1) is None
    with pytest.raises(DeclarationError, match="it has price, ship"):
        orders.sync.queue("prize")

    async def inside() -> None:
        with pytest.raises(FlowsError, match=r"await flow\.queue\('price'\)\.state\(\)"):
            handle.state()

    asyncio.run(inside())
    orders.sync.close()
