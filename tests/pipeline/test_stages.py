"""Queues held against each other at the start, as far as the worker functions that are there say what they return."""

# ruff: noqa: D103 - most of these functions are nothing but their signatures

from __future__ import annotations

import functools
import time
import warnings
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from flows import (
    ChildrenOf,
    ChildResult,
    DeclarationError,
    DeclarationWarning,
    Flow,
    FlowOptions,
    Job,
    JobResult,
    QueueOptions,
    Retry,
    StoreUnavailable,
)

#: Nobody listens there: a flow that gets so far as to connect has passed the check.
NOWHERE = "redis://127.0.0.1:1"


class New(BaseModel):
    """What jobs are created with."""

    url: str


class First(Job):
    """The first queue's job."""

    url: str


class Second(Job):
    """A job that needs what only a function can write."""

    url: str
    size: int
    note: str = ""


class Third(Job):
    """Another."""

    length: int


class Parent(Job):
    """A parent queue's job."""


class Page(Job):
    """A child's."""


class Sized(JobResult):
    """A result that writes the second queue's field."""

    size: int


class Long(JobResult):
    """A result that writes the third queue's."""

    length: int


class Both(JobResult):
    """A result that has more than is read."""

    size: int
    length: int


class Total(Job):
    """A job that reads the children's results."""

    pages: Annotated[list[ChildResult[Sized]], ChildrenOf("parent", "page")]


def flow(*queues: QueueOptions[Any]) -> Any:
    """Return a flow of these queues."""
    return Flow[Job, New](FlowOptions(name="stages", queues=queues, redis_url=NOWHERE))


def line() -> Any:
    """Return a flow of two queues."""
    return flow(QueueOptions("one", First, "two"), QueueOptions("two", Second))


def fan(last: type[Job] = Total) -> Any:
    """Return a flow with a parent queue."""
    children = [QueueOptions("page", Page)]
    return flow(
        QueueOptions("one", First, "parent"),
        QueueOptions("parent", Parent, "last", children),
        QueueOptions("last", last),
    )


