"""One attempt: whatever the hash holds and whatever the function does, the job ends and the worker goes on."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import traceback
from datetime import timedelta

import pytest
from redis import Redis

from flows import Fail, JobRecord, JobResult, Retries, Retry, Snooze, Verdict, current_job
from flows.kernel.attempt import Attempt
from flows.kernel.attempt_runner import AttemptRunner
from flows.kernel.current import CurrentJob
from flows.kernel.deploy import misfits
from flows.kernel.fleet.other_releases import OtherReleases
from flows.kernel.handler import make_handler
from flows.model.flow_options import FlowOptions
from flows.model.plan import plans
from flows.model.queue_options import QueueOptions
from flows.store.jobs.claimed import ClaimedJob
from flows.telemetry.events import Events
from tests.kernel.parts import LONG, Answer, Function, Given, MakeFlow, Work, double, within


class Boom(Exception):
    """An error with a name of its own."""


class Unprintable(Exception):
    """An error whose text cannot be made."""

    def __str__(self) -> str:
        """Fail."""
        raise RuntimeError("no text")


class Outside(BaseException):
    """An error that is no Exception, such as other frameworks use to unwind."""


async def outcomes_of(make_flow: MakeFlow, function: Function, **options: object) -> list[JobRecord[Given]]:
    """Run a function on the numbers 0 and 1, and return how these jobs ended."""
    async with make_flow(function, **options) as flow:
        ids = await flow.create_jobs([Given(number=0), Given(number=1)])
        return [await flow.wait_for(job_id, LONG) for job_id in ids]


def failing_at_0(error: BaseException) -> Function:
    """Return a function that raises for the number 0."""

    async def function(job: Work) -> Answer:
        if job.number == 0:
            raise error
        return await double(job)

    return function


async def test_an_error_is_kept_as_it_was(make_flow: MakeFlow) -> None:
    """A job that raises has failed with the type, message, traceback, queue and attempt of it; others go on."""
    failed, done = await outcomes_of(make_flow, failing_at_0(Boom("out of ink")))
    assert failed.status == "failed"
    assert failed.error is not None
    assert (failed.error.type, failed.error.message) == ("Boom", "out of ink")
    assert (failed.error.queue, failed.error.attempt) == ("work", 1)
    assert "in function\n    raise error" in failed.error.traceback
    assert "out of ink" in failed.error.traceback
    assert (done.status, done.view(Answer).answer) == ("done", 2)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (SystemExit(3), "SystemExit"),
        (GeneratorExit(), "GeneratorExit"),
        (Outside("elsewhere"), "Outside"),
        (asyncio.CancelledError(), "CancelledError"),
        (StopAsyncIteration(), "StopAsyncIteration"),
        (ExceptionGroup("many", [Boom("one")]), "ExceptionGroup"),
    ],
)
async def test_what_would_end_a_program_fails_the_job(make_flow: MakeFlow, error: BaseException, kind: str) -> None:
    """SystemExit, errors that are no Exception, and a function that cancels itself fail the job, not the worker."""
    failed, done = await outcomes_of(make_flow, failing_at_0(error))
    assert failed.error is not None
    assert (failed.status, failed.error.type) == ("failed", kind)
    assert done.status == "done"


@pytest.mark.parametrize(
    ("error", "kind"),
    [(SystemExit(3), "SystemExit"), (StopIteration(), "RuntimeError"), (GeneratorExit(), "GeneratorExit")],
)
async def test_what_would_end_a_thread_fails_the_job(make_flow: MakeFlow, error: BaseException, kind: str) -> None:
    """A plain function that exits, or lets a StopIteration out (which no future can hold), fails its job."""

    def function(job: Work) -> Answer:
        if job.number == 0:
            raise error
        return Answer(answer=1)

    failed, done = await outcomes_of(make_flow, function)
    assert failed.error is not None
    assert (failed.status, failed.error.type) == ("failed", kind)
    assert done.status == "done"


async def test_an_error_without_text_is_kept(make_flow: MakeFlow) -> None:
    """Even an error whose str() raises fails its job, and is told by its type."""
    failed, done = await outcomes_of(make_flow, failing_at_0(Unprintable()))
    assert failed.error is not None
    assert (failed.error.type, failed.error.message) == ("Unprintable", "its text could not be made")
    assert "Unprintable" in failed.error.traceback
    assert done.status == "done"


async def test_an_error_with_lone_surrogates_is_kept(make_flow: MakeFlow) -> None:
    """The name of a file that is no UTF-8 in a message does not hinder its being stored."""
    failed, done = await outcomes_of(make_flow, failing_at_0(Boom("no file caf\udce9")))
    assert failed.error is not None
    assert failed.error.message == "no file caf?"
    assert done.status == "done"


async def test_long_errors_are_cut(make_flow: MakeFlow) -> None:
    """A message of a megabyte is kept in part: errors must not fill the server."""
    failed, _done = await outcomes_of(make_flow, failing_at_0(Boom("x" * 1_000_000)))
    assert failed.error is not None
    assert len(failed.error.message) == 8_000
    assert len(failed.error.traceback) <= 32_000


@pytest.mark.parametrize("wrong", [7, "text", {"answer": 1}, [Answer(answer=1)], Answer])
async def test_a_result_of_a_wrong_type_fails(make_flow: MakeFlow, wrong: object) -> None:
    """Anything but a JobResult or None fails the job, and the message says what came."""

    async def function(job: Work) -> object:
        return wrong if job.number == 0 else await double(job)

    failed, done = await outcomes_of(make_flow, function)
    assert failed.error is not None
    assert (failed.status, failed.error.type) == ("failed", "ValidationError")
    assert f"returned {type(wrong).__name__}" in failed.error.message
    assert done.status == "done"


async def test_a_result_that_is_too_large_fails(make_flow: MakeFlow) -> None:
    """A result over max_payload is not written; the error names the limit and what to do."""

    class Large(JobResult):
        text: str

    async def function(job: Work) -> JobResult:
        return Large(text="x" * 2_000) if job.number == 0 else await double(job)

    failed, done = await outcomes_of(make_flow, function, max_payload=1_000)
    assert failed.error is not None
    assert failed.error.type == "PayloadTooLarge"
    assert "max_payload=1,000" in failed.error.message
    assert "text" not in failed.view(Given).model_dump()
    assert done.status == "done"


@pytest.mark.parametrize("value", ['"seven"', "{", "", "null"])
async def test_a_hash_that_does_not_fit_fails_alone(
    make_flow: MakeFlow, redis: Redis, namespace: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A field that somebody edited into what its class does not declare fails that job as malformed, and no other."""
    monkeypatch.setattr(misfits, "IN_ALL", 0.0)
    flow = make_flow(double)
    ids = await flow.create_jobs([Given(number=0), Given(number=1)])
    redis.hset(f"{namespace}job:numbers:{ids[0]}", "number", value)
    async with flow:
        failed, done = [await flow.wait_for(job_id, LONG) for job_id in ids]
    assert failed.error is not None
    assert (failed.status, failed.error.type, failed.error.attempt) == ("failed", "MalformedJob", 1)
    assert (done.status, done.view(Answer).answer) == ("done", 2)


