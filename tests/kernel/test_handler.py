"""Worker functions of every kind: each is called once per job, and what it returns counts."""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from flows import DeclarationError, current_job
from flows.kernel.process.processes import Processes
from tests.kernel.parts import LONG, Answer, Given, MakeFlow, Work, double, in_process, within
from tests.waiting import until


def plain(job: Work) -> Answer:
    """Return twice the number, from a thread."""
    assert threading.current_thread().name.startswith("flows-worker")
    return Answer(answer=job.number * 2)


class Callable_:  # noqa: N801 - it stands for any class of the user's
    """An object that can be called."""

    async def __call__(self, job: Work) -> Answer:
        """Return twice the number."""
        return await double(job)

    async def method(self, job: Work) -> Answer:
        """Return twice the number."""
        return await double(job)

    def plain_method(self, job: Work) -> Answer:
        """Return twice the number."""
        return plain(job)


class PlainCallable:
    """An object that can be called and is not async."""

    def __call__(self, job: Work) -> Answer:
        """Return twice the number."""
        return plain(job)


def with_factor(factor: int, job: Work) -> Answer:
    """Return the number times a factor."""
    return Answer(answer=job.number * factor)


async def async_with_factor(factor: int, job: Work) -> Answer:
    """Return the number times a factor."""
    return Answer(answer=job.number * factor)


@functools.wraps(double)
def wrapped(job: Work) -> Any:
    """Stand before an async function, as decorators do."""
    return double(job)


@pytest.mark.parametrize(
    "function",
    [
        double,
        plain,
        lambda job: double(job),  # noqa: PLW0108 - it looks like a plain function
        lambda job: plain(job),  # noqa: PLW0108
        Callable_(),
        Callable_().method,
        Callable_().plain_method,
        PlainCallable(),
        functools.partial(with_factor, 2),
        functools.partial(async_with_factor, 2),
        wrapped,
    ],
)
async def test_functions_of_every_kind(make_flow: MakeFlow, function: Callable[..., Any]) -> None:
    """Async and plain functions, lambdas, methods, callable objects, partials and decorated ones all work."""
    async with make_flow(function) as flow:
        done = await flow.wait_for(await flow.create_job(Given(number=3)), LONG)
    assert done.view(Answer).answer == 6


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (7, {}, "cannot be called"),
        (lambda: None, {}, "must take one argument"),
        (lambda _job, _more: None, {}, "must take one argument"),
        (double, {"executor": "process"}, "is async"),
        (lambda _job: None, {"executor": "process"}, "top level of a module"),
        (Callable_().plain_method, {"executor": "process"}, "top level of a module"),
        (functools.partial(with_factor, 2), {"executor": "process"}, "top level of a module"),
        (double, {"executor": "thread"}, "leave it out"),
    ],
)
def test_what_cannot_be_called_is_refused(
    make_flow: MakeFlow,
    function: Any,
    options: dict[str, str],
    message: str,
) -> None:
    """What is no function of one job, or cannot be found by another process, is refused when it is declared."""
    with pytest.raises(DeclarationError, match=message):
        make_flow(function, **options)


async def test_context_goes_into_the_thread(make_flow: MakeFlow) -> None:
    """A function in a thread sees its own job by current_job(), and not that of the thread's last one."""
    found: list[bool] = []

    def looking(job: Work) -> None:
        found.append(current_job().id == job.id)

    async with make_flow(looking, concurrency=3) as flow:
        for job_id in await flow.create_jobs([Given()] * 20):
            await flow.wait_for(job_id, LONG)
    assert found == [True] * 20


async def test_a_process(make_flow: MakeFlow) -> None:
    """With executor="process" the function runs in another process; each kind of failure fails its own job.

    1 dies, 2 raises what cannot be unpickled, 3 exits, 4 writes to its job's log, 6 looks at its own attempt.
    """
    async with make_flow(in_process, executor="process", concurrency=2) as flow:
        ids = await flow.create_jobs(Given(number=number) for number in range(7))
        records = [await flow.wait_for(job_id, LONG) for job_id in ids]
        assert [line.text for line in await flow.get_log(ids[4])] == ["from a process"]
    errors = [record.error and (record.error.type, record.error.message) for record in records]
    assert errors == [
        None,
        ("WorkerProcessDied", "the process that ran the function died under it (exit code 3)"),
        ("TwoParts", "broken"),
        ("SystemExit", "4"),
        None,
        None,
        None,
    ]
    assert records[0].view(Answer).answer != os.getpid()
    assert records[6].view(Answer).answer == 1
    assert records[2].error is not None
    assert "in in_process" in records[2].error.traceback


