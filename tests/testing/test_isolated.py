"""`flows.testing.isolated`: a namespace and a clock for one test, draining, asserting and faults, on a real server."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Literal

import pytest
from pydantic import BaseModel
from redis import Redis

from flows import (
    ChildJob,
    Flow,
    FlowOptions,
    FlowsError,
    Job,
    JobResult,
    QueueOptions,
    Retries,
    Retry,
    Snooze,
    WaitTimeout,
)
from flows.config import Server
from flows.testing import InjectedFault, Isolated, isolated
from flows.testing.programs import program_of
from tests.scale import SCALE, scaled


class Order(BaseModel):
    """What a job is created with."""

    user: int
    parts: int = 0


class Take(Job):
    """The first queue's job."""

    user: int
    parts: int


class Taken(JobResult):
    """Its result."""

    taken: bool = True


class Split(Job):
    """The parent queue's job."""


class Part(Job):
    """A child."""

    number: int


class Send(Job):
    """The last queue's job."""

    user: int
    attempt_seen: int = 0


OrderFlow = Flow[Take | Split | Send, Order, Literal["user"]]


def orders() -> OrderFlow:
    """Declare a flow with a parent queue; its workers do next to nothing."""
    flow = OrderFlow(
        FlowOptions(
            name="orders",
            lookup_attributes=["user"],
            redis_url="redis://production.invalid:6379",  # nobody may ever ask there
            queues=[
                QueueOptions("take", job=Take, next_queue="split", retries=Retries(max_attempts=2)),
                QueueOptions("split", job=Split, next_queue="send", children=[QueueOptions("part", job=Part)]),
                QueueOptions("send", job=Send),
            ],
        )
    )

    async def take(job: Take) -> Taken:
        return Taken(children=[ChildJob(Part, {"number": number}) for number in range(job.parts)])

    async def part(_job: Part) -> None:
        pass

    async def send(job: Send) -> None:
        if job.user == 13:
            raise ValueError("nobody sends to 13")

    flow.create_workers(Take, take)
    flow.create_parent_workers(Split)
    flow.create_child_workers(Split, Part, part)
    flow.create_workers(Send, send)
    return flow


@pytest.fixture
def flow() -> OrderFlow:
    """Declare the flow anew for each test."""
    return orders()


@asynccontextmanager
async def kit(flow: OrderFlow, redis_url: str) -> AsyncIterator[Isolated]:
    """Isolate the flow on the server of this run."""
    async with isolated(flow, url=redis_url) as test:
        yield test


@pytest.fixture
def keys(redis: Redis) -> Iterator[set[str]]:
    """Give what was on the server before, and see that the test has left nothing."""
    before = set(redis.scan_iter("test-*"))
    yield before
    assert set(redis.scan_iter("test-*")) == before


@pytest.mark.usefixtures("keys")
async def test_drain_runs_everything_and_says_how_it_ended(flow: OrderFlow, redis_url: str) -> None:
    """Children count, a job that failed counts, and nothing waits afterwards; its workers are stopped again."""
    async with kit(flow, redis_url) as test:
        await flow.create_jobs([Order(user=1, parts=3), Order(user=2), Order(user=13)])
        drained = await test.drain()
        assert (drained.done, drained.failed, drained.cancelled, drained.delayed) == (2 + 3, 1, 0, 0)
        assert [worker.status for worker in flow.workers] == ["stopped"] * 4


async def test_two_tests_do_not_see_each_other(flow: OrderFlow, redis_url: str) -> None:
    """Each has a namespace of its own, also on one server; and a flow outside has a third."""
    other = orders()
    async with kit(flow, redis_url) as one, kit(other, redis_url) as two:
        await flow.create_job(Order(user=1))
        assert one.namespace != two.namespace
        assert (await two.drain()).done == 0
        assert await other.get_jobs_by_key("user", 1) == []
        assert (await one.drain()).done == 1


