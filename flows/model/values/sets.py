"""Puts what was written of sets in order, so that equal params have equal texts: an idempotency key compares those."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

from pydantic import BaseModel, RootModel
from pydantic_core import to_json


def sorted_sets(value: Any, written: Any) -> Any:
    """Return what was written of a value, with the elements of each set in it in the order of their texts.

    Args:
        value: The value in Python.
        written: What a serializer made of it; where that has another shape, it stays as it is.
    """
    if isinstance(value, RootModel):
        return sorted_sets(value.root, written)
    if isinstance(written, list):
        return _of_many(value, written)
    if not isinstance(written, dict):
        return written
    if isinstance(value, Mapping) and len(value) == len(written):
        pairs = zip(written.items(), value.values(), strict=True)
        return {name: sorted_sets(one, text) for (name, text), one in pairs}
    if isinstance(value, BaseModel) or is_dataclass(value):
        return {name: sorted_sets(getattr(value, name, None), text) for name, text in written.items()}
    return written


def _of_many(value: Any, written: list[Any]) -> list[Any]:
    if not isinstance(value, (set, frozenset, list, tuple)) or len(value) != len(written):
        return written
    elements = [sorted_sets(one, text) for one, text in zip(value, written, strict=True)]
    return sorted(elements, key=to_json) if isinstance(value, (set, frozenset)) else elements
