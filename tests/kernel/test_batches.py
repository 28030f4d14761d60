"""Batches: functions that take many jobs at once, each of which has an end, a token and a timeout of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import override

from flows import (
    AttemptNext,
    Cancel,
    CurrentJob,
    DeclarationError,
    Fail,
    FlowsError,
    Job,
    JobContextFilter,
    JobRecord,
    JobResult,
    Middleware,
    Retries,
    Retry,
    Snooze,
    Verdict,
    current_job,
    current_jobs,
)
from flows.kernel.around.batches import Batches, Batching
from flows.kernel.current import set_current
from tests.kernel.parts import LONG, Answer, Given, MakeFlow, NumberFlow, Work, number_flow, within
from tests.waiting import until

#: Longer than any test lasts: such a batch starts when it is full.
FOREVER = timedelta(hours=1)


async def double(jobs: list[Work]) -> list[Answer]:
    """Return twice each number."""
    return [Answer(answer=job.number * 2) for job in jobs]


async def ended(flow: Any, ids: Sequence[str]) -> list[JobRecord[Given]]:
    """Return how jobs have ended."""
    return [await within(flow.wait_for(job_id, LONG)) for job_id in ids]


async def test_jobs_come_together_and_end_alone(make_flow: MakeFlow) -> None:
    """Of 25 jobs, a function of ten gets them all in three calls, in order, and each has its own result."""
    calls: list[list[int]] = []

    async def many(jobs: list[Work]) -> list[Answer]:
        calls.append([job.number for job in jobs])
        return await double(jobs)

    flow = make_flow(many, batch=10, linger=0.2)
    ids = await flow.create_jobs(Given(number=number) for number in range(25))
    async with flow:
        records = await ended(flow, ids)
    assert [record.view(Answer).answer for record in records] == [number * 2 for number in range(25)]
    assert [number for call in calls for number in call] == list(range(25))
    assert [len(call) for call in calls] == [10, 10, 5]


async def test_a_full_batch_does_not_linger(make_flow: MakeFlow) -> None:
    """It starts with its last job; and one that is not full, when its first job has lingered."""
    async with make_flow(double, batch=3, linger=FOREVER) as flow:
        await ended(flow, await flow.create_jobs([Given()] * 3))
    async with make_flow(double, batch=1000, linger=0.01) as flow:
        await ended(flow, [await flow.create_job(Given())])


async def test_each_item_is_the_end_of_its_job(make_flow: MakeFlow) -> None:
    """Results, verdicts and exceptions of one call: each job ends by its own, as if it had been alone."""
    items: list[Any] = [
        *(Answer(answer=7), None, Fail("no"), Cancel("enough"), ValueError("broken"), asyncio.CancelledError(), 7),
        *(Retry("once more", after=0), Snooze("later", after=0)),
    ]

    async def many(jobs: list[Work]) -> list[Any]:
        if len(jobs) < len(items):  # those that come again
            return [Answer(answer=current.attempt) for current in current_jobs()]
        return [items[job.number] for job in jobs]

    flow = make_flow(many, batch=len(items), linger=0.2)
    ids = await flow.create_jobs(Given(number=number) for number in range(len(items)))
    async with flow:
        records = await ended(flow, ids)
    ends = [f"{record.status} {record.error.type if record.error else None}" for record in records]
    assert ends == [
        *("done None", "done None", "failed Fail", "cancelled None", "failed ValueError", "failed CancelledError"),
        *("failed ValidationError", "done None", "done None"),
    ]
    assert [record.view(Answer).answer for record in records[-2:]] == [2, 1]


async def test_what_it_raises_is_raised_by_all(make_flow: MakeFlow) -> None:
    """Each job is tried again as its queue says, with the same traceback."""
    flow = make_flow(raising_first, batch=4, linger=0.2, retries=Retries(2, timedelta(milliseconds=1)))
    ids = await flow.create_jobs([Given(number=5)] * 4)
    async with flow:
        records = await ended(flow, ids)
    assert [(record.status, record.attempts) for record in records] == [("done", 2)] * 4
    flow = make_flow(raising_first, batch=4, linger=0.2)
    ids = await flow.create_jobs([Given(number=5)] * 4)
    async with flow:
        errors = [record.error for record in await ended(flow, ids)]
    assert [error and (error.type, error.message) for error in errors] == [("ValueError", "not yet")] * 4
    traces = {error.traceback for error in errors if error}
    assert len(traces) == 1
    assert "raising_first" in traces.pop()


async def test_an_error_that_is_shared_is_each_jobs_own(make_flow: MakeFlow) -> None:
    """The traceback that one job is given has nothing of the others'."""
    error = ValueError("never raised")

    async def many(jobs: list[Work]) -> list[ValueError]:
        return [error] * len(jobs)

    flow = make_flow(many, batch=3, linger=FOREVER)
    ids = await flow.create_jobs([Given()] * 3)
    async with flow:
        errors = [record.error for record in await ended(flow, ids)]
    assert len({one.traceback for one in errors if one}) == 1


