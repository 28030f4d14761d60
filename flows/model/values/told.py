"""Tells where pydantic found what, without the values, which may be secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError as PydanticValidationError

#: So many errors are told.
_MOST = 20


def path_of(location: tuple[int | str, ...]) -> str:
    """Return a place in a model as `.field[0].other`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)


def told(error: PydanticValidationError) -> str:
    """Return all errors in one line: `size: Field required; pages[0].url: Input should be a valid string`."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    lines = [f"{path_of(one['loc']).removeprefix('.') or 'as a whole'}: {one['msg']}" for one in found[:_MOST]]
    return "; ".join([*lines, f"and {len(found) - _MOST} more"] if len(found) > _MOST else lines)
