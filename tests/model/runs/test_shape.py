"""`Shape`: values of declared types come back from JSON as they were, and what cannot is refused."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel, Field, SecretStr
from typing_extensions import TypedDict

from flows.errors import DeclarationError, ValidationError
from flows.model.runs.shape import JSON_VALUES, Shape


class Order(BaseModel):
    """A model."""

    id: str
    cents: int


@dataclass
class Receipt:
    """A dataclass."""

    number: int


class Paid(TypedDict):
    """A typed dict."""

    cents: int


class Secret(BaseModel):
    """It can never come back."""

    word: SecretStr


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        (str, "ä"),
        (int, -3),
        (bool, True),
        (float, 1.5),
        (float, 2),
        (type(None), None),
        (Order, Order(id="1", cents=2)),
        (Receipt, Receipt(7)),
        (Paid, {"cents": 3}),
        (list[Order], [Order(id="1", cents=2)]),
        (dict[str, Receipt], {"a": Receipt(1)}),
        (dict[str, str], {"a": "ä"}),
        (list[str], ["a", "b"]),
        (tuple[int, str], (1, "a")),
        (Order | None, None),
        (datetime, datetime(2026, 1, 2, tzinfo=UTC)),
        (Any, {"a": [1, None, "b", 2.5]}),
    ],
)
def test_a_value_comes_back(declared: Any, value: object) -> None:
    """What is decoded equals what was encoded, and is of its type."""
    shape = Shape[Any](declared, "it")
    found = shape.decode(shape.encode(value))
    assert found == value
    assert type(found) is type(value) or declared is float


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        (int, "3"),
        (str, "\ud800"),
        (float, math.nan),
        (Receipt, {"number": 1}),
        (list[int], (1, 2)),
        (list[int], [10**5_000]),
        (dict[str, str], {"a": 1}),
        (dict[str, str], {1: "a"}),
        (dict[str, str], {"a": "\ud800"}),
        (Order, Order.model_construct(id=1, cents="x")),
        (Any, (1, 2)),
        (Any, Receipt(1)),
        (Any, {1: 2}),
        (Any, math.inf),
    ],
)
def test_what_a_replay_would_see_otherwise_is_refused(declared: Any, value: object) -> None:
    """A value of another type, or one that JSON does not keep, is no result."""
    with pytest.raises(ValidationError, match="the output"):
        Shape[Any](declared, "the output").encode(value)


def test_an_input_may_be_given_as_plain_data() -> None:
    """`accept` makes a model of a dict, and says where it cannot."""
    shape = Shape[Order](Order, "the input of 'ship'")
    assert shape.accept({"id": "1", "cents": 2}) == Order(id="1", cents=2)
    with pytest.raises(ValidationError, match=r"the input of 'ship' is no Order: cents: Input should"):
        shape.accept({"id": "1", "cents": "many"})
    with pytest.raises(ValidationError, match="no declared type"):
        JSON_VALUES.accept({1, 2})
    with pytest.raises(ValidationError, match="declared as object, which is no type"):
        Shape[object](object, "the output").encode({1, 2})


def test_a_type_that_can_never_come_back_is_refused_at_once() -> None:
    """A secret is found at the declaration, and so is what pydantic does not know."""
    with pytest.raises(DeclarationError, match=r"Secret\.word"):
        Shape[Any](Secret, "it")
    with pytest.raises(DeclarationError, match="cannot be validated"):
        Shape[Any](type("Odd", (), {}), "it")


class Limited(BaseModel):
    """Has limits that a value may be set against."""

    name: str = Field(max_length=3)


def test_a_model_with_limits_is_looked_at_twice() -> None:
    """It comes back as it was; what was set afterwards to what the class does not take is refused."""
    shape, value = Shape[Any](Limited, "it"), Limited(name="abc")
    assert shape.decode(shape.encode(value)) == value
    value.name = "abcd"
    with pytest.raises(ValidationError):
        shape.encode(value)


def test_a_plain_model_that_holds_another_type_is_refused() -> None:
    """What is declared as text, and was set to a number, would come back as what it is not."""
    value = Order(id="7", cents=1)
    shape = Shape[Any](Order, "it")
    assert shape.encode(value) == b'{"id":"7","cents":1}'
    value.cents = "1"  # type: ignore[assignment]
    with pytest.raises(ValidationError):
        shape.encode(value)