async def raising_first(jobs: list[Work]) -> list[Answer]:
    """Raise in the first attempt."""
    if current_jobs()[0].attempt == 1:
        raise ValueError("not yet")
    return await double(jobs)


@pytest.mark.parametrize(
    ("returned", "why"),
    [
        ([None], "returned 1 items for 2 jobs"),
        ([None] * 3, "returned 3 items for 2 jobs"),
        (None, "returned NoneType"),
        (Answer(answer=1), "returned Answer"),
        ("ab", "returned str"),
        ({1: 2}, "returned dict"),
        (iter([None, None]), "returned list_iterator"),
    ],
)
async def test_a_wrong_list_fails_all(make_flow: MakeFlow, returned: Any, why: str) -> None:
    """At once, whatever `retries` says, by an error that says what to return."""

    async def many(_jobs: list[Work]) -> Any:
        return returned

    flow = make_flow(many, batch=2, linger=FOREVER, retries=Retries(5))
    ids = await flow.create_jobs([Given()] * 2)
    async with flow:
        records = await ended(flow, ids)
    message = f"the worker function of a batch {why}: return a list with one item a job"
    assert [(r.attempts, r.error and (r.error.type, r.error.message)) for r in records] == [
        (1, ("ValidationError", message))
    ] * 2


@pytest.mark.parametrize("linger", [0, 0.001])
async def test_concurrency_counts_batches(make_flow: MakeFlow, linger: float) -> None:
    """No more of them run at once, however few jobs each has; and the lanes are enough for all of their jobs."""
    running: list[int] = []
    most = 0

    async def many(jobs: list[Work]) -> list[None]:
        nonlocal most
        running.append(len(jobs))
        most = max(most, len(running))
        await asyncio.sleep(0.002)
        running.pop()
        return [None] * len(jobs)

    async with make_flow(many, batch=5, linger=linger, concurrency=2) as flow:
        ids = [job_id for number in range(20) for job_id in await flow.create_jobs([Given()] * (number % 4))]
        await ended(flow, ids)
        assert [worker.concurrency for worker in flow.workers] == [10]
    assert most == 2


async def test_a_plain_function_runs_in_a_thread(make_flow: MakeFlow) -> None:
    """With `current_jobs()` for each of its jobs, whose progress and log it reports."""
    threads: list[str] = []

    def many(jobs: list[Work]) -> list[Answer]:
        threads.append(threading.current_thread().name)
        for job, current in zip(jobs, current_jobs(), strict=True):
            assert current.id == job.id
            current.progress(0.5, f"half of {job.number}")
            current.log(f"line of {job.number}")
        return [Answer(answer=job.number) for job in jobs]

    flow = make_flow(many, batch=3, linger=FOREVER)
    ids = await flow.create_jobs(Given(number=number) for number in range(3))
    async with flow:
        records = await ended(flow, ids)
        logs = [[line.text for line in await flow.get_log(job_id)] for job_id in ids]
    assert threads == ["flows-worker"]
    assert [record.progress for record in records] == [(0.5, f"half of {number}") for number in range(3)]
    assert logs == [[f"line of {number}"] for number in range(3)]