async def test_an_open_flow_cannot_be_bound(flow: OrderFlow, redis_url: str) -> None:
    """What is open would go on where it is; the error says where that is and what closes it, and nothing is stopped."""
    async with kit(flow, redis_url), flow:
        await flow.create_job(Order(user=1))
        with pytest.raises(FlowsError, match=r"flow 'orders' is open in .*: await flow\.stop_all\(\) there closes it"):
            async with isolated(flow, url=redis_url):
                pass
        assert {worker.status for worker in flow.workers} == {"running"}


@pytest.mark.parametrize("started", [False, True])
def test_what_an_earlier_test_has_left_is_given_up(redis_url: str, namespace: str, *, started: bool) -> None:
    """Plain calls before, and a loop that has ended with the flow open: the next test has it all the same."""
    flow = orders()
    asyncio.run(flow._bind(Server(redis_url, "a test"), namespace))

    async def earlier() -> None:
        if started:
            await flow.start_all()
        await flow.create_job(Order(user=1))

    async def test() -> None:
        async with isolated(flow, url=redis_url) as test:
            await asyncio.to_thread(flow.sync.create_job, Order(user=3))
            assert (await test.drain()).done == 1
            assert await flow.get_jobs_by_key("user", 2) == []

    asyncio.run(earlier())
    flow.sync.create_job(Order(user=2))
    asyncio.run(test())
    asyncio.run(test())
    gc.collect()  # what an ended loop had left open would complain here


async def test_asserts_what_is_enqueued(flow: OrderFlow, redis_url: str) -> None:
    """By params and by job class, by fields and by number; the error shows what is there."""
    async with kit(flow, redis_url) as test:
        await flow.create_jobs([Order(user=1), Order(user=2), Order(user=2)])
        await test.assert_enqueued(Order)
        await test.assert_enqueued(Order, user=2, count=2)
        await test.assert_enqueued(Take, user=1, count=1)
        await test.assert_enqueued(Send, count=0)
        seen = r"Order\(user=3\).*none is(.*\n)+  2 times Order\(user=2, parts=0\) in 'take'"
        with pytest.raises(AssertionError, match=seen):
            await test.assert_enqueued(Order, user=3)
        with pytest.raises(AssertionError, match=r"1 Order\(user=2\).*2 are"):
            await test.assert_enqueued(Order, user=2, count=1)
        with pytest.raises(ValueError, match="Order has no field usr"):
            await test.assert_enqueued(Order, usr=3)


async def test_travel_makes_due_what_is_due_by_then(flow: OrderFlow, redis_url: str) -> None:
    """Three hours go by at once; workers that ran run again; the job sees the time that it was told."""
    late = OrderFlow(flow._declaration.options)

    async def take(job: Take) -> Taken:
        if job.attempt == 1:
            raise Retry(after=timedelta(hours=3))
        return Taken()

    async def send(_job: Send) -> None:
        pass

    late.create_workers(Take, take)
    late.create_parent_workers(Split)
    late.create_workers(Send, send)
    async with kit(late, redis_url) as test, late:
        job_id = await late.create_job(Order(user=1))
        assert (await test.drain()).delayed == 1
        await test.assert_enqueued(Take, delayed_until=test.now() + timedelta(hours=3), count=1)
        await test.travel(timedelta(hours=2))
        assert (await test.drain()).delayed == 1
        await test.travel(3600)
        assert (await late.wait_for(job_id, timeout=10)).status == "done"
        assert [worker.status for worker in late.workers] == ["running"] * 3