async def test_a_process_that_dies_takes_nobody_along(make_flow: MakeFlow) -> None:
    """While one process of a worker dies, the job in the other one goes on and is done."""
    async with make_flow(in_process, executor="process", concurrency=2) as flow:
        slow, dies = await flow.create_jobs([Given(number=5), Given(number=1)])
        assert (await flow.wait_for(dies, LONG)).status == "failed"
        assert (await flow.wait_for(slow, LONG)).status == "done"


async def test_a_thread_that_is_handed_back(make_flow: MakeFlow) -> None:
    """A thread cannot be stopped: its job is handed back all the same, and it can see that it shall end."""
    begun, told = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(_job: Work) -> None:
        me = current_job()
        loop.call_soon_threadsafe(begun.set)
        while not me.cancelled:
            told.wait(0.01)
        told.set()

    flow = make_flow(slow)
    await flow.start_all()
    job_id = await flow.create_job(Given())
    await within(begun.wait())
    await within(flow.stop_all(grace=0.0))
    assert await asyncio.to_thread(told.wait, 5)
    record = await flow.get_job(job_id)
    await flow.stop_all()
    assert record is not None
    assert (record.status, record.attempts) == ("waiting", 0)


def hanging(_job: Work) -> None:
    """Never end."""
    time.sleep(3 * LONG)


async def test_a_process_that_is_handed_back(make_flow: MakeFlow) -> None:
    """A process can be stopped: when its job is handed back, it is killed."""
    others = set(multiprocessing.active_children())
    flow = make_flow(hanging, executor="process")
    await flow.start_all()
    job_id = await flow.create_job(Given())
    pool = flow.workers[0]._handler._pool  # type: ignore[union-attr]
    assert isinstance(pool, Processes)
    await until(lambda: pool._busy)
    children = set(multiprocessing.active_children()) - others
    await within(flow.stop_all(grace=0.0))
    for child in children:
        # Not by join: the worker's own thread may be the one that learns how the process ended.
        await until(lambda child=child: child.exitcode is not None)  # type: ignore[misc]
        assert child.exitcode == -signal.SIGKILL
    record = await flow.get_job(job_id)
    await flow.stop_all()
    assert record is not None
    assert (record.status, record.attempts) == ("waiting", 0)


async def test_a_thread_that_hangs_keeps_no_slot(make_flow: MakeFlow) -> None:
    """When a job is cancelled whose function hangs, the worker does the next job, though it runs one at a time."""
    begun, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def once(job: Work) -> Answer:
        if job.number == 0:
            loop.call_soon_threadsafe(begun.set)
            go_on.wait(LONG)
        return Answer(answer=job.number)

    async with make_flow(once, lease=1) as flow:
        hangs = await flow.create_job(Given(number=0))
        await within(begun.wait())
        await flow.cancel_job(hangs)
        done = await flow.wait_for(await flow.create_job(Given(number=3)), LONG)
        go_on.set()
    assert done.view(Answer).answer == 3


def bridged(function: Callable[..., Any]) -> Callable[[Work], Any]:
    """Make a plain function of an async one, as code that comes from elsewhere does."""

    @functools.wraps(function)
    def call(job: Work) -> Any:
        return asyncio.run(function(job))

    return call


def awaited(function: Callable[..., Any]) -> Callable[[Work], Any]:
    """Make an async function of a plain one."""

    @functools.wraps(function)
    async def call(job: Work) -> Any:
        await asyncio.sleep(0)
        return function(job)

    return call


def in_the_loop(job: Work) -> Answer:
    """Return twice the number, from the event loop's own thread."""
    assert threading.current_thread() is threading.main_thread()
    return Answer(answer=job.number * 2)


def in_the_thread(job: Work) -> Answer:
    """Return twice the number, from another thread."""
    assert threading.current_thread() is not threading.main_thread()
    return Answer(answer=job.number * 2)


@pytest.mark.parametrize("function", [bridged(double), awaited(in_the_loop), bridged(awaited(in_the_thread))])
async def test_what_a_function_wraps_does_not_count(make_flow: MakeFlow, function: Callable[..., Any]) -> None:
    """A plain function around an async one runs in a thread, an async one around a plain one in the loop."""
    async with make_flow(function) as flow:
        done = await flow.wait_for(await flow.create_job(Given(number=3)), LONG)
    assert done.error is None
    assert done.view(Answer).answer == 6