async def test_what_runs_is_of_no_one_job(make_flow: MakeFlow) -> None:
    """`current_job()` says what to call instead, log lines name the queue alone, and a single job is a list of one."""
    lines: list[tuple[object, ...]] = []
    record = logging.LogRecord("mine", logging.INFO, "", 0, "text", None, None)

    async def many(jobs: list[Work]) -> list[None]:
        with pytest.raises(FlowsError, match=r"a batch of jobs runs here: call current_jobs\(\)"):
            current_job()
        JobContextFilter().filter(record)
        named: Any = record
        lines.append((named.job_id, named.job_queue, named.job_attempt, named.correlation_id))
        return [None] * len(jobs)

    async def one(_job: Work) -> None:
        assert current_jobs() == [current_job()]

    for function, options in ((many, {"batch": 2}), (one, {})):
        async with make_flow(function, **options) as flow:
            (end,) = await ended(flow, [await flow.create_job(Given(), correlation_id="c")])
            assert end.status == "done", end.error
    assert lines == [("", "work", "", "")]
    with pytest.raises(FlowsError, match="no job runs here"):
        current_jobs()


async def test_a_job_is_cancelled_while_it_gathers(make_flow: MakeFlow) -> None:
    """It leaves its batch, and the others wait on for one more."""
    got: list[list[str]] = []

    async def many(jobs: list[Work]) -> list[None]:
        got.append([job.id for job in jobs])
        return [None] * len(jobs)

    async with make_flow(many, batch=2, linger=FOREVER) as flow:
        (worker,) = flow.workers
        first = await flow.create_job(Given())
        await until(lambda: worker.running == 1)
        await flow.cancel_job(first)
        assert (await within(flow.wait_for(first, LONG))).status == "cancelled"
        ids = await flow.create_jobs([Given()] * 2)
        assert [record.status for record in await ended(flow, ids)] == ["done"] * 2
    assert got == [ids]


async def test_a_job_is_cancelled_in_a_running_batch(make_flow: MakeFlow) -> None:
    """It ends at once and the function may see that it is cancelled; the others end by what the function says."""
    begun, go_on = asyncio.Event(), asyncio.Event()
    cancelled: list[bool] = []

    async def many(jobs: list[Work]) -> list[Answer]:
        begun.set()
        await go_on.wait()
        cancelled.extend(current.cancelled for current in current_jobs())
        return await double(jobs)

    async with make_flow(many, batch=2, linger=FOREVER) as flow:
        ids = await flow.create_jobs([Given(number=1), Given(number=2)])
        await within(begun.wait())
        await flow.cancel_job(ids[0])
        assert (await within(flow.wait_for(ids[0], LONG))).status == "cancelled"
        go_on.set()
        assert (await within(flow.wait_for(ids[1], LONG))).view(Answer).answer == 4
    assert cancelled == [True, False]


@pytest.mark.parametrize("says", ["nothing", "results"])
async def test_all_jobs_of_a_batch_are_cancelled(make_flow: MakeFlow, says: str) -> None:
    """Then the function is: its jobs are cancelled when it has stopped, or end by what it still returns for them."""
    begun = asyncio.Event()
    stopped: list[int] = []

    async def many(jobs: list[Work]) -> list[Answer]:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.append(len(jobs))
            if says == "nothing":
                raise
        return await double(jobs)

    async with make_flow(many, batch=2, linger=FOREVER) as flow:
        ids = await flow.create_jobs([Given(number=1), Given(number=2)])
        await within(begun.wait())
        first, second = [asyncio.create_task(flow.cancel_job(job_id)) for job_id in ids]
        await asyncio.gather(first, second)
        records = await ended(flow, ids)
    assert stopped == [2]
    # Of the two cancellations one may come first: that job has left before the function was stopped.
    assert {record.status for record in records} <= ({"cancelled"} if says == "nothing" else {"cancelled", "done"})
    assert says == "nothing" or records[1].status == "done" or records[0].status == "done"


