"""What a message says of a schema is the annotation that it was made of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel

from flows.model.tree.schemas import read_schema, written_schema
from flows.model.tree.type_words import type_in


class Page(BaseModel):
    """A model, which is told by its name."""

    url: str


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (str, "str"),
        (bool, "bool"),
        (float | None, "float | None"),
        (Page, "Page"),
        (list[Page], "list[Page]"),
        (dict[str, list[int] | Page], "dict[str, list[int] | Page]"),
        (tuple[int, str], "tuple[int, str]"),
        (set[UUID], "set[UUID]"),
        (list[datetime | timedelta], "list[datetime | timedelta]"),
        (Literal["a", 1], "Literal['a', 1]"),
        (Literal["a"], "Literal['a']"),
        (list[Any], "list[Any]"),
        (dict[str, Any], "dict[str, Any]"),
        (list[list[list[list[int]]]], "list[list[list[list[…]]]]"),
    ],
)
def test_a_schema_is_told_as_its_annotation(declared: Any, said: str) -> None:
    """As it is read, and as it is written."""
    assert type_in(read_schema(declared)) == said
    assert type_in(written_schema(declared)) == said


def test_what_nobody_has_declared_is_any() -> None:
    """A result without annotation has no schema."""
    assert type_in(None) == type_in({}) == "Any"
