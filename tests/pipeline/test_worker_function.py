"""What a worker function says that it takes: only another queue's job class is a reason to refuse it."""

# ruff: noqa: D102, D103 - most of these functions are nothing but their signatures

from __future__ import annotations

import functools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Generic, NewType, NoReturn, Protocol, TypedDict, TypeVar

import pytest
from pydantic import BaseModel
from typing_extensions import TypeAliasType

from flows import DeclarationError, Flow, FlowOptions, Job, JobResult, QueueOptions, Retry
from flows.pipeline.worker_function import returned_fields

if TYPE_CHECKING:
    from decimal import Decimal

    from elsewhere import Unknown


class Given(BaseModel):
    """What jobs are created with."""

    number: int = 0


class Base(Job):
    """What the queue's class descends from."""

    number: int


class Step(Base):
    """The queue's job."""


class Other(Job):
    """The job of another queue."""


class Special(Step):
    """More than the queue has."""


class HasNumber(Protocol):
    """Whatever has a number."""

    number: int


class Out(JobResult):
    """A result."""

    size: int


class More(JobResult):
    """Another."""

    length: int


class Session:
    """What a function may take beside the job."""


T = TypeVar("T", bound=Step)
Free = TypeVar("Free")
OtherT = TypeVar("OtherT", bound=Other)
Alias = TypeAliasType("Alias", Step)
OtherAlias = TypeAliasType("OtherAlias", Other)
Known = NewType("Known", Step)


async def unannotated(job, session: Session | None = None) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001
async def with_default(job: Step, session: Session | None = None) -> None: ...
async def keyword(job: Step, *, session: Session | None = None) -> None: ...
async def positional(job: Step, /, *more: Other, **rest: Other) -> None: ...
async def many(*jobs: Step) -> None: ...
async def anything(*args: Any, **kwargs: Any) -> None: ...
async def as_any(job: Any) -> None: ...
async def as_object(job: object) -> None: ...
async def as_model(job: BaseModel) -> None: ...
async def as_base(job: Base) -> None: ...
async def as_protocol(job: HasNumber) -> None: ...
async def as_variable(job: T) -> None: ...
async def as_free_variable(job: Free) -> None: ...
async def as_union(job: Other | Step) -> None: ...
async def as_annotated(job: Annotated[Step, "note"]) -> None: ...
async def as_alias(job: Alias) -> None: ...
async def as_new_type(job: Known) -> None: ...
async def as_unknown(job: Unknown) -> None: ...
async def unknown_return(job: Step) -> Unknown: ...
async def unknown_beside(job: Step, price: Decimal | None = None) -> None: ...
async def two_of_which_one_is_given(session: Session, job: Step) -> None: ...


class Calls:
    """An object that can be called."""

    async def __call__(self, job: Step) -> None: ...
    async def method(self, job: Step) -> None: ...
    @classmethod
    async def of_class(cls, job: Step) -> None: ...
    @staticmethod
    async def static(job: Step) -> None: ...