async def passes(flow: Any) -> None:
    """Expect that nothing is said, and that the start comes so far as to connect."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(StoreUnavailable):
            await flow.start_all()


async def sized(job: Job) -> Sized: ...
async def long(job: Job) -> Long: ...
async def both(job: Job) -> Both: ...
async def either(job: Job) -> Long | Sized | Retry | None: ...
async def nothing(job: Job) -> None: ...
async def not_said(job): ...  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
async def any_result(job: Job) -> JobResult: ...
async def end(job: Job) -> Long: ...


@pytest.mark.parametrize("function", [long, nothing])
async def test_a_field_that_no_queue_before_writes_is_refused(function: Callable[..., Any]) -> None:
    """Before a job is created and before a server is asked; the message says what is there."""
    wrong = line()
    wrong.create_workers("one", function)
    wrong.create_workers("two", end)
    returned = "length, url" if function is long else "url"
    with pytest.raises(
        DeclarationError,
        match=f"^Second of queue 'two' needs size, which no queue before it returns; they return {returned}$",
    ):
        await wrong.start_all()


@pytest.mark.parametrize("function", [sized, either, not_said, any_result, functools.partial(sized)])
async def test_nothing_is_said_where_the_field_may_be_written(function: Callable[..., Any]) -> None:
    """By one of several results, or by a function that does not say."""
    right = line()
    right.create_workers("one", function)
    right.create_workers("two", end)
    await passes(right)


async def test_nothing_is_said_where_a_function_before_is_elsewhere() -> None:
    """Its workers run in another process, and may return anything."""
    part = line()
    part.create_workers("two", end)
    await passes(part)
    three = flow(QueueOptions("one", First, "two"), QueueOptions("two", First, "three"), QueueOptions("three", Second))
    three.create_workers("one", long)
    three.create_workers("three", end)
    await passes(three)


async def test_every_function_of_a_queue_counts() -> None:
    """Two kinds of workers at one queue may each return a part of it."""
    two = line()
    two.create_workers("one", long)
    two.create_workers("one", sized)
    await passes(two)


async def to_third(_job: First) -> Sized:
    return Sized(size=1, next_queue="three")


async def back_to_two(_job: Third) -> Sized:
    return Sized(size=1, next_queue="two")


async def anywhere(job: First) -> Long:
    return Long(length=1, next_queue=job.url)


async def test_the_ways_that_functions_choose_count_too() -> None:
    """What a job first comes to, and what it passed before, may be decided by `next_queue` of a result."""
    queues = [QueueOptions("one", First, "two"), QueueOptions("two", Second), QueueOptions("three", Third, "two")]
    chosen = flow(*queues)
    chosen.create_workers("one", anywhere)
    chosen.create_workers("two", nothing)
    chosen.create_workers("three", back_to_two)
    await passes(chosen)
    wrong = flow(*queues)
    wrong.create_workers("one", to_third)
    wrong.create_workers("two", nothing)
    wrong.create_workers("three", nothing)
    with pytest.raises(DeclarationError, match="Third of queue 'three' needs length"):
        await wrong.start_all()


async def test_what_a_queue_itself_leads_to_does_not_come_before_it() -> None:
    """A job comes to it the first time without having been there."""
    with pytest.warns(DeclarationWarning, match="has no end"):
        circle = flow(
            QueueOptions("one", First, "two"), QueueOptions("two", Second, "three"), QueueOptions("three", Third, "two")
        )
    circle.create_workers("one", long)
    circle.create_workers("two", nothing)
    circle.create_workers("three", sized)
    with pytest.raises(DeclarationError, match="Second of queue 'two' needs size"):
        await circle.start_all()


async def only_refuses(job: Job) -> Retry: ...


async def test_a_function_that_returns_verdicts_alone_sends_no_job_on() -> None:
    """So what the next queue needs is no affair of its."""
    right = line()
    right.create_workers("one", only_refuses)
    right.create_workers("two", end)
    await passes(right)


async def test_what_a_queue_writes_to_which_no_way_is_seen_counts_too() -> None:
    """That it is warned of is enough: code that cannot be seen may lead there."""
    aside = flow(
        QueueOptions("one", First, "three"), QueueOptions("two", First, "three"), QueueOptions("three", Second)
    )
    aside.create_workers("one", nothing)
    aside.create_workers("two", sized)
    aside.create_workers("three", end)
    with pytest.warns(DeclarationWarning, match="no next_queue leads to 'two'"), pytest.raises(StoreUnavailable):
        await aside.start_all()


async def test_a_long_line_is_checked_in_no_time() -> None:
    """Each queue is looked at once for each that comes before it, and no function is asked twice."""
    number = 300
    queues = [QueueOptions(f"q{at}", First, f"q{at + 1}") for at in range(number)]
    long_line = flow(*queues, QueueOptions(f"q{number}", Second))
    for at in range(number):
        long_line.create_workers(f"q{at}", sized if at == 0 else nothing)
    long_line.create_workers(f"q{number}", end)
    began = time.process_time()
    await passes(long_line)
    assert time.process_time() - began < 5


def orphan() -> Any:
    """Return a flow in which a `next_queue` was forgotten."""
    return flow(QueueOptions("one", First), QueueOptions("two", Second, "three"), QueueOptions("three", First))


async def test_a_queue_that_nothing_leads_to_is_warned_of() -> None:
    """The warning names the first of several in a row, and points at the start."""
    forgotten = orphan()
    forgotten.create_workers("one", sized)
    with (
        pytest.warns(DeclarationWarning, match="^no next_queue leads to 'two': it gets a job only if") as caught,
        pytest.raises(StoreUnavailable),
    ):
        await forgotten.start_all()
    assert [(warning.filename, str(warning.message).count("two")) for warning in caught] == [(__file__, 2)]


async def goes_to_two(job: First) -> Sized:
    return Sized(size=1, next_queue="two" if job.url else None)


def chosen_elsewhere(job: Job) -> Sized:
    """Make the result, with the way."""
    return Sized(size=1, next_queue="two" if job.id else None)


async def by_a_helper(job: First) -> Sized:
    return chosen_elsewhere(job)


def hidden(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that stands before another one, and does not say so."""

    async def before(job: First) -> Sized:
        result: Sized = await function(job)
        return result

    return before


