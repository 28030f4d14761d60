"""Middleware: it stands around every attempt of a function, of whatever kind, and what it says is the attempt's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import override

from flows import (
    AttemptNext,
    Creation,
    CurrentJob,
    DeclarationError,
    Fail,
    FlowOptions,
    Job,
    JobRecord,
    JobResult,
    Middleware,
    QueueOptions,
    Retries,
    Verdict,
    current_job,
)
from flows.kernel.around.middleware import around
from tests.kernel.parts import LONG, Answer, Function, Given, MakeFlow, Work, double, in_process, within

said: ContextVar[str] = ContextVar("said", default="nothing")


class Noting(Middleware):
    """Note when an attempt begins and ends, and say so in a context variable."""

    def __init__(self, name: str, notes: list[str]) -> None:
        self.name = name
        self.notes = notes

    async def attempt(self, job: Job, current: CurrentJob, call_next: AttemptNext) -> JobResult | Verdict | None:
        """Note it."""
        assert (current_job(), current.id, current.queue) == (current, job.id, "work")
        said.set(self.name)
        self.notes.append(f"{self.name} begins")
        try:
            return await call_next(job)
        finally:
            self.notes.append(f"{self.name} ends")


async def ended(
    make_flow: MakeFlow, function: Function, *middleware: Middleware, **options: object
) -> JobRecord[Given]:
    """Run one job and return how it ended."""
    async with make_flow(function, middleware=middleware, **options) as flow:
        return await within(flow.wait_for(await flow.create_job(Given(number=6)), LONG))


def in_a_thread(job: Work) -> Answer:
    """Return what the context says."""
    assert said.get() == "inner"
    return Answer(answer=job.number)


async def in_the_loop(job: Work) -> Answer:
    """Do the same."""
    return in_a_thread(job)


@pytest.mark.parametrize("function", [in_the_loop, in_a_thread])
async def test_the_first_is_the_outermost(make_flow: MakeFlow, function: Function) -> None:
    """They nest in their order, and the function runs in the context that they have made."""
    notes: list[str] = []
    record = await ended(make_flow, function, Noting("outer", notes), Middleware(), Noting("inner", notes))
    assert record.view(Answer).answer == 6
    assert notes == ["outer begins", "inner begins", "inner ends", "outer ends"]


async def test_a_function_in_a_process(make_flow: MakeFlow) -> None:
    """The middleware stays in the worker, and goes around the call of the process."""
    notes: list[str] = []
    record = await ended(make_flow, in_process, Noting("only", notes), executor="process")
    assert (record.view(Answer).answer, notes) == (1, ["only begins", "only ends"])


async def test_each_attempt_is_one_call(make_flow: MakeFlow) -> None:
    """A job that is retried goes through it again; what the function raised passes through it."""
    notes: list[str] = []

    async def failing(job: Work) -> Answer:
        if current_job().attempt == 1:
            raise ValueError("not yet")
        return Answer(answer=job.number)

    record = await ended(make_flow, failing, Noting("n", notes), retries=Retries(2, timedelta(milliseconds=1)))
    assert (record.status, record.attempts) == ("done", 2)
    assert notes == ["n begins", "n ends"] * 2


class Saying(Middleware):
    """Return or raise something instead of going on."""

    def __init__(self, what: JobResult | Verdict | Exception | int | None) -> None:
        self.what = what

    @override
    async def attempt(self, job: Job, current: CurrentJob, call_next: AttemptNext) -> JobResult | Verdict | None:
        """Say it."""
        if isinstance(self.what, ValueError):
            raise self.what
        return self.what  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("what", "end"),
    [
        (Answer(answer=7), "done None"),
        (None, "done None"),
        (Fail("not today"), "failed Fail"),
        (ValueError("broken"), "failed ValueError"),
        (7, "failed ValidationError"),
    ],
)
async def test_what_it_says_is_the_attempts(
    make_flow: MakeFlow, what: JobResult | Verdict | Exception | int | None, end: str
) -> None:
    """It can end an attempt without its function; what it raises or returns is judged as the function's."""
    record = await ended(make_flow, double, Saying(what))
    assert f"{record.status} {record.error.type if record.error else None}" == end


