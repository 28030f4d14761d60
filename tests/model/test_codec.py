"""Between models and the fields of a hash: what goes in comes out, and what is not JSON never goes in."""

from __future__ import annotations

import json
import math
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic import ValidationError as PydanticValidationError

from flows import ChildrenOf, ChildResult, Job, JobResult, ValidationError
from flows.model.codec import Decoder, as_object, decode, encode, encode_value, kernel_fields, pick_child

NAN, INF = math.nan, math.inf

texts = st.text(st.characters(codec="utf-8"))
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20)


class Anything(BaseModel):
    """A model that holds any JSON value."""

    value: Any


class Inner(BaseModel):
    """A model within a model."""

    number: float


class Open(BaseModel):
    """A model within a model, with fields that it does not declare."""

    model_config = ConfigDict(extra="allow")


@dataclass
class Plain:
    """A dataclass within a model."""

    number: float


class Typed(TypedDict):
    """A typed dictionary within a model."""

    number: float


class Work(Job):
    """A job class."""

    user_id: int
    role_ids: list[int] = Field(default_factory=list[int])
    when: datetime | None = None


class Checked(JobResult):
    """A result class."""

    ok: bool


class Decide(Job):
    """A job class with the results of two child queues of one parent."""

    first: Annotated[list[ChildResult[Checked]], ChildrenOf("parent", "one")]
    second: Annotated[list[ChildResult[Checked]], ChildrenOf("parent", "two")]


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal and of the same types: 1 is not 1.0 and not True."""
    return bool(one == other) and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@given(values)
def test_every_json_value_comes_back_as_it_was(value: Any) -> None:
    """Types included: integers of any size, floats to the last bit, empty lists and every text."""
    fields = encode(Anything(value=value))
    assert same(decode(Anything, fields).value, value)
    assert same(json.loads(fields["value"]), value)


@given(st.dictionaries(st.sampled_from(["a", "user_id", "Z9"]), values))
def test_fields_make_one_object(found: dict[str, Any]) -> None:
    """`as_object` puts the values of fields together without reading them."""
    fields = {name: encode_value(name, value) for name, value in found.items()}
    assert same(json.loads(as_object(fields)), found)


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, 2**64, -(2**64), 10**40])
def test_integers_keep_all_their_digits(number: int) -> None:
    """Where others go by way of floats, ours stay whole."""
    fields = encode(Work(user_id=number, role_ids=[number]))
    assert fields["user_id"] == str(number).encode()
    assert decode(Work, fields).role_ids == [number]


def test_each_field_is_a_json_text_of_its_own() -> None:
    """A string keeps its quotes, a list its brackets, and the kernel's fields are not among them."""
    fields = encode(Work(user_id=1, role_ids=[], when=datetime(2026, 1, 2, tzinfo=UTC)))
    assert fields == {"user_id": b"1", "role_ids": b"[]", "when": b'"2026-01-02T00:00:00Z"'}
    assert encode(Checked(ok=True, next_queue="elsewhere")) == {"ok": b"true"}


BAD_NUMBERS = [NAN, INF, -INF]


def around(number: float) -> dict[str, Any]:
    """Return values with a number at some depth, by where it is."""
    return {
        "bare": number,
        "list": [1.0, number],
        "tuple": (number,),
        "set": {number},
        "deque": deque([number]),
        "dict": {"a": {"b": [number]}},
        "key": {number: 1},
        "model": [Inner(number=number)],
        "model's extra": Open.model_validate({"other": number}),
        "dataclass": {"a": Plain(number)},
        "typed dict": Typed(number=number),
        "deep": [[[[[[[[number]]]]]]]],
    }


@pytest.mark.parametrize("number", BAD_NUMBERS)
@pytest.mark.parametrize("where", list(around(0.0)))
def test_what_json_has_no_number_for_is_refused_at_any_depth(number: float, where: str) -> None:
    """Pydantic would write null, and a job would come back with another value than it went in with."""
    value = around(number)[where]
    with pytest.raises(ValidationError, match=r"'value'[\[\].'…\w]* is -?(nan|inf): JSON has no such number"):
        encode(Anything(value=value))
    with pytest.raises(ValidationError, match="JSON has no such number"):
        encode_value("value", value)


@pytest.mark.parametrize("value", [object(), b"\xff", "\ud800", {"a": {"\udfff"}}, lambda: None])
def test_what_is_not_json_is_refused(value: Any) -> None:
    """Objects, bytes that are no text, and texts that are no Unicode."""
    with pytest.raises(ValidationError, match="JSON"):
        encode(Anything(value=value))
    with pytest.raises(ValidationError, match="JSON"):
        encode_value("value", value)


def test_a_value_that_is_not_what_its_class_says_is_refused() -> None:
    """A model that was changed after it was validated is not written, and no value is shown."""
    work = Work(user_id=1)
    work.user_id = "one"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(ValidationError, match=r"Work\.user_id cannot be read again \(Input should be a valid integer"):
        encode(work)


