"""Takes out of JSON what a class does not declare: strict when written, lenient when read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pydantic_core import from_json, to_json

if TYPE_CHECKING:
    from pydantic import ValidationError as PydanticValidationError

#: What pydantic calls a field that is not declared: of models and typed dicts, and of dataclasses.
_UNKNOWN: Final = frozenset({"extra_forbidden", "unexpected_keyword_argument"})

_Path: TypeAlias = tuple[int | str, ...]


def without_unknown(text: bytes, error: PydanticValidationError) -> bytes | None:
    """Return a JSON object without the fields that `error` calls unknown, at any depth; None where it names none."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    paths = [one["loc"] for one in found if one["type"] in _UNKNOWN]
    if not paths:
        return None
    value = from_json(text)
    others = [one["loc"] for one in found if one["type"] not in _UNKNOWN]
    removed = [_remove(value, path) for path in _of_best_members(value, paths, others)]
    return to_json(value) if any(removed) else None


def _of_best_members(value: Any, paths: list[_Path], others: list[_Path]) -> list[_Path]:
    """Return the paths that belong to one member of each union: what one does not know may be what another needs.

    That is the member with which nothing else is wrong, and which knows most.
    """
    faults: dict[_Path, int] = {}
    for path in (*paths, *others):
        for at in _labels(value, path):
            faults[path[: at + 1]] = faults.get(path[: at + 1], 0) + 1
    broken = {path[: at + 1] for path in others for at in _labels(value, path)}
    best: dict[_Path, _Path] = {}
    for member in sorted(faults, key=lambda member: (member in broken, faults[member])):
        best.setdefault(member[:-1], member)
    return [path for path in paths if all(best[path[:at]] == path[: at + 1] for at in _labels(value, path))]


def _labels(value: Any, path: _Path) -> Iterator[int]:
    """Yield at which places of a path stands no key but a label: a member of a union, or a validator."""
    for at, part in enumerate(path):
        value = _opened(value)
        if _there(value, part):
            value = value[part]
        else:
            yield at


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
    return (there and _remove_within(value, part, rest)) or _remove(value, rest)


def _remove_within(value: Any, part: int | str, rest: Sequence[int | str]) -> bool:
    """Remove it in what stands at `part`, which may be a text that is JSON itself, of `Json[…]`."""
    held = value[part]
    opened = _opened(held)
    if not _remove(opened, rest):
        return False
    if opened is not held:
        value[part] = to_json(opened).decode()
    return True


def _opened(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return from_json(value)
        except ValueError:
            return value
    return value


def _there(value: Any, part: int | str) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)  # pyright: ignore[reportUnknownArgumentType]
