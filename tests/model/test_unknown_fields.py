"""Strict when written, lenient when read: a field that a newer release wrote fails nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, Json, create_model
from pydantic import ValidationError as PydanticValidationError
from pydantic.dataclasses import dataclass as pydantic_dataclass

from flows import ChildrenOf, ChildResult, Job, JobResult
from flows.model.codec import decode

FORBID = ConfigDict(extra="forbid")


class Checked(JobResult):
    """A result, which takes no field that it does not declare."""

    ok: bool


class Strict(BaseModel):
    """A model of the user's own that forbids others."""

    model_config = FORBID

    size: int


class Cat(Strict):
    """One of two that a tag tells apart."""

    kind: Literal["cat"]


class Dog(Strict):
    """The other one."""

    kind: Literal["dog"]


@pydantic_dataclass(config=FORBID)
class Spot:
    """A dataclass that forbids others."""

    size: int


@dataclass
class Loose:
    """A dataclass that takes them."""

    size: int


class Bare(BaseModel):
    """Knows less than another member of a union, which tells by a field that it lacks."""

    model_config = FORBID

    kind: Literal["bare"] = "bare"


class Wide(BaseModel):
    """Knows more than another member."""

    model_config = FORBID

    size: int
    width: int = 0


Tagged = Annotated[Cat | Dog, Field(discriminator="kind")]
NEWER = b'{"size": 1, "new": {"a": [1.5, 123456789012345678901234567890]}}'
CAT = b'{"kind": "cat", "size": 1, "cat": 2, "kinds": 3}'


@pytest.mark.parametrize(
    ("declared", "raw", "read"),
    [
        (Strict, NEWER, Strict(size=1)),
        (list[Strict], b'[{"size": 1}, %b]' % NEWER, [Strict(size=1), Strict(size=1)]),
        (dict[int, Strict], b'{"7": %b}' % NEWER, {7: Strict(size=1)}),
        (dict[str, list[Strict]], b'{"size": [%b]}' % NEWER, {"size": [Strict(size=1)]}),
        (Strict | None, NEWER, Strict(size=1)),
        (Strict | int, NEWER, Strict(size=1)),
        (Tagged, CAT, Cat(kind="cat", size=1)),
        (Dog | Cat, CAT, Cat(kind="cat", size=1)),
        (Bare | Strict, NEWER, Strict(size=1)),
        (Strict | Bare, NEWER, Strict(size=1)),
        (
            list[Strict | Wide],
            b'[{"size": 1, "width": 2, "new": 3}, %b]' % NEWER,
            [Wide(size=1, width=2), Strict(size=1)],
        ),
        (Json[Strict], b'"{\\"size\\": 1, \\"new\\": 2}"', Strict(size=1)),
        (
            list[Json[dict[str, Bare | Strict]]],
            b'["{\\"a\\": {\\"size\\": 1, \\"new\\": 2}}"]',
            [{"a": Strict(size=1)}],
        ),
        (tuple[int, Strict], b"[1, %b]" % NEWER, (1, Strict(size=1))),
        (Checked, b'{"ok": true, "note": "new"}', Checked(ok=True)),
        (Spot, NEWER, Spot(size=1)),
        (Loose, NEWER, Loose(size=1)),
    ],
)
def test_what_a_class_does_not_declare_is_left_out_when_it_is_read(declared: Any, raw: bytes, read: Any) -> None:
    """At any depth, of our classes and of users' own, whatever their `extra` says; the rest stays as it is."""
    job: Any = decode(create_model("Read", __base__=Job, held=(declared, ...)), {"held": raw, "other": b"1"})
    assert job.held == read


def test_results_of_children_may_have_fields_of_a_newer_release() -> None:
    """A new release of the child's queue, and an old one of the queue after its parent's."""

    class Last(Job):
        parts: Annotated[list[ChildResult[Checked]], ChildrenOf("fan", "part")]

    child = b'{"id": "%d", "status": "done", "result": {"ok": true, "note": "new"}, "seconds": 2}'
    last = decode(Last, {"children:fan:results": b'{"part": [%b, %b]}' % (child % 1, child % 2)})
    assert [(part.id, part.result) for part in last.parts] == [("1", Checked(ok=True)), ("2", Checked(ok=True))]


def test_what_does_not_fit_otherwise_is_still_refused() -> None:
    """Only the unknown is left out; the error is about the rest."""
    read = create_model("Read", __base__=Job, held=(Strict, ...))
    with pytest.raises(PydanticValidationError, match=r"held\.size\n  Field required"):
        decode(read, {"held": b'{"new": 1}'})
    with pytest.raises(PydanticValidationError, match=r"held\.size\n  Input should be a valid integer"):
        decode(read, {"held": b'{"size": "large", "new": 1}'})


def test_what_a_function_returns_is_held_to_its_class() -> None:
    """A slip of the pen is an error where it is made."""
    with pytest.raises(PydanticValidationError, match="Extra inputs are not permitted"):
        Checked(ok=True, note="new")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
