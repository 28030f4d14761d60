"""`define`, `reference` and `event`: what is refused at once, and what annotations are read as."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, SecretStr

from flows import DeclarationError, Fail, Flow, FlowOptions, Job, QueueOptions, Step, ValidationError, Workflows
from flows.workflow.annotations import returned_shape

if TYPE_CHECKING:
    from decimal import Decimal

#: Nobody listens there: whatever connects in these tests fails.
NOWHERE = "redis://127.0.0.1:1"


class Order(BaseModel):
    """An input."""

    id: str
    secret: SecretStr = SecretStr("")


@dataclass
class Parcel:
    """An input with fields, one of which is never listed."""

    order_id: int
    weights: dict[str, float]


def app() -> Workflows:
    """Return an app without a server."""
    return Workflows("billing", redis_url=NOWHERE)


async def fine(parcel: Parcel, step: Step) -> str:
    """Take a dataclass."""
    return f"{parcel.order_id} {step.run_id}"


async def bare(step: Step) -> None:
    """Take no input."""


async def of_secrets(order: Order, step: Step) -> None:
    """Take what never comes back."""


async def of_nowhere(price: Decimal, step: Step) -> None:
    """Take a type that is not there at run time."""


async def without_step(parcel: Parcel) -> None:
    """Take no step."""


async def of_many(parcel: Parcel, step: Step, more: int) -> None:
    """Take too much."""


def plain(parcel: Parcel, step: Step) -> None:
    """Be no coroutine."""


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (plain, "is no async def"),
        (without_step, "takes an input and no step"),
        (of_many, "takes a resource, and the app brings none"),
        (of_secrets, r"Order\.secret"),
        (of_nowhere, "is not there at run time"),
        (3, "is no function"),
    ],
)
def test_a_function_that_can_be_no_workflow(function: Any, says: str) -> None:
    """The message says what is wrong and what to make of it."""
    with pytest.raises(DeclarationError, match=says):
        app().define("ship")(function)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"name": "a b"}, "workflow name 'a b'"),
        ({"name": "flows.own"}, "library's own"),
        ({"queue": "a b"}, "queue name"),
        ({"max_concurrency": 0}, "max_concurrency=0"),
        ({"slots": "all"}, "slots='all'"),
        ({"retries": 3}, r"give a flows\.Retries"),
        ({"timeout": -1}, "timeout=-1 s is not positive"),
        ({"on_change": "ignore"}, "on_change='ignore'"),
        ({"on_change": "pin"}, "give version="),
        ({"version": 1.5}, "version=1.5"),
        ({"on_failure": "mail"}, "on_failure='mail'"),
        ({"retention": 0}, "retention=0 s is not positive"),
        ({"lookup": ["nothing"]}, "no field of Parcel; its fields are order_id, weights"),
        ({"lookup": ["weights"]}, "is ever listed"),
        ({"lookup": "order_id"}, "give a list"),
        ({"lookup": ["tag"]}, "found by its tag already"),
        ({"group_by": "nothing"}, "group_by='nothing' is no field"),
        ({"limits": [3]}, r"no flows\.Limiter"),
    ],
)
def test_an_option_that_cannot_be_used(options: dict[str, Any], says: str) -> None:
    """Each is refused before anything is written."""
    name = options.pop("name", "ship")
    with pytest.raises(DeclarationError, match=says):
        app().define(name, **options)(fine)


def test_a_workflow_is_defined_once() -> None:
    """Two of one name would take each other's runs."""
    workflows = app()
    workflows.define("ship")(fine)
    with pytest.raises(DeclarationError, match="defines the workflow 'ship' twice"):
        workflows.define("ship")(bare)


@pytest.mark.parametrize("options", [{"app": "a b"}, {"lease": 0.01}, {"namespace": "*"}, {"retention": -1}])
def test_an_app_that_cannot_be(options: dict[str, Any]) -> None:
    """Its name, times and namespace are checked when it is made."""
    given: dict[str, Any] = {"app": "billing", **options}
    with pytest.raises(DeclarationError):
        Workflows(**given)


def test_the_flow_of_runs_is_the_librarys_own() -> None:
    """No flow of a user's may be called like it."""
    with pytest.raises(DeclarationError, match="flow of all runs"):
        Flow[Job, Order](FlowOptions("run", [QueueOptions("a", job=Job)]))


def test_what_a_function_says_it_takes_and_returns() -> None:
    """Annotations are read with the names of where they stand, also of a local class; a verdict is no result."""

    class Local(BaseModel):
        n: int

    async def local(one: Local, step: Step) -> list[Local] | Fail:
        return [one] * step.attempt

    workflow = app().define("local")(local)
    assert workflow.input is not None
    assert workflow.input.declared is Local
    assert workflow.output.declared == list[Local]
    assert app().define("bare")(bare).input is None


async def test_an_input_is_refused_before_anything_is_sent() -> None:
    """Nobody listens at that address: a call that sent something would fail otherwise."""
    workflows = app()
    ship, nightly = workflows.define("ship")(fine), workflows.define("nightly")(bare)
    with pytest.raises(ValidationError, match="input of workflow 'ship' is no Parcel: order_id: Input"):
        await ship.run({"order_id": "many", "weights": {}})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValidationError, match="takes no input"):
        await nightly.run(3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    with pytest.raises(ValidationError, match="no option dely="):
        await nightly.run(dely=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    with pytest.raises(ValidationError, match="a key is of one run"):
        await ship.run_many([Parcel(1, {})], idempotency_key="k")
    with pytest.raises(ValidationError, match="input of workflow 'other'"):
        await workflows.run_by_name("other", object())
    paid = workflows.event("paid", Parcel)
    with pytest.raises(ValidationError, match="event 'paid'"):
        await paid.send("x", key="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValidationError, match="key is empty"):
        await paid.send(Parcel(1, {}), key="")


def charged(n: int) -> Parcel:
    """Say what it returns."""
    return Parcel(n, {})


async def charged_later(n: int) -> Parcel:
    """Say what it brings."""
    return Parcel(n, {})


@pytest.mark.parametrize(
    ("function", "value", "fits"),
    [
        (charged, Parcel(1, {}), True),
        (charged_later, Parcel(1, {}), True),
        (charged, 3, False),
        (lambda: 3, {"a": [1]}, True),
        (lambda: 3, Parcel(1, {}), False),
        (len, 3, True),
    ],
)
def test_what_a_step_function_returns(function: Callable[..., object], value: object, fits: bool) -> None:  # noqa: FBT001
    """By its annotation; without one it is plain JSON."""
    shape = returned_shape(function)
    if fits:
        assert shape.decode(shape.encode(value)) == value
    else:
        with pytest.raises(ValidationError):
            shape.encode(value)


def test_what_a_step_returns_is_read_once_for_all_runs() -> None:
    """Also of a method, and of a function that is defined anew for each run, where its annotation is a class."""

    class Shop:
        async def charge(self) -> int:
            return 1

    def defined(returned: object) -> Callable[[], Awaitable[int]]:
        async def step() -> int:
            return 1

        step.__annotations__["return"] = returned
        return step

    assert returned_shape(Shop().charge) is returned_shape(Shop().charge)
    assert returned_shape(defined(int)) is returned_shape(defined(int))
    assert returned_shape(defined(str)).declared is str
    assert returned_shape(defined(int)).declared is int
