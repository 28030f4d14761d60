"""The history of a queue as its workers write it, and what that costs them."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from redis import Redis

from flows import Histogram, ValidationError
from flows.kernel.fleet.tally import QueueTally
from flows.model.fleet.histogram import read_histogram
from tests.kernel.parts import LONG, Answer, Given, MakeFlow, Work, double
from tests.waiting import until


async def history(flow: Any, step: str = "minute") -> tuple[dict[str, int], Histogram, Histogram]:
    """Return the last totals of the queue, and all that is told of how long jobs waited and ran."""
    samples = await flow.queue("work").series(step)
    waited = sum((sample.waited for sample in samples), Histogram())
    ran = sum((sample.ran for sample in samples), Histogram())
    return dict(samples[-1].totals) if samples else {}, waited, ran


async def test_each_attempt_is_counted_once(make_flow: MakeFlow) -> None:
    """How long its job waited and how long it ran; all of it is there when the flow has stopped."""

    async def slow(job: Work) -> Answer:
        await asyncio.sleep(0.04 if job.number == 7 else 0)
        return await double(job)

    flow = make_flow(slow, lease=2, concurrency=8)
    ids = await flow.create_jobs([Given(number=number) for number in range(50)])
    async with flow:
        for job_id in ids:
            await flow.wait_for(job_id, LONG)
    for step in ("minute", "ten minutes", "hour"):
        totals, waited, ran = await history(flow, step)
        assert totals["done"] == 50
        assert (waited.count, ran.count) == (50, 50)
    longest = ran.percentile(100)
    assert longest is not None
    assert longest.total_seconds() >= 0.05
    await flow.stop_all()


async def test_the_history_goes_on_while_it_works(make_flow: MakeFlow) -> None:
    """Every heartbeat adds what is new; two processes add up."""
    one, other = make_flow(double, lease=2), make_flow(double, lease=2)
    async with one, other:
        for _ in range(2):
            before = (await history(one))[1].count
            for number in range(10):
                await one.wait_for(await one.create_job(Given(number=number)), LONG)

            async def written(before: int = before) -> bool:
                return (await history(one))[1].count >= before + 10

            await until(written)
        assert (await history(one))[2].count == 20


async def test_the_loop_and_the_thread_lose_nothing() -> None:
    """While one counts, the other takes what is new."""
    tally, over = QueueTally(), threading.Event()
    taken: list[tuple[str, str]] = []

    def take() -> None:
        while not over.is_set():
            taken.append(tally.take())

    taking = asyncio.create_task(asyncio.to_thread(take))
    for number in range(50_000):
        tally.count([4 ** (number % 13)], [0.001])
        if number % 500 == 0:
            await asyncio.sleep(0)
    over.set()
    await taking
    taken.append(tally.take())
    assert sum(read_histogram(waited).count for waited, _ran in taken) == 50_000
    assert sum(read_histogram(ran).count for _waited, ran in taken) == 50_000
    assert tally.take() == ("", "")


async def test_what_cannot_be_asked(make_flow: MakeFlow) -> None:
    """It says what can be."""
    flow = make_flow()
    with pytest.raises(ValidationError, match="step='day': give one of 'minute', 'ten minutes', 'hour'"):
        await flow.queue("work").series("day")  # type: ignore[arg-type]
    for count in (0, -1, True, "5"):
        with pytest.raises(ValidationError, match="count="):
            await flow.queue("work").series("hour", count)  # type: ignore[arg-type]


async def test_a_flow_that_only_creates_jobs_has_no_history(make_flow: MakeFlow, redis: Redis, namespace: str) -> None:
    """Nothing is written but the declaration."""
    async with make_flow() as flow:
        await flow.create_job(Given())
        assert await flow.queue("work").series() == []
    assert not list(redis.scan_iter(f"{namespace}flows:stats:*"))