class GoesToTwo(Sized):
    """A result that has the way in its class."""

    next_queue: str | None = "two"


async def by_its_class(_job: First) -> Sized:
    return GoesToTwo(size=1)


class Chooser:
    """An object one of whose methods chooses."""

    def choose(self, job: First) -> Sized:
        """Make the result, with the way."""
        return chosen_elsewhere(job)

    async def run(self, job: First) -> Sized:
        """Ask the other method."""
        return self.choose(job)


class Chooses:
    """An object that chooses the way of a job."""

    async def __call__(self, job: First) -> Sized:
        """Choose it by a name that is not in the code."""
        where = {"next_queue": job.url}
        return Sized(size=1, **where)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "function",
    [
        goes_to_two, anywhere, Chooses(), functools.wraps(goes_to_two)(lambda _job: None), by_a_helper,
        hidden(goes_to_two), by_its_class, Chooser().run, functools.partial(by_a_helper),
    ],
)  # fmt: skip
async def test_nothing_is_said_where_a_function_chooses_the_way(function: Callable[..., Any]) -> None:
    """As far as its code shows, or that of what it wraps, calls or makes."""
    chosen = flow(QueueOptions("one", First), QueueOptions("two", First))
    chosen.create_workers("one", function)
    await passes(chosen)


async def test_nothing_is_said_of_ways_where_a_function_is_elsewhere() -> None:
    """A process without workers, such as a web server's, says nothing at all."""
    await passes(orphan())


async def test_children_return_what_is_read_of_them() -> None:
    """More than that is no fault: releases differ by a field."""
    right = fan()
    right.create_workers("one", nothing)
    right.create_child_workers("parent", Page, both)
    await passes(right)
    for function in (not_said, nothing):
        silent = fan()
        silent.create_child_workers("parent", Page, function)
        await passes(silent)
    wrong = fan()
    wrong.create_child_workers("parent", Page, end)
    with pytest.raises(
        DeclarationError,
        match=r"Total\.pages of queue 'last' reads the results of 'parent:page' as Sized, which needs size; "
        "its function returns length",
    ):
        await wrong.start_all()


async def test_results_of_children_are_there_after_their_parent_alone() -> None:
    """A job that has not passed the parent queue has none of them."""
    children = [QueueOptions("page", Page)]
    early = flow(
        QueueOptions("one", First, "last"),
        QueueOptions("last", Total, "parent"),
        QueueOptions("parent", Parent, children=children),
    )
    early.create_workers("one", nothing)
    with pytest.raises(DeclarationError, match="wants the results of the children of 'parent', and no job passes"):
        await early.start_all()


class Bare(Job):
    """A class whose field does not say of which children."""

    pages: list[ChildResult[Sized]]


class Plain(Job):
    """A class whose field has the results' own type."""

    pages: Annotated[list[Sized], ChildrenOf("parent", "page")]


class Mapped(Job):
    """A class whose field is no list."""

    pages: Annotated[dict[str, ChildResult[Sized]], ChildrenOf("parent", "page")]


class One(Job):
    """A class whose field is one result."""

    pages: Annotated[ChildResult[Sized], ChildrenOf("parent", "page")]


class Perhaps(Job):
    """A class whose field may be empty, and is a tuple."""

    pages: Annotated[tuple[ChildResult[Sized], ...] | None, ChildrenOf("parent", "page")] = None


def test_a_field_of_results_is_a_list_of_them() -> None:
    """And says of which children; both are seen when the flow is declared."""
    with pytest.raises(DeclarationError, match=r"Bare.pages of queue .last. is a list of ChildResult and does not say"):
        fan(Bare)
    for job in (Plain, Mapped, One):
        with pytest.raises(DeclarationError, match=r"holds the results of children: its type is list\[ChildResult\["):
            fan(job)
    fan(Perhaps)


def test_a_flow_without_parents_may_keep_results_of_children() -> None:
    """As a field like any other."""
    flow(QueueOptions("one", First, "two"), QueueOptions("two", Bare))
