"""Checks of the times and numbers by which a declaration limits something."""

from __future__ import annotations

from datetime import timedelta

from flows.errors import DeclarationError


def check_duration(what: str, value: object) -> None:
    """Check that a value is a positive timedelta.

    Raises:
        DeclarationError: it is none; `what` says which value that is.
    """
    if not isinstance(value, timedelta):
        raise DeclarationError(f"{what}={value!r}: give a datetime.timedelta")
    if value <= timedelta(0):
        raise DeclarationError(f"{what}={value} is not positive: give a longer time")


def check_number(what: str, value: object) -> None:
    """Check that a value is a positive whole number.

    Raises:
        DeclarationError: it is none; `what` says which value that is.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise DeclarationError(f"{what}={value!r}: give a positive whole number")
