"""Takes out of JSON what a class does not declare: strict when written, lenient when read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

if TYPE_CHECKING:
    from pydantic import ValidationError as PydanticValidationError

#: What pydantic calls a field that is not declared: of models and typed dicts, and of dataclasses.
_UNKNOWN: Final = frozenset({"extra_forbidden", "unexpected_keyword_argument"})


def without_unknown(text: bytes, error: PydanticValidationError) -> bytes | None:
    """Return a JSON object without the fields that `error` calls unknown, at any depth; None where it names none."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    paths = [one["loc"] for one in found if one["type"] in _UNKNOWN]
    if not paths:
        return None
    value = from_json(text)
    removed = [_remove(value, path) for path in paths]
    return to_json(value) if any(removed) else None


def _remove(value: Any, path: Sequence[int | str]) -> bool:
    """Remove what stands at a path; parts of it that are no key, such as the tags of a union, are passed over."""
    if not path:
        return False
    part, *rest = path
    there = _there(value, part)
    if not rest:
        if there and isinstance(value, dict):
            del value[part]
            return True
        return False
    return (there and _remove(value[part], rest)) or _remove(value, rest)


def _there(value: Any, part: int | str) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)  # pyright: ignore[reportUnknownArgumentType]