@pytest.mark.parametrize("executor", ["loop", "thread"])
async def test_a_timeout_ends_all(make_flow: MakeFlow, executor: str) -> None:
    """Every job is over its own, and an async function is stopped with the last."""
    release = threading.Event()
    stopped: list[str] = []

    async def hangs(_jobs: list[Work]) -> list[None]:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append("loop")
        return []

    def blocks(_jobs: list[Work]) -> list[None]:
        release.wait(LONG)
        return []

    function = hangs if executor == "loop" else blocks
    async with make_flow(function, batch=3, linger=0.05, timeout=0.2) as flow:
        records = await ended(flow, await flow.create_jobs([Given()] * 3))
        release.set()
    assert [record.error and record.error.type for record in records] == ["Timeout"] * 3
    assert stopped == (["loop"] if executor == "loop" else [])


async def test_a_worker_that_stops_releases_its_batch(make_flow: MakeFlow) -> None:
    """After its grace, when the function has stopped; and what has gathered runs at the next start, in full."""
    begun = asyncio.Event()
    hurried: list[bool] = []

    async def many(jobs: list[Work]) -> list[Answer]:
        if not hurried:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                hurried.append(True)
        return await double(jobs)

    flow = make_flow(many, batch=3, linger=FOREVER)
    ids = await flow.create_jobs([Given(number=4)] * 3)
    async with flow:
        await within(begun.wait())
        await flow.stop_all(grace=0)
        records = await flow.get_jobs(ids)
        assert [record and (record.status, record.attempts) for record in records] == [("waiting", 0)] * 3
        await flow.start_all()
        assert [record.view(Answer).answer for record in await ended(flow, ids)] == [8] * 3


async def test_a_batch_may_stop_its_own_flow(make_flow: MakeFlow) -> None:
    """The call returns at once, and the flow stops when the batch has ended."""

    async def many(jobs: list[Work]) -> list[None]:
        await flow.stop_all()
        return [None] * len(jobs)

    flow = make_flow(many, batch=2, linger=FOREVER)
    ids = await flow.create_jobs([Given()] * 2)
    await flow.start_all()
    await until(lambda: all(worker.status == "stopped" for worker in flow.workers))
    async with flow:
        assert [record.status for record in await ended(flow, ids)] == ["done"] * 2


