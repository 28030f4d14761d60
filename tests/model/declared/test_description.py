"""Declarations as JSON: complete, the same in every process of a release, and another one for another shape."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from flows import ChildrenOf, ChildResult, FlowOptions, Job, JobResult, Limiter, QueueOptions, Retention, Retries
from flows.model.declared.declared_flow import read_declared
from flows.model.declared.description import Descriptor, describe
from flows.model.declared.schemas import schema_of

ROOT = Path(__file__).resolve().parents[3]


class Part(BaseModel):
    """A part of an order."""

    name: str


class Order(BaseModel):
    """What is ordered."""

    customer: int = Field(description="who")
    tags: set[str] = {"a", "b", "c", "d"}
    parts: list[Part] = []


class Price(Job):
    """The first queue's."""

    customer: int


class Label(Job):
    """A child's."""

    text: str


class Printed(JobResult):
    """What a child returns."""

    pages: int


class Ship(Job):
    """The last queue's."""

    labels: Annotated[list[ChildResult[Printed]], ChildrenOf("pack", "label")]


class Socket:
    """A type that no schema knows."""


class Odd(Job):
    """A class with a type of its own."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    call: Callable[[int], int] | None = None
    socket: Socket | None = None


def options(price: type[Job] = Price, **more: Any) -> Any:
    """Return the options of the flow."""
    queues = [
        QueueOptions("price", price, "pack", retries=Retries(3, backoff=[1, 2.5]), timeout=1.5, formerly=["cost"]),
        QueueOptions("pack", Job, "ship", [QueueOptions("label", Label, children=[QueueOptions("page", Label)])]),
        QueueOptions("ship", Ship),
    ]
    return FlowOptions(name="orders", queues=queues, lookup_attributes=["customer"], **more)


def test_all_of_a_flow_comes_back() -> None:
    """Queues in their order with their children, times, lookup attributes, and schemas with what forms show."""
    described = describe(options(job_ttl=None, retention=Retention(done=60), lease=10), Order)
    found = read_declared(described.digest, described.text, "1700000000123")
    assert found is not None
    assert (found.flow, found.lookup_attributes, found.max_crashes) == ("orders", ("customer",), 3)
    assert found.seen is not None
    assert found.seen.timestamp() == 1700000000.123
    assert [queue.name for queue in found.walk()] == ["price", "pack", "pack:label", "pack:label:page", "ship"]
    price, pack, ship = found.queues
    assert (price.next_queue, price.timeout, price.formerly) == ("pack", timedelta(seconds=1.5), ("cost",))
    assert price.retries is not None
    assert (price.retries["max_attempts"], price.retries["backoff"], price.retries["doubles"]) == (
        3,
        [1000, 2500],
        False,
    )
    assert (pack.retries, pack.on_child_failure, pack.children[0].job.title) == (None, "continue", "Label")
    assert (found.times.ttl, found.times.done, found.times.lease) == (None, timedelta(minutes=1), timedelta(seconds=10))
    assert found.params.schema is not None
    assert found.params.schema["properties"]["customer"] == {
        "description": "who",
        "title": "Customer",
        "type": "integer",
    }
    assert "Part" in found.params.schema["$defs"]
    assert price.job.schema is not None
    assert list(price.job.schema["properties"]) == price.job.schema["required"] == ["customer"]
    assert ship.job.schema is not None
    assert {"Printed", "JobError"} <= set(ship.job.schema["$defs"])


def test_the_rules_of_a_queue_come_back() -> None:
    """Other rules are another declaration; a queue without any says nothing of them, as always."""
    rules: Any = {"priorities": 3, "limits": [Limiter(5, 1), Limiter(50, 1, id="api")], "max_concurrency": 8}
    child = QueueOptions("label", Label, max_concurrency=2)
    queues: Any = [QueueOptions("price", Price, "pack", **rules), QueueOptions("pack", Price, children=[child])]
    ruled, plain = describe(FlowOptions("orders", queues), Order), describe(options(), Order)
    found = read_declared(ruled.digest, ruled.text, None)
    assert found is not None
    assert {queue.name: queue.rules for queue in found.walk()} == {
        "price": queues[0].rules,
        "pack": None,
        "pack:label": child.rules,
    }
    assert "rules" not in plain.text
    queues[0] = QueueOptions("price", Price, "pack", **{**rules, "max_concurrency": 9})
    assert describe(FlowOptions("orders", queues), Order).digest != ruled.digest


def test_no_schemas_where_the_flow_wants_none() -> None:
    """Nor their docstrings and defaults; the digest is the same: two processes that differ in this fit one another."""
    shown, hidden = describe(options(), Order), describe(options(describe=False), Order)
    assert shown.digest == hidden.digest
    found = read_declared(hidden.digest, hidden.text, None)
    assert found is not None
    assert {queue.job.schema for queue in found.walk()} == {None}
    assert found.params.schema is None
    assert found.seen is None
    assert "who" in shown.text
    assert "who" not in hidden.text


@pytest.mark.parametrize("types", [{"customer": str}, {"customer": int, "more": int}, {"customer": int | None}, {}])
def test_another_shape_is_another_declaration(types: dict[str, Any]) -> None:
    """By this a worker learns that another release may fit its job."""
    other: Any = type("Price", (Job,), {"__annotations__": types, "__module__": __name__})
    assert describe(options(other), Order).digest != describe(options(), Order).digest


def test_what_only_forms_show_is_none() -> None:
    """A docstring, a title, a default of another value: what waits fits as before."""

    class Price(Job):
        """Another text."""

        customer: int = Field(title="The customer", description="by number")

    assert describe(options(Price), Order).digest == describe(options(), Order).digest


def test_fields_that_are_called_as_words_of_schemas_count() -> None:
    """A field `title` is no title."""
    plain: Any = type("Price", (Job,), {"__annotations__": {"customer": int}, "__module__": __name__})
    titled: Any = type("Price", (Job,), {"__annotations__": {"customer": int, "title": str}, "__module__": __name__})
    assert describe(options(plain), Order).digest != describe(options(titled), Order).digest


def test_a_class_without_a_schema_breaks_nothing() -> None:
    """Its schema is null; by its fields it is still told from another."""
    assert schema_of(Odd) is None
    described = describe(options(Odd), Order)
    found = read_declared(described.digest, described.text, None)
    assert found is not None
    assert found.queues[0].job.schema is None

    class More(Odd):
        """One more."""

        number: int

    assert describe(options(More), Order).digest != described.digest


def test_schemas_that_raise_what_they_like_break_nothing() -> None:
    """The hooks of a type are user code."""

    class Rude:
        @classmethod
        def __get_pydantic_core_schema__(cls, _source: object, handler: Any) -> Any:
            return handler(int)

        @classmethod
        def __get_pydantic_json_schema__(cls, _schema: object, _handler: Any) -> Any:
            raise ZeroDivisionError

    model: Any = type("Model", (Job,), {"__annotations__": {"it": Rude}, "__module__": __name__})
    assert schema_of(model) is None


def test_each_process_of_a_release_has_the_same_digest() -> None:
    """Whatever order its sets have."""
    code = "from tests.model.declared.test_description import *\none = describe(options(), Order)\nprint(one.digest)"
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for seed in range(2)
    }
    assert digests == {describe(options(), Order).digest}


async def test_it_is_made_once() -> None:
    """A second loop of the process, or a plain caller, gets the same."""
    descriptor = Descriptor(options(), Order)
    first = await descriptor.description()
    assert first == describe(options(), Order)
    assert await descriptor.description() is first


GOOD = json.loads(describe(options(), Order).text)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "null", "[]", "{}", "7", "\ud800",
        *(json.dumps({**GOOD, name: value}) for name in GOOD for value in (7, [7], {"x": 1}) if GOOD[name] != 7),
        *(json.dumps({**GOOD, "queues": [{**GOOD["queues"][0], name: 7}]}) for name in GOOD["queues"][0]),
        "[" * 100_000,
    ],
    ids=lambda text: text[:40],
)  # fmt: skip
def test_nonsense_is_read_as_none(text: str) -> None:
    """Or as something: nothing that somebody has written there raises."""
    read_declared("ab", text, "1")


def test_flows_refuse_another_describe() -> None:
    """It is a flag."""
    with pytest.raises(Exception, match="describe"):
        options(describe="yes")