async def test_the_traceback_is_the_functions(make_flow: MakeFlow) -> None:
    """The traceback ends where the function raised, with the causes that Python would show."""

    async def function(_job: Work) -> None:
        try:
            int("seven")
        except ValueError as error:
            raise Boom("no number") from error

    failed, _ = await outcomes_of(make_flow, function)
    assert failed.error is not None
    assert "direct cause of the following exception" in failed.error.traceback
    assert failed.error.traceback.rstrip().endswith("Boom: no number")
    assert traceback.format_exc() not in failed.error.traceback


class Ending:
    """A function that waits to be told to end, and then raises an error, or what it was told."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error
        self.begun = asyncio.Event()

    async def __call__(self, _job: Work) -> Verdict | None:
        """Wait; a later attempt is done at once."""
        if current_job().fence > 1:
            return None
        self.begun.set()
        try:
            await within(asyncio.Event().wait())
        except asyncio.CancelledError:
            if self.error is None:
                raise
            raise self.error from None
        raise AssertionError


@pytest.mark.parametrize("error", [None, Boom("while it cleaned up"), SystemExit(3), asyncio.CancelledError("mine")])
async def test_what_a_function_raises_when_its_worker_stops(make_flow: MakeFlow, error: BaseException | None) -> None:
    """It says nothing of its job, which is handed back without having used up an attempt."""
    ending = Ending(error)
    flow = make_flow(ending)
    await flow.start_all()
    job_id = await flow.create_job(Given())
    await within(ending.begun.wait())
    await within(flow.stop_all(grace=0))
    record = await flow.get_job(job_id)
    assert record is not None
    assert (record.status, record.attempts, record.error) == ("waiting", 0, None)
    async with flow:
        record = await flow.wait_for(job_id, LONG)
    assert [(past.attempt, past.verb) for past in record.history] == [(1, "release"), (1, "finish")]


@pytest.mark.parametrize("error", [None, Boom("while it cleaned up")])
async def test_what_a_function_raises_when_its_job_is_cancelled(
    make_flow: MakeFlow, error: BaseException | None
) -> None:
    """Neither does that: the job is cancelled, with the reason that was given."""
    ending = Ending(error)
    async with make_flow(ending) as flow:
        job_id = await flow.create_job(Given())
        await within(ending.begun.wait())
        await flow.cancel_job(job_id, "unwanted")
        record = await flow.wait_for(job_id, LONG)
    assert (record.status, record.error) == ("cancelled", None)
    assert [(past.verb, past.reason) for past in record.history] == [("cancel", "unwanted")]


@pytest.mark.parametrize("verdict", [Snooze("not now", after=timedelta(0)), Retry("not now", after=timedelta(0))])
async def test_a_verdict_counts_also_when_the_worker_stops(make_flow: MakeFlow, verdict: Verdict) -> None:
    """Raised as well as returned, it was said on purpose."""
    ending = Ending(verdict)
    flow = make_flow(ending)
    await flow.start_all()
    job_id = await flow.create_job(Given())
    await within(ending.begun.wait())
    await within(flow.stop_all(grace=0))
    async with flow:
        record = await flow.wait_for(job_id, LONG)
    assert [past.verb for past in record.history] == [type(verdict).__name__.lower(), "finish"]


async def test_an_error_that_cannot_be_judged(make_flow: MakeFlow) -> None:
    """A verdict whose author forgot to call the class above fails its job, and its lane goes on."""

    class Unfinished(Fail):
        def __init__(self) -> None:
            pass

    failed, done = await outcomes_of(make_flow, failing_at_0(Unfinished()))
    assert failed.error is not None
    assert (failed.status, failed.error.type) == ("failed", "Unfinished")
    assert done.status == "done"


def test_an_attempt_that_python_drops_ends_quietly() -> None:
    """At the exit of a process whose function did not stop: from another context, and without an outcome."""

    async def stubborn(_job: Work) -> None:
        await asyncio.Event().wait()

    async def no_results(_job_id: str, _queue: str) -> bytes | None:
        return None

    async def no_job(_job_id: str) -> None:
        return None

    async def no_digest() -> str:
        return ""

    async def no_digests(_queue: str) -> set[str | None]:
        return set()

    plan = plans(FlowOptions("numbers", [QueueOptions("work", Work)]), Given)["work"]
    fitting = misfits.Misfits(plan, no_job, OtherReleases(no_digest, no_digests), Events(logging.getLogger("test")))
    runner = AttemptRunner(make_handler(stubborn, Work, None, 1), plan, "numbers", no_results, fitting)
    attempt = Attempt(ClaimedJob([b"1", 1, 1, 0, 0, 0, None, b"7"]), CurrentJob("1", "work", 1, 1, 0, None))
    running = runner.run(attempt)

    async def begin() -> None:
        running.send(None)

    asyncio.run(begin())
    contextvars.Context().run(running.close)


def wrong(_job: Work) -> object:
    """Return what is no result."""
    return {"answer": 7}


@pytest.mark.parametrize("executor", [None, "process"])
async def test_what_is_no_result_is_not_tried_again(make_flow: MakeFlow, executor: str | None) -> None:
    """Another attempt would return the like."""
    async with make_flow(wrong, executor=executor, retries=Retries(max_attempts=3)) as flow:
        record = await flow.wait_for(await flow.create_job(Given()), LONG)
    assert (record.status, record.attempts) == ("failed", 1)
    assert record.error
    assert record.error.type == "ValidationError"
    assert record.error.message == "the worker function returned dict: return a JobResult or None"
