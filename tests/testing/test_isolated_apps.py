"""`flows.testing.isolated` with apps of workflows: draining, asserting, travelling and faults, beside flows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from redis import Redis

from flows import Every, Flow, FlowOptions, FlowsError, Job, QueueOptions, Retries, Step, WaitTimeout, Workflows
from flows.testing import isolated
from tests.workflow.parts import Order, within

DAY = timedelta(days=1)


@dataclass
class Parcel:
    """Another input."""

    weight: int


class Given(BaseModel):
    """What a job is created with."""

    number: int


class Shop:
    """An app whose server nobody may ever ask, and what its steps have done."""

    def __init__(self) -> None:
        self.app = Workflows("shop", redis_url="redis://production.invalid:6379")
        self.done: list[str] = []
        app, paid = self.app, self.app.event("paid", int)

        @app.define("ship", max_concurrency=None)
        async def ship(parcel: Parcel, step: Step) -> int:
            return await step.run("weigh", self.weigh, parcel.weight)

        @app.define("order", max_concurrency=None, retries=Retries(2, backoff=3600, jitter=False))
        async def order(order: Order, step: Step) -> int:
            await step.run("note", self.note, f"order {order.id}")
            await step.sleep("a day", DAY)
            if order.id == "13" and step.attempt == 1:
                raise ValueError("once more")
            cents = await step.wait_for_event("paid", paid, key=order.id)
            return cents + await step.run_workflow("ship", ship, Parcel(order.cents))

        @app.define("report", cron=Every(timedelta(hours=12)))
        async def report(step: Step) -> None:
            await step.run("note", self.note, "report")

        self.paid, self.ship, self.order = paid, ship, order
        app.create_workers()

    async def note(self, what: str) -> None:
        """Be a step."""
        self.done.append(what)

    def weigh(self, weight: int) -> int:
        """Be a step in a thread."""
        self.done.append(f"ships {weight}")
        return weight


@pytest.fixture
def shop() -> Shop:
    """Declare the app anew for each test."""
    return Shop()


@pytest.fixture
def keys(redis: Redis) -> Iterator[set[str]]:
    """Give what was on the server before, and see that the test has left nothing."""
    before = set(redis.scan_iter("test-*"))
    yield before
    assert set(redis.scan_iter("test-*")) == before


@pytest.mark.usefixtures("keys")
async def test_runs_are_drained_asserted_and_travelled(shop: Shop, redis_url: str) -> None:
    """Children count; what sleeps is delayed until the clock has come there; schedules fire by the same clock."""
    async with isolated(shop.app, url=redis_url) as test:
        first, second = await shop.order.run_many([Order(id="1", cents=5), Order(id="13", cents=7)])
        await test.assert_enqueued(Order, id="1", count=1)
        await test.assert_enqueued(shop.order, count=2)
        await test.assert_enqueued(Parcel, count=0)
        drained = await test.drain()
        assert (drained.done, drained.failed, drained.delayed) == (0, 0, 2)
        assert sorted(shop.done) == ["order 1", "order 13"]
        await test.assert_enqueued(shop.order, id="13", delayed_until=test.now() + DAY)
        await test.travel(DAY)
        assert (await test.drain()).done == 1  # the report, once for all the slots between
        assert shop.done[2:] == ["report"]
        assert (await shop.paid.send(1, key="1"), await first.status()) == (1, "waiting")
        assert (await test.drain()).done == 2
        assert await within(first.result()) == 6
        await test.travel(3600)  # the retry
        await shop.paid.send(2, key="13")
        drained = await test.drain()
        assert await within(second.result()) == 9
        again = shop.done[3:].count("report")  # a slot of the report stands at noon and at midnight
        assert (drained.done, again <= 1) == (2 + again, True)
        assert sorted({*shop.done[3:]} - {"report"}) == ["ships 5", "ships 7"]
        assert {worker.status for worker in shop.app._pool.workers} == {"stopped"}
    with pytest.raises(FlowsError, match=r"production\.invalid"):
        await shop.order.run(Order(id="2"))


async def test_a_lost_worker_repeats_what_was_not_recorded(shop: Shop, redis_url: str) -> None:
    """As if its process had died: the run is left, and taken back when the clock is past its lease."""
    async with isolated(shop.app, url=redis_url) as test:
        handle = await shop.ship.run(Parcel(3))
        with test.fault("after-user-code", "lose"):
            assert (await test.drain()).lost == 1
        await test.travel(60)
        assert (await test.drain()).done == 1
        assert await within(handle.result()) == 3
        assert shop.done == ["ships 3"]


async def test_an_app_and_a_flow_share_a_test(shop: Shop, redis_url: str) -> None:
    """Runs that a job starts are drained with it; plain callers meet the same namespace, also after a travel."""

    class Start(Job):
        number: int

    flow = Flow[Start, Given](FlowOptions(name="starting", queues=[QueueOptions("start", job=Start)]))

    async def start(job: Start) -> None:
        await shop.ship.run(Parcel(job.number))

    flow.create_workers(Start, start)
    async with isolated(flow, shop.app, url=redis_url) as test:
        await flow.create_job(Given(number=4))
        await test.assert_enqueued(Given, number=4, count=1)
        assert (await test.drain()).done == 2
        await shop.app.start()
        await test.travel(DAY)  # what ran goes on to run
        assert "running" in {worker.status for worker in shop.app._pool.workers}
        handle = await asyncio.to_thread(shop.app.blocking.run, shop.ship, Parcel(8))
        assert await asyncio.to_thread(handle.result, 30) == 8
    assert [one for one in shop.done if one != "report"] == ["ships 4", "ships 8"]


async def test_what_cannot_be_isolated_is_refused(shop: Shop, redis_url: str) -> None:
    """What is neither, an app that is open here, fields that an input has not; and what never ends is told."""
    wrong: Any = shop.order
    with pytest.raises(FlowsError, match="give flows, services, and apps of workflows and of trees"):
        async with isolated(wrong, url=redis_url):
            pass
    idle = Workflows("idle")

    @idle.define("lonely")
    async def lonely(step: Step) -> int:
        return step.attempt

    async with isolated(shop.app, idle, url=redis_url) as test:
        with pytest.raises(ValueError, match="Parcel has no field size"):
            await test.assert_enqueued(Parcel, size=1)
        with pytest.raises(ValueError, match="order has no field size"):
            await test.assert_enqueued(shop.order, size=1)
        with pytest.raises(AssertionError, match=r"at least one ship\(weight=1\) should be enqueued, and none is"):
            await test.assert_enqueued(shop.ship, weight=1)
        await shop.app.start()
        with pytest.raises(FlowsError, match="stop"):
            async with isolated(shop.app, url=redis_url):
                pass
        await lonely.run()
        with pytest.raises(WaitTimeout, match="1 wait in 'lonely', which has no worker"):
            await test.drain(0.2)
