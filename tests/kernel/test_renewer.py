"""Leases: kept while the function runs, even with a blocked loop, and lost when the process is as good as dead."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from redis import Redis

from flows import current_job
from flows.telemetry.events import Event
from tests.kernel.parts import LONG, Answer, Given, MakeFlow, Work, double, heard, within


@contextmanager
def elsewhere(work: Callable[[], Coroutine[Any, Any, None]]) -> Iterator[None]:
    """Run a coroutine in a thread with a loop of its own, as another process would, and wait for it in the end."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work())
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    assert failures == []


async def test_a_blocked_loop_keeps_its_leases(make_flow: MakeFlow) -> None:
    """An async function that blocks the loop for three leases runs once: a thread renews, others rescue nothing."""
    attempts: list[int] = []
    begun, over = threading.Event(), threading.Event()

    async def blocking(job: Work) -> Answer:
        attempts.append(job.attempt)
        begun.set()
        time.sleep(1.2)  # noqa: ASYNC251 - this is what users do
        return await double(job)

    other, rescued = make_flow(lease=0.4), list[Event]()

    async def look_for_lost_jobs() -> None:
        await other.start_all()
        told = heard(other)
        other._runtime.rescuer.add("work")
        begun.wait(LONG)
        while not over.is_set():
            await other._runtime.rescuer.tick()
            await asyncio.sleep(0.02)
        rescued.extend(event for event in told if event.name == "job.rescued")
        await other.stop_all()

    flow = make_flow(blocking, lease=0.4)
    events = heard(flow)
    with elsewhere(look_for_lost_jobs):
        async with flow:
            done = await flow.wait_for(await flow.create_job(Given(number=1)), LONG)
        over.set()
    assert (done.status, attempts, rescued) == ("done", [1], [])
    assert {event.name for event in events}.isdisjoint({"job.rescued", "job.lost", "loop.hangs"})


async def test_a_long_function_keeps_its_lease(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """While a function runs, its lease is always in the future, many leases long."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def long(job: Work) -> Answer:
        begun.set()
        await go_on.wait()
        return await double(job)

    async with make_flow(long, lease=0.3) as flow:
        job_id = await flow.create_job(Given(number=1))
        await within(begun.wait())
        for _ in range(9):
            await asyncio.sleep(0.1)
            seconds, micros = redis.time()
            lease = redis.zscore(f"{namespace}queue:work:processing", job_id)
            assert lease is not None
            assert lease > seconds * 1000 + micros // 1000
        go_on.set()
        assert (await flow.wait_for(job_id, LONG)).attempts == 1


async def test_a_loop_that_hangs_loses_its_leases(make_flow: MakeFlow) -> None:
    """A loop that hangs for longer than hang_limit is given up: another flow object rescues the job and does it.

    What the first one writes when it wakes is refused.
    """
    attempts: list[str] = []
    hung, rescued = threading.Event(), threading.Event()

    async def hanging(_job: Work) -> Answer:
        attempts.append("hanging")
        hung.set()
        rescued.wait(LONG)  # the loop stands still
        return Answer(answer=-1)

    async def helping(job: Work) -> Answer:
        attempts.append("helping")
        return await double(job)

    other, ids = make_flow(helping, lease=0.3), list[str]()

    async def help_out() -> None:
        hung.wait(LONG)
        async with other:
            assert (await other.wait_for(ids[0], LONG)).view(Answer).answer == 2
        rescued.set()

    flow = make_flow(hanging, lease=0.3, hang_limit=timedelta(seconds=0.4))
    async with flow:
        lost = asyncio.create_task(flow.events.wait_for("job.lost"))
        hangs = asyncio.create_task(flow.events.wait_for("loop.hangs"))
        await asyncio.sleep(0)
        with elsewhere(help_out):
            ids.append(await flow.create_job(Given(number=1)))
            await within(hangs)
            assert (await within(lost)).fields["job_id"] == ids[0]
        record = await flow.wait_for(ids[0], LONG)
    assert attempts == ["hanging", "helping"]
    assert record.view(Answer).answer == 2


async def test_a_lost_lease_cancels_the_function(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """When the job belongs to somebody else, the function is cancelled, and nothing of it is written."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def robbed(_job: Work) -> Answer:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            assert current_job().cancelled
            ended.set()
        raise AssertionError

    flow = make_flow(robbed, lease=0.4)
    async with flow:
        job_id = await flow.create_job(Given(number=1))
        await within(begun.wait())
        lost = asyncio.create_task(flow.events.wait_for("job.lost", job_id=job_id))
        await asyncio.sleep(0)
        key = f"{namespace}job:numbers:{job_id}"
        redis.hset(key, mapping={"_worker": "other", "_fence": "9"})
        redis.zadd(f"{namespace}queue:work:processing", {job_id: 9_999_999_999_999})
        before = redis.hgetall(key)
        await within(lost)
        await within(ended.wait())
        await flow.workers[0].stop()
        assert redis.hgetall(key) == before


async def test_cancel_of_a_running_job(make_flow: MakeFlow) -> None:
    """A running job is cancelled within one renewal: its function ends by a CancelledError, its worker goes on."""
    begun = asyncio.Event()

    async def endless(job: Work) -> Answer:
        if job.number:
            begun.set()
            await asyncio.Event().wait()
        return await double(job)

    async with make_flow(endless, lease=1) as flow:
        job_id = await flow.create_job(Given(number=1))
        await within(begun.wait())
        assert await flow.cancel_job(job_id, "not wanted") == "requested"
        assert (await flow.wait_for(job_id, 1)).status == "cancelled"
        assert (await flow.wait_for(await flow.create_job(Given(number=0)), LONG)).status == "done"


async def test_a_function_that_is_quicker_than_its_cancellation(make_flow: MakeFlow) -> None:
    """A job that ended before its worker heard of the cancellation is done: the work is there."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def quick(job: Work) -> Answer:
        begun.set()
        await go_on.wait()
        return await double(job)

    async with make_flow(quick, lease=30) as flow:
        job_id = await flow.create_job(Given(number=1))
        await within(begun.wait())
        assert await flow.cancel_job(job_id) == "requested"
        go_on.set()
        assert (await flow.wait_for(job_id, LONG)).status == "done"
