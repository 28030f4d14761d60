"""Checks of what options are made of: numbers, flags and lists; `arguments.py` has those of what calls are given."""

from __future__ import annotations

from collections.abc import Sequence

from flows.errors import DeclarationError


def check_number(what: str, value: object) -> None:
    """Check that a value is a positive whole number.

    Raises:
        DeclarationError: it is none; `what` says which value that is.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise DeclarationError(f"{what}={value!r}: give a positive whole number")


def check_flag(what: str, value: object) -> None:
    """Check that a value is True or False: `"no"` would count as true.

    Raises:
        DeclarationError: it is neither.
    """
    if not isinstance(value, bool):
        raise DeclarationError(f"{what}={value!r}: give True or False")


def check_list(what: str, value: object) -> None:
    """Check that a value is a list or a tuple: a text is a sequence too, and never meant as one.

    Raises:
        DeclarationError: it is none.
    """
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        raise DeclarationError(f"{what}={value!r}: give a list")