class Aliased(BaseModel):
    """A model whose fields have other names outside."""

    plain: int = Field(alias="PLAIN")
    inward: int = Field(validation_alias=AliasChoices("in", "IN"))
    outward: int = Field(serialization_alias="OUT")


class Generated(BaseModel):
    """A model whose aliases are made by a function and that would rather be written by them."""

    model_config = ConfigDict(
        alias_generator=lambda name: name.upper(),
        serialize_by_alias=True,
        validate_by_name=False,
        validate_by_alias=True,
    )

    user_id: int


def test_aliases_are_ignored() -> None:
    """Fields of the hash have the names that Python has for them, both ways."""
    aliased = Aliased.model_validate({"PLAIN": 1, "in": 2, "outward": 3})
    assert encode(aliased) == {"plain": b"1", "inward": b"2", "outward": b"3"}
    assert decode(Aliased, encode(aliased)) == aliased
    generated = Generated.model_validate({"USER_ID": 62})
    assert encode(generated) == {"user_id": b"62"}
    assert decode(Generated, encode(generated)) == generated
    with pytest.raises(PydanticValidationError):
        decode(Generated, {"USER_ID": b"62"})


class Strict(BaseModel):
    """A model that converts nothing."""

    model_config = ConfigDict(strict=True)

    number: int
    when: datetime
    price: Decimal
    names: tuple[str, ...]
    flags: set[int]


def test_strict_models_come_back_from_json() -> None:
    """What JSON has no type for is read from its text or list, and what is of the wrong type is refused."""
    strict = Strict(
        number=1, when=datetime(2026, 1, 2, tzinfo=UTC), price=Decimal("1.10"), names=("a", "b"), flags={1, 2}
    )
    fields = encode(strict)
    assert decode(Strict, fields) == strict
    with pytest.raises(PydanticValidationError, match="number"):
        decode(Strict, {**fields, "number": b'"1"'})


class Forbidding(BaseModel):
    """A model that takes no other fields."""

    model_config = ConfigDict(extra="forbid")

    user_id: int


def test_fields_that_a_model_does_not_declare_are_not_looked_at() -> None:
    """A hash holds the fields of all queues; they may not even be JSON."""
    assert decode(Forbidding, {"user_id": b"1", "other": b"2", "_status": b"processing"}).user_id == 1


def test_missing_fields_have_their_defaults_or_are_named() -> None:
    """The error says which field the hash lacks."""
    work = decode(Work, {"user_id": b"1"})
    assert (work.role_ids, work.when, work.attempt, work.priority) == ([], None, 1, 1)
    with pytest.raises(PydanticValidationError, match=r"user_id\n.*Field required"):
        decode(Work, {"role_ids": b"[]"})


@pytest.mark.parametrize("raw", [b"", b"{", b"nope", b"'1'", b"[1,", b'"\xff"', b"1 2", b"\x00"])
def test_malformed_json_is_refused(raw: bytes) -> None:
    """A hash that was edited by hand is no job, and nothing of it is guessed."""
    with pytest.raises((PydanticValidationError, ValueError)):
        decode(Work, {"user_id": raw})


def test_the_kernels_fields_of_a_job_are_read_too() -> None:
    """The worker adds them to what the hash holds."""
    work = decode(Work, {"user_id": b"1"}, kernel_fields(b"abc", b"access", 3, None))
    assert (work.id, work.attempt, work.flow_name) == ("abc", 3, "access")


RESULTS = b"""{
    "one": [{"id": "a", "status": "done", "result": {"ok": true}}, {"id": "b", "status": "expired"}],
    "two": [{"id": "c", "status": "failed", "error": {"type": "ValueError", "message": "no"}}]
}"""


def test_each_field_of_results_has_those_of_its_child() -> None:
    """All of a parent's results stand in one field; each marked field takes its own list, in order."""
    assert "children:parent:results" in Decoder(Decide).fields
    decided = decode(Decide, {"children:parent:results": RESULTS})
    assert [(child.id, child.status) for child in decided.first] == [("a", "done"), ("b", "expired")]
    assert [child.result and child.result.ok for child in decided.first] == [True, None]
    assert decided.second[0].error is not None
    assert decided.second[0].error.type == "ValueError"


def test_a_child_without_results_has_an_empty_list() -> None:
    """A parent need not have created any of them."""
    assert decode(Decide, {"children:parent:results": b"{}"}).first == []


@pytest.mark.parametrize("results", [b"[]", b"1", b"null", b"{", b'{"one": 1}', b'{"one": [{"id": 1}]}'])
def test_results_of_another_shape_are_refused(results: bytes) -> None:
    """They are what the kernel writes, or the job is malformed."""
    with pytest.raises((PydanticValidationError, ValueError)):
        decode(Decide, {"children:parent:results": results})


def test_results_keep_large_integers() -> None:
    """Picking one child's list reads and writes JSON once more."""
    found = pick_child(b'{"one": [{"n": %d}]}' % 10**30, ChildrenOf("parent", "one"))
    assert json.loads(found) == [{"n": 10**30}]
