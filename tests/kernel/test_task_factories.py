"""A task factory of the program's own, as tracers set: each job runs once, in a task of its own, whatever it does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from itertools import count
from typing import Any

import pytest

from tests.kernel.parts import LONG, Given, MakeFlow, Work, within
from tests.kernel.test_lanes import Job, Watched, at_once, jobs, suspending

Loop = asyncio.AbstractEventLoop
Body = Coroutine[Any, Any, Any]
Factory = Callable[..., Any]

trace_id: ContextVar[int] = ContextVar("trace_id", default=-1)
numbers = count()


def sets_a_variable(loop: Loop, body: Body, **options: Any) -> asyncio.Task[Any]:
    """Begin each task by a variable, as Sentry's integration does."""

    async def traced() -> object:
        trace_id.set(next(numbers))
        return await body

    return asyncio.Task(traced(), loop=loop, **options)


def takes_no_options(loop: Loop, body: Body) -> asyncio.Task[Any]:
    """Know nothing of contexts and names: as factories were written before Python 3.11."""
    return asyncio.Task(body, loop=loop)


def wraps_the_task(loop: Loop, body: Body, **options: Any) -> asyncio.Task[Any]:
    """Return a task that waits for the one in which the body runs."""

    async def outer() -> object:
        return await asyncio.Task(body, loop=loop)

    return asyncio.Task(outer(), loop=loop, **options)


def cancels_some(loop: Loop, body: Body, **options: Any) -> asyncio.Task[Any]:
    """Cancel every third lane before it begins."""
    task = asyncio.Task(body, loop=loop, **options)
    if "_lane" in str(body) and next(numbers) % 3 == 0:
        task.cancel()
    return task


def raises_at_times(loop: Loop, body: Body, **options: Any) -> asyncio.Task[Any]:
    """Refuse to make every second lane."""
    if "_lane" in str(body) and next(numbers) % 2 == 0:
        raise RuntimeError("no task today")
    return asyncio.Task(body, loop=loop, **options)


#: Python 3.12 and newer can start tasks at once.
EAGER: list[Factory] = [getattr(asyncio, "eager_task_factory", sets_a_variable)]
if hasattr(asyncio, "create_eager_task_factory"):
    EAGER.append(asyncio.create_eager_task_factory(partial(asyncio.Task)))
FACTORIES = [sets_a_variable, takes_no_options, wraps_the_task, cancels_some, raises_at_times, *EAGER]


@contextmanager
def task_factory(factory: Factory) -> Iterator[None]:
    """Give the loop a task factory."""
    loop = asyncio.get_running_loop()
    loop.set_task_factory(factory)
    try:
        yield
    finally:
        loop.set_task_factory(None)


async def leaving_a_variable(job: Job) -> None:
    """Leave a variable behind without suspending."""
    trace_id.set(job.number)


@pytest.mark.parametrize("function", [at_once, suspending, leaving_a_variable])
@pytest.mark.parametrize("factory", FACTORIES)
@pytest.mark.parametrize("width", [1, 4])
async def test_each_job_runs_once(
    factory: Factory,
    function: Callable[[Job], Any],
    width: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No factory keeps a job from running, lets more run at once than allowed, or lets a lane be counted for ever."""
    monkeypatch.setattr("flows.kernel.lanes._PAUSE", 0.005)
    watched = Watched(width, function)
    with task_factory(factory):
        some = jobs(50)
        await watched.do(some)
        while watched.lanes._lanes:  # noqa: ASYNC110 - they end in the next ticks
            await asyncio.sleep(0)
    assert watched.lanes.started == 50
    assert watched.most <= width
    assert caplog.text.count("has made no task") == 0 or factory is raises_at_times


@pytest.mark.parametrize("drop", ["cancel", "raise"])
async def test_a_factory_that_never_runs_a_task(drop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lanes try again after a pause, and not in the same tick; when the factory has gone, all jobs run."""
    monkeypatch.setattr("flows.kernel.lanes._PAUSE", 0.02)
    asked = 0

    def factory(loop: Loop, body: Body, **options: Any) -> asyncio.Task[Any]:
        nonlocal asked
        asked += 1
        if drop == "raise":
            raise RuntimeError("never")
        task = asyncio.Task(body, loop=loop, **options)
        task.cancel()
        return task

    watched = Watched(4, at_once)
    began = time.monotonic()
    with task_factory(factory):
        watched.lanes.offer(some := jobs(20))  # type: ignore[arg-type]
        await asyncio.sleep(0.1)
    assert 0 < asked <= 4 * (2 + (time.monotonic() - began) / 0.02)
    for job in some:
        await within(job.ended.wait())


async def test_no_task_of_its_own_without_a_factory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who uses no factory pays for none, and neither does who starts tasks at once, where Python can."""
    monkeypatch.setattr("flows.kernel.lanes._SLICE", 60)  # however long they take here
    for factory in (None, getattr(asyncio, "eager_task_factory", None)):
        watched = Watched(1, at_once)
        with task_factory(factory):  # type: ignore[arg-type]
            await watched.do(jobs(50))
        assert len(watched.tasks) == 1


async def test_a_factory_that_is_set_while_lanes_run() -> None:
    """From then on, jobs have tasks of their own: a tracer is often set up after the workers have begun."""

    async def setting(job: Job) -> None:
        if job.number == 4:
            asyncio.get_running_loop().set_task_factory(sets_a_variable)

    watched = Watched(1, setting)
    with task_factory(None):  # type: ignore[arg-type]
        await watched.do(jobs(10))
    assert len(watched.tasks) >= 6


async def test_what_a_tracer_hangs_on_a_task_is_one_jobs(make_flow: MakeFlow) -> None:
    """An object that the factory puts into each task's context, as Sentry's scope is, is seen by one job only."""
    scope: ContextVar[list[int]] = ContextVar("scope")
    seen: list[list[int]] = []

    def scoped(loop: Loop, body: Body, **options: Any) -> asyncio.Task[Any]:
        async def inside() -> object:
            scope.set([])
            return await body

        return asyncio.Task(inside(), loop=loop, **options)

    async def tagging(job: Work) -> None:
        seen.append(list(scope.get()))
        scope.get().append(job.number)
        await asyncio.sleep(0.001 * (job.number % 2))

    with task_factory(scoped):
        flow = make_flow(tagging, concurrency=4)
        async with flow:
            for job_id in await flow.create_jobs([Given(number=number) for number in range(40)]):
                assert (await within(flow.wait_for(job_id, LONG))).status == "done"
    assert seen == [[]] * 40