async def test_travelling_thirty_days_needs_no_sleep(flow: OrderFlow, redis_url: str) -> None:
    """As far as a job is kept by default: what is due then is run, by a clock on which that much time has gone by."""
    late = OrderFlow(flow._declaration.options)

    async def take(_job: Take) -> Taken:
        if test.now() < due:
            raise Snooze(until=due)
        return Taken()

    async def send(_job: Send) -> None:
        pass

    late.create_workers(Take, take)
    late.create_workers(Send, send)
    began = time.monotonic()
    async with kit(late, redis_url) as test:
        due = test.now() + timedelta(days=30)
        job_id = await late.create_job(Order(user=1))
        assert (await test.drain()).delayed == 1
        await test.travel(timedelta(days=29, hours=23))
        assert (await test.drain()).delayed == 1
        await test.travel(3600)
        assert (await test.drain()).done == 1
        record = await late.get_job(job_id)
    assert record is not None
    assert (record.status, [one.verb for one in record.history][:2]) == ("done", ["snooze", "advance"])
    assert time.monotonic() - began < 60


@pytest.mark.scale
async def test_many_tests_with_a_namespace_each(flow: OrderFlow, redis_url: str, redis: Redis) -> None:
    """They are cheap enough to have one for every test, and leave nothing on the server that they share."""
    began, namespaces = time.monotonic(), set[str]()
    count = scaled(20, full=100)
    for number in range(100, 100 + count):
        async with kit(flow, redis_url) as test:
            namespaces.add(test.namespace)
            await flow.create_job(Order(user=number))
            assert (await test.drain()).done == 1
            assert [record.params.user for record in await flow.get_jobs_by_key("user", number)] == [number]
    assert SCALE == 1 or time.monotonic() - began < 10
    assert len(namespaces) == count
    assert not [key for key in redis.scan_iter("test-*") if key.decode().partition(":")[0] + ":" in namespaces]


async def test_drain_says_what_keeps_it(flow: OrderFlow, redis_url: str) -> None:
    """A queue without a worker is named."""
    bare = OrderFlow(flow._declaration.options)
    async with kit(bare, redis_url) as test:
        await bare.create_job(Order(user=1))
        with pytest.raises(WaitTimeout, match=r"after 0\.2 s 1 wait in 'take', which has no worker") as raised:
            await test.drain(timeout=0.2)
        assert raised.value.__suppress_context__


async def test_a_fault_is_an_attempt_that_fails(flow: OrderFlow, redis_url: str) -> None:
    """The exception is raised where the point is, as often as asked; the retry comes through."""
    flow = OrderFlow(flow._declaration.options)

    async def take(_job: Take) -> Taken:
        return Taken(next_queue="send")

    async def send(_job: Send) -> None:
        pass

    flow.create_workers(Take, take)
    flow.create_workers(Send, send)
    async with kit(flow, redis_url) as test:
        job_id = await flow.create_job(Order(user=1))
        with test.fault("after-user-code", times=1):
            await test.drain()
            await test.travel(timedelta(hours=1))
            assert (await test.drain()).done == 1
        record = await flow.get_job(job_id)
        assert record is not None
        assert record.history[0].error == (InjectedFault.__name__, "after-user-code")


async def test_a_lost_worker_leaves_its_job_to_the_next(flow: OrderFlow, redis_url: str) -> None:
    """As if the process had been killed after the function: nothing is reported, and the job runs again."""
    async with kit(flow, redis_url) as test:
        job_id = await flow.create_job(Order(user=1))
        with test.fault("after-user-code", "lose"):
            assert (await test.drain()).lost == 1
        await test.travel(timedelta(minutes=1))
        drained = await test.drain()
        assert (drained.done, drained.lost) == (1, 0)
        record = await flow.get_job(job_id)
        assert record is not None
        assert record.status == "done"


def test_wrong_faults_are_refused(flow: OrderFlow) -> None:
    """The message names what there is."""
    test = Isolated([program_of(flow)], "redis://localhost", "test:")
    with (
        pytest.raises(ValueError, match="there is no point 'nowhere'; the points are "),
        test.fault("nowhere"),
    ):
        pass
    with pytest.raises(ValueError, match="cannot 'explode'"), test.fault("before-user-code", "explode"):  # type: ignore[arg-type]
        pass
