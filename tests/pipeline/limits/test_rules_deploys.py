"""Deploys that add or take away rules with jobs waiting: old and new workers side by side, and each job runs once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel
from redis import Redis

from flows import Flow, FlowOptions, Job, JobResult, Limiter, QueueOptions
from flows.store.keys.jobs import JobKeys
from tests.scale import scaled
from tests.waiting import LONG, until


class Given(BaseModel):
    """What jobs are created with."""

    number: int
    user: int = 0


class Resize(Job):
    """The first queue's job."""

    number: int
    user: int


class Sized(JobResult):
    """What it hands on."""

    width: int


class Label(Job):
    """The last queue's."""

    number: int
    user: int
    width: int


#: Of each queue, the rules that a release has.
RULED: dict[str, Any] = {"priorities": 3, "group_by": "user"}


@pytest.fixture
def release(redis_url: str, namespace: str) -> Callable[..., Any]:
    """Make a release of the flow `images`, whose queues have these rules."""

    def make(first: dict[str, Any], last: dict[str, Any]) -> Any:
        queues = [QueueOptions("resize", Resize, "label", **first), QueueOptions("label", Label, **last)]
        return Flow[Resize | Label, Given](
            FlowOptions(name="images", queues=queues, redis_url=redis_url, namespace=namespace)
        )

    return make


class Seen:
    """Counts how often each job ran in each queue, and by which release."""

    def __init__(self) -> None:
        self.runs: Counter[tuple[str, int]] = Counter()
        self.by: Counter[str] = Counter()

    def work_for(self, flow: Any, name: str) -> None:
        """Let workers of a release count what they run."""

        async def resize(job: Resize) -> Sized:
            self.runs["resize", job.number] += 1
            self.by[name] += 1
            await asyncio.sleep(0)
            return Sized(width=1)

        async def label(job: Label) -> None:
            self.runs["label", job.number] += 1
            self.by[name] += 1
            await asyncio.sleep(0)

        flow.create_workers(Resize, resize, concurrency=10)
        flow.create_workers(Label, label, concurrency=10)

    async def all_done(self, jobs: int) -> None:
        """Wait until so many jobs have run in both queues, and see that each has once."""
        await until(lambda: len(self.runs) >= 2 * jobs, 3 * LONG)
        assert set(self.runs.values()) == {1}


async def create(flow: Any, numbers: range, **options: Any) -> None:
    """Create jobs of 20 users."""
    await flow.create_jobs([Given(number=number, user=number % 20) for number in numbers], **options)


async def nothing_is_left(flow: Any) -> None:
    """Wait until no queue holds a job that has not ended, in any of its lists."""

    async def idle() -> bool:
        return all(state.idle for state in (await flow.states()).values())

    await until(idle)


@pytest.mark.scale
async def test_rules_are_added_while_jobs_wait_and_both_releases_work(release: Callable[..., Any]) -> None:
    """What the old release has put into its lists, and puts there meanwhile, comes as what the new one places."""
    old, new, seen = release({}, {}), release(RULED, RULED), Seen()
    jobs = scaled(2_000, full=10_000)
    await create(old, range(jobs // 2))
    seen.work_for(old, "old")
    seen.work_for(new, "new")
    async with old, new:
        await create(new, range(jobs // 2, jobs * 3 // 4), priority=2)
        await create(old, range(jobs * 3 // 4, jobs))
        await seen.all_done(jobs)
        await nothing_is_left(new)
    assert seen.by.total() == 2 * jobs
    assert seen.by["new"] > 0


@pytest.mark.scale
async def test_rules_are_taken_away_while_jobs_wait(release: Callable[..., Any]) -> None:
    """The release without rules learns in which lists jobs stand, and looks into them."""
    old, new, seen = release(RULED, {**RULED, "max_concurrency": 20}), release({}, {}), Seen()
    jobs = scaled(2_000, full=10_000)
    await create(old, range(jobs // 2), priority=3)
    await old.stop_all()
    await create(new, range(jobs // 2, jobs))
    seen.work_for(new, "new")
    async with new:
        await seen.all_done(jobs)
        await nothing_is_left(new)


async def test_a_release_whose_group_is_another_field_takes_what_waits(release: Callable[..., Any]) -> None:
    """Jobs stand in lists of the old field's groups; they come once all the same."""
    old, new, seen = release({"group_by": "user"}, {}), release({"group_by": "number", "priorities": 2}, {}), Seen()
    await create(old, range(200))
    await old.stop_all()
    await create(new, range(200, 300), priority=2)
    seen.work_for(new, "new")
    async with new:
        await seen.all_done(300)
        await nothing_is_left(new)


async def test_fewer_priorities_take_what_waits_in_those_that_go(release: Callable[..., Any]) -> None:
    """With limits beside, which the layout has no part in."""
    limits = {"limits": [Limiter(1_000, 1)]}
    old, new, seen = release({"priorities": 8}, {}), release({"priorities": (2, 1), **limits}, limits), Seen()
    await create(old, range(100), priority=8)
    await create(old, range(100, 200), priority=2)
    await old.stop_all()
    seen.work_for(new, "new")
    async with new:
        await seen.all_done(200)
        await nothing_is_left(new)


async def test_the_layout_stands_in_meta(release: Callable[..., Any], redis: Redis, namespace: str) -> None:
    """Of each queue that has one; a release without rules leaves it, and one with more makes it grow."""
    keys = JobKeys(namespace)

    def layouts() -> list[str | None]:
        return [redis.hget(keys.meta(queue), "rules") for queue in ("resize", "label")]

    for first, last, found in (
        ({}, {"max_concurrency": 5}, [None, None]),
        (RULED, {}, ["3 user", None]),
        ({}, {"priorities": 2}, ["3 user", "2 -"]),
        ({"priorities": 5}, {}, ["5 user", "2 -"]),
    ):
        flow = release(first, last)
        await flow.start_all()
        await flow.stop_all()
        assert layouts() == found
