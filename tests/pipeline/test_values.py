"""Values on their way: from params through results, children and their results, and what is refused on it."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import pytest
from pydantic import BaseModel, PlainSerializer, SecretStr

from flows import (
    ChildJob,
    ChildrenOf,
    ChildResult,
    DeclarationError,
    Flow,
    FlowOptions,
    Job,
    JobResult,
    QueueOptions,
    ValidationError,
)
from tests.pipeline.parts import LONG


class May(enum.Flag):
    """A flag."""

    READ = 1
    WRITE = 2


class Rich(BaseModel):
    """What JSON has no word for."""

    at: datetime
    price: Decimal
    may: May
    ids: frozenset[UUID]
    token: Annotated[SecretStr, PlainSerializer(SecretStr.get_secret_value)]


RICH = Rich(
    at=datetime(2026, 1, 2, tzinfo=UTC),
    price=Decimal("1.50"),
    may=May.READ | May.WRITE,
    ids=frozenset({UUID(int=7)}),
    token=SecretStr("s"),
)


class Params(BaseModel):
    """What a job is created with."""

    given: Rich
    animal: BaseModel | None = None


class First(Job):
    """Reads the params."""

    given: Rich


class Passed(JobResult):
    """A result, which the next queue reads."""

    passed: Rich


class Fan(Job):
    """A parent queue's job."""


class Part(Job):
    """A child, which reads what it was named with."""

    part: Rich
    at: datetime


class Made(JobResult):
    """A child's result."""

    made: Rich


class Last(Job):
    """Reads the result of the first queue, and those of the children."""

    given: Rich
    passed: Rich
    parts: Annotated[list[ChildResult[Made]], ChildrenOf("fan", "part")]


def rich_flow(redis_url: str, namespace: str) -> Flow[First | Fan | Last, Params]:
    """Return a flow without workers."""
    return Flow[First | Fan | Last, Params](
        FlowOptions(
            name="rich",
            queues=[
                QueueOptions("first", job=First, next_queue="fan"),
                QueueOptions("fan", job=Fan, next_queue="last", children=[QueueOptions("part", job=Part)]),
                QueueOptions("last", job=Last),
            ],
            redis_url=redis_url,
            namespace=namespace,
        )
    )


async def test_values_arrive_equal_wherever_they_go(redis_url: str, namespace: str) -> None:
    """Params, a result, a child's params and its result: each function sees what the one before it had."""
    flow = rich_flow(redis_url, namespace)
    seen: list[object] = []

    async def first(job: First) -> Passed:
        seen.append(job.given)
        return Passed(passed=job.given, children=[ChildJob(Part, {"part": job.given, "at": job.given.at})])

    async def part(job: Part) -> Made:
        seen.append(job.part)
        assert job.at == RICH.at
        return Made(made=job.part)

    async def last(job: Last) -> None:
        [child] = job.parts
        seen.extend([job.given, job.passed, child.result and child.result.made])

    flow.create_workers(First, first)
    flow.create_parent_workers(Fan)
    flow.create_child_workers(Fan, Part, part)
    flow.create_workers(Last, last)
    async with flow:
        done = await flow.wait_for(await flow.create_job(Params(given=RICH)), LONG)
    assert (done.status, done.error) == ("done", None)
    assert seen == [RICH] * 5


async def test_what_would_arrive_as_something_else_is_not_created(redis_url: str, namespace: str) -> None:
    """Nothing is written; the same in a result fails the job in the queue that returned it."""
    flow = rich_flow(redis_url, namespace)

    async def first(_job: First) -> Passed:
        return Passed(passed=RICH.model_copy(update={"price": Decimal("NaN")}))

    flow.create_workers(First, first)
    async with flow:
        with pytest.raises(ValidationError, match=r"Params\.animal is a Part"):
            await flow.create_jobs([Params(given=RICH, animal=Part(part=RICH, at=RICH.at))])
        failed = await flow.wait_for(await flow.create_job(Params(given=RICH)), LONG)
    assert failed.error is not None
    assert (failed.status, failed.queue, failed.error.type) == ("failed", "first", "ValidationError")
    assert "Passed.passed.price" in failed.error.message


def test_a_secret_that_cannot_come_back_is_refused_when_it_is_declared(redis_url: str) -> None:
    """In params when the flow is made, in a result when its function is handed over."""

    class Secret(BaseModel):
        token: SecretStr

    class Told(JobResult):
        secret: Secret

    class Any(Job):
        """Reads nothing."""

    async def tell(_job: Any) -> Told:
        return Told(secret=Secret(token=SecretStr("s")))

    options = FlowOptions(name="secret", queues=[QueueOptions("any", job=Any)], redis_url=redis_url)
    with pytest.raises(DeclarationError, match=r"Secret\.token is a SecretStr"):
        Flow[Any, Secret](options)

    class Nothing(BaseModel):
        """No params."""

    with pytest.raises(DeclarationError, match=r"Secret\.token is a SecretStr"):
        Flow[Any, Nothing](options).create_workers(Any, tell)
