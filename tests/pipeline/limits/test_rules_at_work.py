"""Rules with real workers: what goes first, what waits, and what a call changes while they run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from flows import Flow, FlowOptions, Job, Limiter, QueueOptions, Slots, Snooze
from tests.pipeline.parts import LONG, within
from tests.waiting import until

HOUR = timedelta(hours=1)


class Send(BaseModel):
    """What a job is created with."""

    number: int = 0
    guild: int | None = None


class Deliver(Job):
    """A job."""

    number: int
    guild: int | None


Mail = Flow[Deliver, Send]
Make = Callable[..., Mail]


@pytest.fixture
def make(redis_url: str, namespace: str) -> Make:
    """Make a flow of one queue with rules."""

    def make(**rules: Any) -> Mail:
        queues = [QueueOptions("deliver", Deliver, **rules)]
        options: FlowOptions[Any, Any] = FlowOptions("mail", queues, redis_url=redis_url, namespace=namespace)
        return Flow[Deliver, Send](options)

    return make


async def all_done(flow: Mail, ids: list[str]) -> None:
    """Wait until these jobs are done."""
    for job_id in ids:
        assert (await flow.wait_for(job_id, LONG)).status == "done"


async def order_of(flow: Mail, create: Callable[[], Awaitable[list[str]]]) -> list[int]:
    """Return the numbers of jobs in the order in which one worker runs them, one at a time, after all were created."""
    ran: list[int] = []

    async def deliver(job: Deliver) -> None:
        ran.append(job.number)

    ids = await create()
    flow.create_workers("deliver", deliver, concurrency=1)
    async with flow:
        await all_done(flow, ids)
    return ran


@pytest.mark.parametrize("more", [{}, {"group_by": "guild"}])
async def test_jobs_of_the_first_priority_go_first(make: Make, more: Any) -> None:
    """Those of one priority in the order in which they came; a lower one than there is counts as the last."""
    flow = make(priorities=3, **more)

    async def create() -> list[str]:
        ids = await flow.create_jobs([Send(number=7), Send(number=8)], priority=8)
        for number, priority in enumerate((3, 2, 1, 2, 1), 1):
            ids.append(await flow.create_job(Send(number=number), priority=priority))
        return ids

    assert await order_of(flow, create) == [3, 5, 2, 4, 7, 8, 1]


async def test_a_job_whose_priority_is_changed_changes_its_place(make: Make) -> None:
    """It runs once, and behind those that had the priority before."""
    flow = make(priorities=3)

    async def create() -> list[str]:
        ids = await flow.create_jobs([Send(number=number) for number in (1, 2, 3, 4)], priority=2)
        ids.append(await flow.create_job(Send(number=5)))
        assert await flow.set_priority(ids[2], 1) == "set"
        assert await flow.set_priority(ids[0], 3) == "set"
        position = await flow.position(ids[0])
        assert position is not None
        assert position.ahead == 4
        return ids

    assert await order_of(flow, create) == [5, 3, 2, 4, 1]


async def test_groups_take_turns(make: Make) -> None:
    """One that came with many jobs does not keep out others; jobs of no group are one."""
    flow = make(group_by="guild")

    async def create() -> list[str]:
        ids = await flow.create_jobs([Send(number=10 + n, guild=1) for n in range(6)])
        ids += await flow.create_jobs([Send(number=20 + n, guild=2) for n in range(2)])
        return [*ids, await flow.create_job(Send(number=30), delay=0.001), await flow.create_job(Send(number=31))]

    ran = await order_of(flow, create)
    assert {*ran[:6]} >= {20, 21, 31}
    assert [number for number in ran if 10 <= number < 20] == [10, 11, 12, 13, 14, 15]


@pytest.mark.parametrize("cost", [1, 2])
async def test_no_more_jobs_run_than_slots_allow(make: Make, cost: int) -> None:
    """Over all workers; one that costs two takes two."""
    flow = make(max_concurrency=4)
    running, most = 0, 0

    async def deliver(_job: Deliver) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    flow.create_workers("deliver", deliver, count=3, concurrency=10)
    async with flow:
        await all_done(flow, await flow.create_jobs([Send()] * 40, cost=cost))
        [slots] = await flow.queue("deliver").limits()
    assert 1 <= most <= 4 // cost
    assert (slots.used, slots.free) == (0, 4)


async def test_a_limiter_spreads_starts(make: Make) -> None:
    """Twenty at five in a fifth of a second take three such times at least, by the clock of the server too."""
    flow = make(limits=[Limiter(5, 0.2)])
    began: list[float] = []

    async def deliver(_job: Deliver) -> None:
        began.append(time.monotonic())

    flow.create_workers("deliver", deliver, count=2)
    async with flow:
        created = time.monotonic()
        await all_done(flow, await flow.create_jobs([Send()] * 20))
    assert len(began) == 20
    assert max(began) - created >= 0.6


async def held_back(flow: Mail, free: int, jobs: int, change: Callable[[], Awaitable[None]]) -> None:
    """Start workers and jobs of which only so many may start, then change something: the others start."""
    started, go = 0, asyncio.Event()

    async def deliver(_job: Deliver) -> None:
        nonlocal started
        started += 1
        await go.wait()

    flow.create_workers("deliver", deliver, concurrency=20)
    async with flow:
        ids = await flow.create_jobs([Send(guild=7)] * jobs)

        async def so_many() -> bool:
            state = await flow.queue("deliver").state()
            return (state.processing, state.waiting) == (free, jobs - free)

        await until(so_many)
        await change()

        async def all_started() -> bool:
            return started == jobs

        await until(all_started)
        go.set()
        await all_done(flow, ids)


async def test_a_limit_that_is_raised_lets_others_start_at_once(make: Make) -> None:
    """Nobody waits for the token that would come back in an hour."""
    flow = make(limits=[Limiter(2, HOUR)])
    await held_back(flow, 2, 5, lambda: flow.queue("deliver").set_limit("deliver:1", 10))


@pytest.mark.parametrize("group", [None, 7])
async def test_so_does_that_of_groups(make: Make, group: int | None) -> None:
    """For all groups, or for the one."""
    flow = make(limits=[Limiter(2, HOUR, group_key="guild")])
    await held_back(flow, 2, 5, lambda: flow.queue("deliver").set_limit("deliver:1", 10, group=group))


@pytest.mark.parametrize("slots", [2, Slots(2, id="gpu")])
async def test_slots_that_are_added_are_taken_at_once(make: Make, slots: Any) -> None:
    """Though none of the jobs that run has ended."""
    flow = make(max_concurrency=slots)
    await held_back(flow, 2, 5, lambda: flow.queue("deliver").set_concurrency(10))


@pytest.mark.parametrize("group", [None, 7])
async def test_so_are_those_of_groups(make: Make, group: int | None) -> None:
    """For all groups, or for the one."""
    flow = make(group_by="guild", max_concurrency_per_group=2)
    queue = flow.queue("deliver")

    async def change() -> None:
        if group is None:
            await queue.set_concurrency(None, per_group=10)
        else:
            await queue.set_concurrency(10, group=group)

    await held_back(flow, 2, 5, change)


async def test_a_hold_of_a_group_keeps_its_jobs_alone(make: Make) -> None:
    """Until it is ended; those that come meanwhile are kept too."""
    flow = make(group_by="guild")
    ran: list[int | None] = []

    async def deliver(job: Deliver) -> None:
        ran.append(job.guild)

    queue = flow.queue("deliver")
    await queue.hold(HOUR, group=7)
    flow.create_workers("deliver", deliver)
    async with flow:
        kept = await flow.create_jobs([Send(guild=7)] * 2)
        await all_done(flow, await flow.create_jobs([Send(guild=8), Send(), Send(guild=9)]))
        kept += await flow.create_jobs([Send(guild=7)])
        await all_done(flow, await flow.create_jobs([Send(guild=8)]))
        assert 7 not in ran
        await queue.hold(0, group=7)
        await all_done(flow, kept)
    assert ran.count(7) == 3


async def test_a_snooze_that_holds_its_group_lets_others_go_on(make: Make) -> None:
    """As after a 429: the job comes back, and no other of its group has asked again before."""
    flow = make(group_by="guild")
    ran: list[tuple[int | None, int]] = []
    refused = asyncio.Event()

    async def deliver(job: Deliver) -> Snooze | None:
        ran.append((job.guild, job.number))
        if job.guild == 7 and not refused.is_set():
            refused.set()
            return Snooze("429", after=0.4, hold="group")
        return None

    flow.create_workers("deliver", deliver, concurrency=1)
    async with flow:
        ids = await flow.create_jobs([Send(guild=7, number=1)])
        await within(refused.wait())
        ids += await flow.create_jobs([Send(guild=7, number=2), Send(guild=8, number=3)])
        await all_done(flow, ids)
    assert ran[0] == (7, 1)
    assert ran[1] == (8, 3)
    assert sorted(ran[2:]) == [(7, 1), (7, 2)]
