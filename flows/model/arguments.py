"""Checks of what a caller hands over: what is of another type is refused by name, before anything is sent."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, overload

from flows.errors import ValidationError


def check_text(what: str, value: object) -> str:
    """Return a value that is a text.

    Raises:
        ValidationError: it is none; `what` says which value that is.
    """
    if not isinstance(value, str):
        raise ValidationError(f"{what}={_shown(value)}: give a str")
    return value


def check_flag(what: str, value: object) -> bool:
    """Return a value that is True or False: whatever else counts as one of them is more likely a slip.

    Raises:
        ValidationError: it is neither.
    """
    if not isinstance(value, bool):
        raise ValidationError(f"{what}={_shown(value)}: give True or False")
    return value


def check_whole(what: str, value: object, least: int) -> int:
    """Return a value that is a whole number, `least` or more.

    Raises:
        ValidationError: it is none, or less.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValidationError(f"{what}={_shown(value)}: give a whole number from {least} on")
    return value


_LONGEST: Final = 80


@overload
def check_seconds(what: str, value: object) -> float: ...
@overload
def check_seconds(what: str, value: object, *, optional: Literal[True]) -> float | None: ...
def check_seconds(what: str, value: object, *, optional: bool = False) -> float | None:
    """Return a value that is a number of seconds, or None where that is allowed; a negative one has passed already.

    Raises:
        ValidationError: it is none.
    """
    if value is None and optional:
        return None
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not _is_seconds(value):
        none = ", or None" if optional else ""
        raise ValidationError(f"{what}={_shown(value)}: give seconds, as a number{none}")
    return value


def _is_seconds(number: float) -> bool:
    try:
        return not math.isnan(number)
    except OverflowError:  # an int that is longer than any float
        return False


def check_many(what: str, value: object, of: str) -> Iterable[Any]:
    """Return a value that is many: a list, a tuple or another iterable; a text or a mapping is one thing.

    Raises:
        ValidationError: it is not many; `of` says what it should be many of.
    """
    many: Any = value
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes, bytearray, Mapping)):
        raise ValidationError(f"{what}={_shown(many)}: give a list of {of}")
    return many  # type: ignore[no-any-return]


def _shown(value: object) -> str:
    """Return a simple value as it would be typed, and of others the type: params may be secret."""
    if value is None or isinstance(value, (str, bytes, int, float)):
        text = repr(value)
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f"a {type(value).__name__}" if not isinstance(value, type) else f"the class {value.__name__}"