def with_session(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function what it takes before the job."""

    @functools.wraps(function)
    async def call(job: Any) -> Any:
        return await function(Session(), job)

    return call


def adapted(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function of another class what it takes."""

    @functools.wraps(function)
    async def call(job: Any) -> Any:
        return await function(Other(id=job.id))

    return call


async def takes_other(job: Other) -> Out: ...


class CallsStatic:
    """An object whose call needs no `self`."""

    @staticmethod
    async def __call__(job: Step) -> None:
        """Take the job alone."""


LEGAL = [
    *(
        unannotated,
        with_default,
        keyword,
        positional,
        many,
        anything,
        as_any,
        as_object,
        as_model,
        as_base,
        as_protocol,
    ),
    *(as_variable, as_free_variable, as_union, as_annotated, as_alias, as_new_type, as_unknown, unknown_return),
    *(unknown_beside, CallsStatic(), Calls(), Calls().method, Calls.of_class, Calls.static),
    functools.partial(keyword, session=Session()),
    functools.partial(two_of_which_one_is_given, Session()),
    with_session(two_of_which_one_is_given),
    adapted(takes_other),
]


def flow(job: type[Job] = Step) -> Any:
    """Return a flow of one queue."""
    return Flow[Job, Given](FlowOptions(name="functions", queues=[QueueOptions("step", job=job)]))


@pytest.mark.parametrize("function", LEGAL, ids=lambda one: getattr(one, "__name__", type(one).__name__))
def test_what_python_lets_take_a_job_is_a_worker_function(function: Any) -> None:
    """The annotation of the first parameter counts, and only where it is a job class."""
    assert len(flow().create_workers("step", function)) == 1


async def other_variable(job: OtherT) -> None: ...
async def other_alias(job: OtherAlias) -> None: ...
async def other_or_nothing(job: Other | None = None) -> None: ...
async def others(*jobs: Other) -> None: ...
async def special(job: Special) -> None: ...
async def session_and_other(session: Session, job: Other) -> None: ...


class TakesOther:
    """An object that is called with another queue's job."""

    async def __call__(self, job: Other) -> None: ...


REFUSED = [
    *(takes_other, other_variable, other_alias, other_or_nothing, others, special, TakesOther()),
    functools.partial(session_and_other, Session()),
]


@pytest.mark.parametrize("function", REFUSED, ids=lambda one: getattr(one, "__name__", type(one).__name__))
def test_another_queues_job_is_refused(function: Any) -> None:
    """Whatever the annotation goes through."""
    with pytest.raises(DeclarationError, match=r"takes a (Other|Special), but the jobs of queue 'step' are Step"):
        flow().create_workers("step", function)


def test_classes_that_are_local_are_found() -> None:
    """In annotations that are texts, too; a local class is not the module's of the same name."""

    class Step(Job):
        """Not the module's."""

    class Another(Job):
        """Not the queue's."""

    async def right(job: Step) -> None: ...
    async def wrong(job: Another) -> None: ...

    flow(Step).create_workers("step", right)
    with pytest.raises(DeclarationError, match="takes a Another"):
        flow(Step).create_workers("step", wrong)


def test_a_generic_job_class_stands_for_all_of_its_kind() -> None:
    """Pydantic's parametrised classes do not descend from one another."""
    item = TypeVar("item", bound=BaseModel)

    class Box(Job, Generic[item]):
        number: int

    async def of_any(job: Box[Any]) -> None: ...
    async def of_given(job: Box[Given]) -> None: ...

    for function in (of_any, of_given):
        flow(Box[Given]).create_workers("step", function)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="its syntax came with 3.12")
def test_functions_in_the_syntax_of_newer_pythons() -> None:
    """Type parameters of their own, and `type` statements."""
    names: dict[str, Any] = {"Step": Step, "Other": Other}
    source = (
        "{}type Mine = Step\ntype Strange = Other\n"
        "async def one[T: Step](job: T) -> None: ...\n"
        "async def two(job: Mine) -> None: ...\n"
        "async def bad[T: Other](job: T) -> None: ...\n"
        "async def worse(job: Strange) -> None: ...\n"
    )
    for future in ("", "from __future__ import annotations\n"):
        exec(source.format(future), names)  # noqa: S102
        for name in ("one", "two"):
            flow().create_workers("step", names[name])
        for name in ("bad", "worse"):
            with pytest.raises(DeclarationError, match="takes a Other"):
                flow().create_workers("step", names[name])


def generator(job: Step) -> Iterator[int]:
    """Look like a function."""
    yield job.number


async def async_generator(job: Step) -> AsyncIterator[int]:
    """Look like one, too."""
    yield job.number


class CallsGenerator:
    """An object that is called as a generator."""

    def __call__(self, job: Step) -> Iterator[int]:
        """Yield."""
        yield job.number


