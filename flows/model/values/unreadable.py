"""Says why a model cannot be read, and where pydantic found what, without the values, which may be secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError as PydanticValidationError
from pydantic_core import from_json

from flows.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

#: So many errors stand in a line.
_MOST = 20


def path_of(location: tuple[int | str, ...]) -> str:
    """Return a place in a model as `.field[0].other`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)


def in_one_line(error: PydanticValidationError) -> str:
    """Return all errors in one line: `size: Field required; pages[0].url: Input should be a valid string`."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    lines = [f"{path_of(one['loc']).removeprefix('.') or 'as a whole'}: {one['msg']}" for one in found[:_MOST]]
    return "; ".join([*lines, f"and {len(found) - _MOST} more"] if len(found) > _MOST else lines)


def faults_of(error: PydanticValidationError) -> list[Fault]:
    """Return each error with its place."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [Fault(one["loc"], one["msg"]) for one in found[:_MOST]]


def missing(error: Exception) -> list[str]:
    """Return the fields that an object has to have and lacks, if that is all that is wrong with it."""
    if not isinstance(error, PydanticValidationError):
        return []
    found = error.errors(include_url=False, include_context=False, include_input=False)
    lacks = [str(one["loc"][0]) for one in found if one["type"] == "missing" and len(one["loc"]) == 1]
    return lacks if len(lacks) == len(found) else []


def why_unreadable(error: Exception, fields: Mapping[str, bytes | None]) -> str:
    """Return why no model could be made of these fields of a hash, each of which ought to be JSON."""
    broken = [name for name, raw in fields.items() if raw is not None and not _is_json(raw)]
    if broken:
        return f"{', '.join(broken)}: no JSON"
    if isinstance(error, PydanticValidationError):
        return in_one_line(error)
    return f"{type(error).__name__}: {error}" if isinstance(error, ValueError) else type(error).__name__


def _is_json(raw: bytes) -> bool:
    try:
        from_json(raw)
    except ValueError:
        return False
    return True
