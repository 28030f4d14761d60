"""Lanes: never more attempts at once than allowed, no task where none is needed, and no job that is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

import pytest

from flows.kernel.lanes import Lanes
from tests.kernel.parts import within

seen_by: ContextVar[object] = ContextVar("seen_by", default=None)


@dataclass(eq=False)
class Job:
    """What lanes need of a running job."""

    number: int = 0
    task: asyncio.Task[None] | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)


def jobs(count: int) -> list[Job]:
    """Return so many jobs."""
    return [Job(number) for number in range(count)]


class Watched:
    """Lanes around a function, and what was seen of them."""

    def __init__(self, width: int, function: Callable[[Job], Awaitable[None]]) -> None:
        self.lanes = Lanes(width, self.run)  # type: ignore[arg-type]
        self.function = function
        self.running = self.most = 0
        self.tasks: set[asyncio.Task[None] | None] = set()

    async def run(self, job: Job) -> None:
        """Run a job and count."""
        self.running += 1
        self.most = max(self.most, self.running)
        self.tasks.add(job.task)
        try:
            await self.function(job)
        finally:
            self.running -= 1
            job.ended.set()

    async def do(self, some: list[Job]) -> None:
        """Offer jobs and wait until all have ended."""
        self.lanes.offer(some)  # type: ignore[arg-type]
        for job in some:
            await within(job.ended.wait())


async def at_once(_job: Job) -> None:
    """Do nothing, without suspending."""


async def suspending(_job: Job) -> None:
    """Let others run."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_never_more_than_its_width() -> None:
    """Of a hundred jobs that suspend, four run at once, and not five."""
    watched = Watched(4, suspending)
    await watched.do(jobs(100))
    assert watched.most == 4
    assert not watched.lanes.busy


async def test_what_does_not_suspend_shares_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs whose function never suspends run in a few tasks, however many they are."""
    monkeypatch.setattr("flows.kernel.lanes._SLICE", 60)  # however long they take here
    watched = Watched(100, at_once)
    await watched.do(jobs(1000))
    assert watched.most == 1
    assert len(watched.tasks) <= 2


async def test_what_suspends_spreads_to_the_width() -> None:
    """Jobs that wait for each other all begin: lanes are added until the width is reached."""
    meet = asyncio.Barrier(50)

    async def meeting(_job: Job) -> None:
        await meet.wait()

    watched = Watched(50, meeting)
    await watched.do(jobs(50))
    assert watched.most == 50


async def test_no_job_sees_anothers_context() -> None:
    """A context variable that one job sets is unset for every other one, in this lane and in those that follow."""
    found: list[object] = []

    async def leaving(job: Job) -> None:
        found.append(seen_by.get())
        seen_by.set(job.number)
        if job.number % 3 == 0:
            await asyncio.sleep(0)

    watched = Watched(3, leaving)
    await watched.do(jobs(30))
    await watched.do(jobs(30))
    assert found == [None] * 60


async def test_the_context_is_that_of_the_start() -> None:
    """What was set where the lanes were made is seen by every job, wherever they are offered from."""
    found: list[object] = []

    async def looking(_job: Job) -> None:
        found.append(seen_by.get())

    seen_by.set("start")
    watched = Watched(2, looking)
    seen_by.set("offer")
    await watched.do(jobs(4))
    seen_by.set(None)
    assert found == ["start"] * 4


async def test_values_that_cannot_be_compared() -> None:
    """A variable whose value refuses to be compared, as arrays do, ends its lane and stops nothing."""

    class Array:
        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other: object) -> bool:
            raise ValueError("the truth of an array is ambiguous")

    async def leaving(_job: Job) -> None:
        seen_by.set(Array())

    seen_by.set(Array())
    watched = Watched(2, leaving)
    await watched.do(jobs(20))
    seen_by.set(None)


async def test_a_context_that_never_equals_itself() -> None:
    """Each lane runs a job at least, also where its context is not even like the one it has just begun in."""

    class Unlike:
        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other: object) -> bool:
            return False

    async def changing(_job: Job) -> None:
        seen_by.set(Unlike())

    seen_by.set(Unlike())
    watched = Watched(2, changing)
    await watched.do(jobs(20))
    seen_by.set(None)
    assert len(watched.tasks) <= 20


async def test_jobs_that_are_offered_while_a_lane_ends() -> None:
    """Regression: a lane that is about to end when a job is offered takes it, or another lane does."""
    watched = Watched(1, at_once)
    for number in range(200):
        first, second = jobs(2)
        watched.lanes.offer([first])  # type: ignore[list-item]
        for _ in range(number % 5):
            await asyncio.sleep(0)
        watched.lanes.offer([second])  # type: ignore[list-item]
        await within(first.ended.wait(), 5)
        await within(second.ended.wait(), 5)


async def test_a_cancelled_job_leaves_its_lane_to_the_next() -> None:
    """Cancelling the task of one job ends that job alone; the jobs behind it run."""
    ended: list[int] = []
    begun = asyncio.Event()

    async def waiting(job: Job) -> None:
        if job.number == 0:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ended.append(-1)
                return
        ended.append(job.number)

    watched = Watched(1, waiting)
    some = jobs(3)
    watched.lanes.offer(some)  # type: ignore[arg-type]
    await within(begun.wait())
    assert some[0].task is not None
    some[0].task.cancel()
    for job in some:
        await within(job.ended.wait())
    assert ended == [-1, 1, 2]


async def test_lanes_that_are_cancelled_before_they_begin() -> None:
    """A program that cancels all tasks takes no lane away for ever: the jobs run when the lanes are looked at again."""
    watched = Watched(2, at_once)
    some = jobs(5)
    for _ in range(3):
        watched.lanes.offer(some if not watched.lanes.ready else [])  # type: ignore[arg-type]
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)
    assert watched.lanes.started == 0
    for job in some:
        watched.lanes.offer([])
        await within(job.ended.wait())
    assert watched.lanes.started == 5


async def test_taking_back_and_closing() -> None:
    """What has not begun can be taken back; closing cancels what runs and leaves no task."""
    begun = asyncio.Semaphore(0)

    async def for_ever(_job: Job) -> None:
        begun.release()
        await asyncio.Event().wait()

    watched = Watched(2, for_ever)
    some = jobs(5)
    watched.lanes.offer(some)  # type: ignore[arg-type]
    for _ in range(2):
        await within(begun.acquire())
    assert watched.lanes.take_ready() == some[2:]
    await within(watched.lanes.close(1))
    assert (watched.running, watched.lanes.busy) == (0, False)