async def test_a_batch_outlives_the_job_that_stands_for_it(make_flow: MakeFlow) -> None:
    """When that job has left, the function may stop its flow all the same."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def many(jobs: list[Work]) -> list[None]:
        begun.set()
        await go_on.wait()
        await flow.stop_all()
        return [None] * len(jobs)

    flow = make_flow(many, batch=2, linger=FOREVER)
    ids = await flow.create_jobs([Given()] * 2)
    await flow.start_all()
    await within(begun.wait())
    await flow.cancel_job(ids[0])
    await within(flow.wait_for(ids[0], LONG))
    go_on.set()
    await until(lambda: all(worker.status == "stopped" for worker in flow.workers))
    async with flow:
        assert [record.status for record in await ended(flow, ids)] == ["cancelled", "done"]


async def test_what_a_batch_starts_is_no_part_of_it(make_flow: MakeFlow, redis_url: str, namespace: str) -> None:
    """The jobs of a flow that its function starts are single ones again."""

    async def one(job: Work) -> Answer:
        assert current_job().id == job.id
        return Answer(answer=job.number)

    other = number_flow(redis_url, f"{namespace}other:", one)

    async def many(jobs: list[Work]) -> list[Answer]:
        async with other:
            job_id = await other.create_job(Given(number=9))
            answer = (await other.wait_for(job_id, LONG)).view(Answer)
        return [answer for _job in jobs]

    async with make_flow(many, batch=2) as flow:
        (record,) = await ended(flow, [await flow.create_job(Given())])
    assert record.view(Answer).answer == 9


said: ContextVar[str] = ContextVar("said", default="nothing")


async def test_the_context_of_one_job_is_not_the_functions(make_flow: MakeFlow) -> None:
    """What middleware sets for a job says nothing of the others."""
    seen: list[str] = []

    class Setting(Middleware):
        @override
        async def attempt(self, job: Job, current: CurrentJob, call_next: AttemptNext) -> JobResult | Verdict | None:
            said.set(job.id)
            return await call_next(job)

    async def many(jobs: list[Work]) -> list[None]:
        seen.append(said.get())
        return [None] * len(jobs)

    async with make_flow(many, batch=2, linger=0.01, middleware=[Setting()]) as flow:
        for count in (1, 2):
            await ended(flow, await flow.create_jobs([Given()] * count))
    assert set(seen) == {"nothing"}


async def test_a_job_that_is_cancelled_before_its_batch_begins() -> None:
    """The function does not get it; where it gets none at all, it is not called."""
    got: list[list[str]] = []

    async def many(jobs: list[Work]) -> list[str]:
        got.append([job.id for job in jobs])
        return [job.id for job in jobs]

    batches = Batches(many, Batching(2, 60), 1)

    async def call(current: CurrentJob) -> Any:
        set_current(current)
        return await batches.call(Work(id=current.id, number=1))

    for cancelled in ([0], [0, 1], []):
        currents = [CurrentJob(name, "work", 1, 1, 0, lambda *_report: None) for name in ("a", "b")]
        calls = [asyncio.create_task(call(current)) for current in currents]
        await asyncio.sleep(0)  # the batch is made, and its task has not begun
        for at in cancelled:
            currents[at].cancelled = True
            calls[at].cancel()
        answers = await within(asyncio.gather(*calls, return_exceptions=True))
        assert [isinstance(answer, asyncio.CancelledError) for answer in answers] == [at in cancelled for at in (0, 1)]
    assert got == [["b"], ["a", "b"]]
    assert not batches.runs_here


async def test_a_resource_is_its_second_argument(make_flow: MakeFlow) -> None:
    """As of functions of one job, by the decorator too."""

    @asynccontextmanager
    async def factor() -> AsyncIterator[int]:
        yield 3

    flow = make_flow()

    @flow.worker(Work, batch=2, linger=FOREVER, lifespan=factor)
    async def many(jobs: list[Work], times: int) -> list[Answer]:
        return [Answer(answer=job.number * times) for job in jobs]

    ids = await flow.create_jobs([Given(number=2), Given(number=3)])
    async with flow:
        assert [record.view(Answer).answer for record in await ended(flow, ids)] == [6, 9]
    assert many.__name__ == "many"


async def test_middleware_stands_around_each_job(make_flow: MakeFlow) -> None:
    """It sees them one by one, and what it says of one is that one's end."""

    class Picky(Middleware):
        @override
        async def attempt(self, job: Job, current: CurrentJob, call_next: AttemptNext) -> JobResult | Verdict | None:
            result = await call_next(job)
            return Fail("not this one") if getattr(job, "number", 0) == 1 else result

    flow = make_flow(double, batch=3, linger=FOREVER, middleware=[Picky()])
    ids = await flow.create_jobs(Given(number=number) for number in range(3))
    async with flow:
        assert [record.status for record in await ended(flow, ids)] == ["done", "failed", "done"]