async def test_a_job_can_be_changed_on_its_way(make_flow: MakeFlow) -> None:
    """The function gets what middleware hands on."""

    class Raising(Middleware):
        @override
        async def attempt(self, job: Job, current: CurrentJob, call_next: AttemptNext) -> JobResult | Verdict | None:
            return await call_next(job.model_copy(update={"number": 50}))

    assert (await ended(make_flow, double, Raising())).view(Answer).answer == 100


async def test_a_cancelled_attempt_passes_through_it(make_flow: MakeFlow) -> None:
    """Middleware is there when a function is stopped, and cleans up."""
    notes: list[str] = []
    begun = asyncio.Event()

    async def waiting(_job: Work) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with make_flow(waiting, middleware=[Noting("n", notes)]) as flow:
        job_id = await flow.create_job(Given())
        await within(begun.wait())
        await flow.cancel_job(job_id)
        assert (await within(flow.wait_for(job_id, LONG))).status == "cancelled"
    assert notes == ["n begins", "n ends"]


def test_without_middleware_the_call_is_the_functions() -> None:
    """Who uses none pays nothing, and neither does who has none that wants attempts."""

    async def call(_job: Job) -> None:
        """Do nothing."""

    assert around([], call) is call
    assert around([Middleware()], call) is call


class Short(Middleware):
    """Lacks a parameter."""

    async def attempt(self, job: Job, call_next: AttemptNext) -> JobResult | Verdict | None:  # type: ignore[override]
        """Go on."""
        return await call_next(job)


class Yielding(Middleware):
    """Yields, as middleware of other libraries does."""

    async def attempt(  # type: ignore[override]
        self, job: Job, current: CurrentJob, call_next: AttemptNext
    ) -> AsyncIterator[JobResult | Verdict | None]:
        """Go on."""
        del current
        yield await call_next(job)


class ShortCreate(Middleware):
    """Lacks a parameter of its other method."""

    async def create(self, creation: Creation) -> str:  # type: ignore[override]
        """Return no job's id."""
        return creation.flow


class Static(Middleware):
    """Works as well."""

    @staticmethod
    async def attempt(  # type: ignore[override]
        job: Job, current: CurrentJob, call_next: AttemptNext
    ) -> JobResult | Verdict | None:
        """Go on."""
        del current
        return await call_next(job)


def test_what_can_be_called_is_taken() -> None:
    """However it was written."""
    FlowOptions("numbers", [QueueOptions("work", job=Work)], middleware=[Static()])


class Plain(Middleware):
    """A plain method may return what is awaited, as a decorator around `async def` does; or forget to."""

    def __init__(self, *, forgets: bool = False) -> None:
        self.forgets = forgets

    def attempt(self, job: Job, current: CurrentJob, call_next: AttemptNext) -> Any:
        """Return an awaitable, or None."""
        del current
        return None if self.forgets else call_next(job)


async def test_a_plain_method_returns_what_is_awaited(make_flow: MakeFlow) -> None:
    """Else the attempt fails, by an error that names the method, and not as one that is done."""
    assert (await ended(make_flow, double, Plain())).status == "done"
    record = await ended(make_flow, double, Plain(forgets=True))
    assert record.error is not None
    assert record.error.message == "Plain.attempt returned a NoneType that cannot be awaited: is it `async def`?"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([Short()], "middleware Short: attempt must take job, current and call_next"),
        ([Yielding()], "middleware Yielding: attempt is a generator"),
        ([ShortCreate()], "middleware ShortCreate: create must take creation and call_next"),
        ([Noting], "middleware Noting is a class: make one of it"),
        ([print], "subclass flows.Middleware"),
        (Middleware(), "give a list"),
        ("middleware", "give a list"),
    ],
)
def test_what_is_no_middleware(given: object, why: str) -> None:
    """It is refused when the flow is declared."""
    with pytest.raises(DeclarationError, match=why):
        FlowOptions("numbers", [QueueOptions("work", job=Work)], middleware=given)  # type: ignore[arg-type]
