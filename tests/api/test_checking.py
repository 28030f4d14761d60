"""What a schema refuses of params: each value with its place, and without the value itself."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from flows.api import problem_of
from flows.api.jobs.checking import check_object
from flows.errors import Fault, ValidationError


class Line(BaseModel):
    """A line of an order."""

    model_config = ConfigDict(extra="forbid")

    sku: str
    quantity: int = Field(ge=1)


class Order(BaseModel):
    """What is ordered."""

    currency: Literal["EUR", "CHF"] = "EUR"
    lines: list[Line]
    note: str | None = Field(default=None, max_length=5)
    to: str = Field(default="a@b", json_schema_extra={"format": "email"})
    price: Decimal | None = None


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        ({}, [Fault(("lines",), "it is missing")]),
        (
            {"lines": [{"sku": "A", "quantity": 1}, {"quantity": 0, "more": 1}], "usr": 1},
            [
                Fault(("usr",), "there is no such param: there is currency, lines, note, to, price"),
                Fault(("lines", 1, "more"), "there is no such member"),
                Fault(("lines", 1, "quantity"), "it has to be 1 or more"),
                Fault(("lines", 1, "sku"), "it is missing"),
            ],
        ),
        (
            {"lines": [], "currency": "USD", "note": "too long", "to": "nobody"},
            [
                Fault(("currency",), "it has to be one of EUR, CHF"),
                Fault(("note",), "it has to have 5 characters or less"),
                Fault(("to",), "it is no email"),
            ],
        ),
        ({"lines": [], "price": True}, [Fault(("price",), "it fits none of the alternatives")]),
    ],
)
def test_tells_the_place_of_what_it_refuses(given: dict[str, Any], faults: list[Fault]) -> None:
    """So a form can show it at the field; where only null was the other alternative, it is not told of."""
    with pytest.raises(ValidationError) as refused:
        check_object(Order.model_json_schema(), given)
    assert list(refused.value.faults) == faults
    plain = json.loads(json.dumps(problem_of(refused.value).plain()))
    assert plain["errors"] == [{"place": list(one.place), "message": one.message} for one in faults]


def test_what_has_no_place_tells_of_none() -> None:
    """Of what is refused as a whole, there is the sentence alone."""
    assert "errors" not in problem_of(ValidationError("no")).plain()