async def test_under_a_task_factory(make_flow: MakeFlow) -> None:
    """A factory need not take a context, and may fail: then the jobs of the batch do."""
    loop = asyncio.get_running_loop()
    fails = False

    def factory(loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        if fails and "Batches._run" in coro.__qualname__:
            raise RuntimeError("no task")
        return asyncio.Task(coro, loop=loop)

    loop.set_task_factory(factory)  # type: ignore[arg-type]
    try:
        async with make_flow(double, batch=2, linger=FOREVER) as flow:
            ids = await flow.create_jobs([Given(number=1)] * 2)
            assert [record.view(Answer).answer for record in await ended(flow, ids)] == [2, 2]
            fails = True
            records = await ended(flow, await flow.create_jobs([Given()] * 2))
            assert [record.error and record.error.message for record in records] == ["no task"] * 2
    finally:
        loop.set_task_factory(None)


def test_a_flow_with_batches_starts_in_one_loop_after_another(make_flow: MakeFlow) -> None:
    """What a loop that has ended has gathered is no other's."""
    flow = make_flow(double, batch=2, linger=FOREVER)

    async def half() -> str:
        job_id = await flow.create_job(Given(number=1))
        await flow.start_all()
        await until(lambda: flow.workers[0].running == 1)
        await flow.stop_all(grace=0)
        return job_id

    async def whole(first: str) -> list[int]:
        async with flow:
            ids = [first, await flow.create_job(Given(number=2))]
            return [record.view(Answer).answer for record in await ended(flow, ids)]

    assert asyncio.run(whole(asyncio.run(half()))) == [2, 4]


async def one_job(job: Work) -> Answer:
    """Take one job."""
    return Answer(answer=job.number)


async def one_result(jobs: list[Work]) -> Answer:
    """Return one result."""
    return Answer(answer=len(jobs))


@pytest.mark.parametrize(
    ("function", "options", "why"),
    [
        (double, {"batch": 0}, "batch=0: give a positive whole number"),
        (double, {"batch": True}, "batch=True"),
        (double, {"batch": 2, "executor": "process"}, "batches run in the loop or in a thread"),
        (double, {"batch": 2, "linger": -1}, "linger=-1 s is not positive"),
        (double, {"batch": 2, "linger": "10"}, "linger='10'"),
        (double, {"batch": 2, "linger": 2, "timeout": 2}, "linger=2 s is not shorter than the queue's timeout of 2 s"),
        (one_job, {"linger": 1}, "without batch="),
        (one_job, {"batch": 2}, r"takes one Work: with batch= it gets a list\[Work\]"),
        (one_result, {"batch": 2}, "returns Answer: with batch= return a list"),
        (double, {}, "takes a list of jobs: give batch="),
    ],
)
def test_what_cannot_be_gathered_is_refused(
    make_flow: MakeFlow, function: Any, options: dict[str, Any], why: str
) -> None:
    """When the workers are created."""
    with pytest.raises(DeclarationError, match=why):
        make_flow(function, **options)


def test_lists_of_other_things_are_refused(make_flow: MakeFlow) -> None:
    """Of another queue's jobs, and of what is no result."""
    flow: NumberFlow = make_flow()  # type: ignore[assignment]

    class Other(Job):
        """A job of no queue."""

    async def others(jobs: list[Other]) -> list[None]:
        return [None] * len(jobs)

    async def numbers(jobs: list[Work]) -> list[int]:
        return [job.number for job in jobs]

    async def fine(jobs: Sequence[Work]) -> tuple[Answer | Verdict | ValueError | None, ...]:
        return (None,) * len(jobs)

    with pytest.raises(DeclarationError, match="takes a Other, but the jobs of queue 'work' are Work"):
        flow.create_workers(Work, others, batch=2)  # type: ignore[call-overload]
    with pytest.raises(DeclarationError, match="returns int: return a JobResult or None"):
        flow.create_workers(Work, numbers, batch=2)  # type: ignore[call-overload]
    assert len(flow.create_workers(Work, fine, 2, batch=2)) == 2
