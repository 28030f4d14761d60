"""Puts what was written of sets in order, so that equal params have equal texts: an idempotency key compares those."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, RootModel
from pydantic_core import to_json

_SETS: Final = (set, frozenset)


def sorted_sets(value: Any, written: Any) -> Any:
    """Return what was written of a value, with the elements of each set in it in the order of their texts.

    Args:
        value: The value in Python.
        written: What a serializer made of it; where that has another shape, it stays as it is.
    """
    if _is(value, RootModel):
        return sorted_sets(value.root, written)
    if _is(value, *_SETS, list, tuple):
        return _of_many(value, written)
    if not _is(written, dict):
        return written
    if _is(value, Mapping) and len(value) == len(written):
        pairs = zip(written.items(), value.values(), strict=True)
        return {name: sorted_sets(one, text) for (name, text), one in pairs}
    if _is(value, BaseModel) or hasattr(value, "__dataclass_fields__"):
        return {name: sorted_sets(getattr(value, name, None), text) for name, text in written.items()}
    return written


def _of_many(value: Any, written: Any) -> Any:
    if not _is(written, list) or len(value) != len(written):
        return written
    elements = [sorted_sets(one, text) for one, text in zip(value, written, strict=True)]
    return sorted(elements, key=to_json) if _is(value, *_SETS) else elements


def _is(value: object, *kinds: type) -> bool:
    """Return whether a value is of a kind; what it holds may be anything."""
    return isinstance(value, kinds)
