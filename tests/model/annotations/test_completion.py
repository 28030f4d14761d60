"""Models whose fields name types that were not there yet: they are completed, or refused with class and field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict

from flows import ChildrenOf, ChildResult, DeclarationError, Flow, FlowOptions, Job, JobResult, QueueOptions

if TYPE_CHECKING:
    from decimal import Decimal


class Given(BaseModel):
    """What jobs are created with."""

    price: str


class Lost(Job):
    """A class with a type that is there for checkers alone."""

    price: dict[str, Decimal]


class LostParams(BaseModel):
    """The same of Params."""

    price: Decimal


class Inner(BaseModel):
    """A part of a class."""

    known: int
    price: list[Decimal]


class Around(Job):
    """A class with such a part."""

    one: int
    parts: list[Inner]


class LostResult(JobResult):
    """The same of a result."""

    cost: Decimal


class Parent(Job):
    """A parent queue's class."""


def flow(job: Any, params: Any = Given, **options: Any) -> Any:
    """Return a flow of one queue of this class."""
    return Flow[Job, params](FlowOptions(name="complete", queues=[QueueOptions("only", job, **options)]))  # type: ignore[valid-type]


@pytest.mark.parametrize(
    ("job", "params", "named"),
    [
        (Lost, Given, r"^Lost\.price has a type that is not there at run time \(name 'Decimal' is not defined\)"),
        (Job, LostParams, r"^LostParams\.price has"),
        (Around, Given, r"^Inner\.price, a part of Around, has"),
    ],
)
def test_a_class_that_stays_incomplete_is_refused_with_its_field(job: Any, params: Any, named: str) -> None:
    """When the flow is built, and not by its first job."""
    with pytest.raises(DeclarationError, match=named):
        flow(job, params)


def test_the_class_of_a_child_queue_is_looked_at_too() -> None:
    """No worker has to be created for that."""
    with pytest.raises(DeclarationError, match=r"^Lost\.price"):
        flow(Parent, children=[QueueOptions("child", Lost)])


def test_a_result_is_looked_at_when_its_worker_is_created() -> None:
    """Nobody could ever make such a result."""

    async def work(job: Job) -> LostResult: ...

    with pytest.raises(DeclarationError, match=r"^LostResult\.cost"):
        flow(Job).create_workers("only", work)


def test_what_was_defined_later_completes_a_class() -> None:
    """In the same function too, and for the marks of children's results, which an incomplete field does not have."""

    class Early(Job):
        later: Later
        found: Annotated[list[ChildResult[LaterResult]], ChildrenOf("only", "child")]

    class Later(BaseModel):
        number: int

    class LaterResult(JobResult):
        number: int

    assert not Early.__pydantic_complete__
    queues = [QueueOptions("only", Parent, "last", children=[QueueOptions("child", Job)]), QueueOptions("last", Early)]
    Flow[Job, Given](FlowOptions(name="complete", queues=queues))
    assert Early.__pydantic_complete__

    class Wrong(Job):
        found: Annotated[list[ChildResult[Latest]], ChildrenOf("only", "stranger")]

    class Latest(JobResult):
        number: int

    with pytest.raises(DeclarationError, match="wants the results of the child 'stranger'"):
        FlowOptions(name="complete", queues=[queues[0], QueueOptions("last", Wrong)])


def test_a_class_that_defers_its_building_is_built() -> None:
    """Pydantic's `defer_build` is no mistake."""

    class Deferred(Job):
        model_config = ConfigDict(defer_build=True)
        price: str

    flow(Deferred)
    assert Deferred.__pydantic_complete__
