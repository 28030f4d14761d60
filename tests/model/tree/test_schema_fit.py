"""Which types fit which, by the schemas that pydantic makes of them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Literal, NotRequired

import pytest
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from flows.model.tree.schema_fit import fits
from flows.model.tree.schemas import read_schema, written_schema


class Page(BaseModel):
    """What is written."""

    path: str
    size: int = 0


class Brief(BaseModel):
    """What is read: less."""

    path: str


class Strict(BaseModel):
    """What takes nothing else."""

    model_config = ConfigDict(extra="forbid")

    path: str


class Wrong(BaseModel):
    """The same name with another type."""

    path: int


class Open(BaseModel):
    """A default is left out of what has to be there."""

    path: str
    more: str = ""


class Leaf(BaseModel):
    """A type that holds itself."""

    below: list[Leaf] = []
    path: str


class WrongLeaf(BaseModel):
    """Another one, with another type."""

    below: list[WrongLeaf] = []
    path: int


class Kind(Enum):
    """Some words."""

    A = "a"
    B = "b"


@dataclass
class Sized:
    """As Page."""

    path: str
    size: int


class Typed(TypedDict):
    """As Page, which may lack a size."""

    path: str
    size: NotRequired[int]


class Schemaless:
    """No type of pydantic's."""


FIT: list[tuple[Any, Any]] = [
    (int, int),
    (int, float),
    (Any, int),
    (int, Any),
    (int, object),
    (str, str | None),
    (str | None, str | int | None),
    (int | str, str | int),
    (list[int], list[float]),
    (list[int], Sequence[int]),
    (set[int], list[int]),
    (tuple[int, str], tuple[int, str]),
    (tuple[int, int], list[int]),
    (tuple[int, ...], list[int]),
    (list[Any], list[int]),
    (dict[str, int], dict[str, float]),
    (dict[str, Any], Page),
    (Page, Page),
    (Page, Brief),
    (Page, Sized),
    (Page, Typed),
    (Sized, Page),
    (Brief, Strict),
    (Brief, Open),
    (Page, dict[str, Any]),
    (Page, dict[str, str | int]),
    (Brief, dict[str, str]),
    (Leaf, Leaf),
    (list[Leaf], list[Leaf]),
    (Kind, Kind),
    (Kind, str),
    (Literal["a"], Kind),
    (Literal["a", 1], str | int),
    (datetime, datetime),
    (datetime, str),
    (uuid.UUID, str),
    (Annotated[int, Field(gt=3)], int),
    (int, Annotated[int, Field(gt=3)]),
    (None, int | None),
    (bool, bool),
]
NO_FIT: list[tuple[Any, Any]] = [
    (int, str),
    (float, int),
    (str | None, str),
    (int | str, int),
    (list[int], list[str]),
    (list[int], int),
    (list[int], tuple[int, int]),
    (tuple[int, str], tuple[int, int]),
    (tuple[int, int], tuple[int]),
    (tuple[int, str], list[int]),
    (dict[str, int], dict[str, str]),
    (dict[str, int], Page),
    (Page, Wrong),
    (Brief, Sized),
    (Page, Strict),
    (Page, dict[str, int]),
    (Typed, Sized),
    (Leaf, WrongLeaf),
    (str, Kind),
    (Literal["a", "c"], Kind),
    (Literal["a", 1], str),
    (str, datetime),
    (date, datetime),
    (None, int),
    (bool, int),
    (int, bool),
    (list[Page], list[Strict]),
    (int | list[Leaf], str | list[WrongLeaf] | int),
]


def schemas(written: Any, read: Any) -> tuple[Any, Any]:
    """Return the schemas of both, as a task's result and as a field of a view."""
    return written_schema(written), read_schema(read)


@pytest.mark.parametrize(("written", "read"), FIT)
def test_fits(written: Any, read: Any) -> None:
    """Each value of the one is a value of the other, or that cannot be told."""
    assert fits(*schemas(written, read))


@pytest.mark.parametrize(("written", "read"), NO_FIT)
def test_does_not_fit(written: Any, read: Any) -> None:
    """There are values of the one that are none of the other."""
    assert not fits(*schemas(written, read))


def test_a_type_without_a_schema_has_none() -> None:
    """Nothing is refused for it."""
    assert read_schema(Schemaless) is written_schema(Schemaless) is None


def test_what_nobody_knows_fits() -> None:
    """A type without a schema."""
    assert fits(None, {"type": "string"})
    assert fits({"type": "string"}, None)
    assert fits({"type": ["string", "null"]}, {"anyOf": [{"type": "string"}, {"type": "null"}]})
    assert not fits({"type": ["string", "null"]}, {"type": "string"})
