"""Checks of the numbers by which a declaration limits something."""

from __future__ import annotations

from flows.errors import DeclarationError


def check_number(what: str, value: object) -> None:
    """Check that a value is a positive whole number.

    Raises:
        DeclarationError: it is none; `what` says which value that is.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise DeclarationError(f"{what}={value!r}: give a positive whole number")