@pytest.mark.parametrize(
    "function", [generator, async_generator, CallsGenerator(), functools.partial(generator), CallsGenerator().__call__]
)
def test_generators_are_refused(function: Any) -> None:
    """They would return at once, having done nothing."""
    with pytest.raises(DeclarationError, match="is a generator: return a result instead of using yield"):
        flow().create_workers("step", function)


async def says_out(job: Step) -> Out: ...
async def says_one_of_two(job: Step) -> Out | More | Retry | None: ...
async def says_nothing_comes(job: Step) -> None: ...
def says_awaitable(job: Step) -> Coroutine[Any, Any, Out] | Awaitable[More]: ...
async def says_any(job: Step) -> Any: ...
async def says_any_result(job: Step) -> JobResult: ...
async def says_a_dict(job: Step) -> dict[str, int]: ...


@pytest.mark.parametrize(
    ("function", "fields"),
    [
        (says_out, {"size"}),
        (says_one_of_two, {"size", "length"}),
        (says_nothing_comes, set()),
        (says_awaitable, {"size", "length"}),
        (says_any, None),
        (says_any_result, None),
        (says_a_dict, None),
        (unknown_return, None),
        (lambda _job: None, None),
        (adapted(takes_other), None),
    ],
)
def test_the_fields_that_a_function_says_it_returns(function: Any, fields: set[str] | None) -> None:
    """None where it does not say which: what `functools.wraps` has copied is the word of another function."""
    assert returned_fields(function) == fields


class Plain(BaseModel):
    """A model that is no result."""


class Row(TypedDict):
    """A dict with names."""


class StandIn(Any):  # type: ignore[misc]
    """Whatever is needed, as mocks are typed."""


async def returns_dict(job: Step) -> dict[str, int]: ...
async def returns_bare_dict(job: Step) -> dict: ...  # type: ignore[type-arg]
async def returns_text(job: Step) -> str: ...
async def returns_model(job: Step) -> Plain: ...
async def returns_row(job: Step) -> Row: ...
async def returns_job(job: Step) -> Step: ...
async def returns_either(job: Step) -> Out | bool: ...
def brings_dict(job: Step) -> Awaitable[dict[str, int]]: ...
async def returns_object(job: Step) -> object: ...
async def returns_base_model(job: Step) -> BaseModel: ...
async def returns_protocol(job: Step) -> HasNumber: ...
async def returns_variable(job: Step) -> Free: ...  # type: ignore[type-var]
async def returns_never(job: Step) -> NoReturn: ...
async def returns_stand_in(job: Step) -> StandIn: ...
def brings_something(job: Step) -> Awaitable: ...  # type: ignore[type-arg]


@pytest.mark.parametrize(
    ("function", "shown"),
    [
        (returns_dict, "dict[str, int]"),
        (returns_bare_dict, "dict"),
        (returns_text, "str"),
        (returns_model, "Plain"),
        (returns_row, "Row"),
        (returns_job, "Step"),
        (returns_either, "bool"),
        (brings_dict, "dict[str, int]"),
    ],
)
def test_what_returns_no_result_is_refused(function: Any, shown: str) -> None:
    """Its jobs could only fail."""
    with pytest.raises(DeclarationError) as raised:
        flow().create_workers("step", function)
    assert str(raised.value) == (f"the worker function of queue 'step' returns {shown}: return a JobResult or None")


@pytest.mark.parametrize(
    "function",
    [
        *(says_any, returns_object, returns_base_model, returns_protocol, returns_variable, returns_never),
        *(returns_stand_in, brings_something, says_one_of_two, says_awaitable, unknown_return, adapted(says_a_dict)),
    ],
)
def test_what_may_return_a_result_is_left_alone(function: Any) -> None:
    """An annotation that does not say for certain is no reason to refuse a function."""
    assert len(flow().create_workers("step", function)) == 1
