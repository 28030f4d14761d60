"""Takes times as they are declared, a `timedelta` or seconds as a number, and holds them as `timedelta`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, Generic, TypeAlias, overload

from typing_extensions import TypeVar

from flows.errors import DeclarationError

GivenT_contra = TypeVar("GivenT_contra", contravariant=True, default=timedelta | float)
HeldT_co = TypeVar("HeldT_co", covariant=True, default=timedelta)

#: No time is longer: Redis and clocks could not count it.
LONGEST: Final = timedelta(days=36_525)


class Duration(Generic[GivenT_contra, HeldT_co]):
    """A field of a frozen dataclass that takes seconds as a number too, and holds a timedelta.

    What is neither is held as it was given, for `check_duration` to refuse with the name of what it belongs to.
    """

    def __init__(self, default: HeldT_co) -> None:
        self._default = default
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> HeldT_co: ...
    @overload
    def __get__(self, instance: object, owner: type) -> HeldT_co: ...
    def __get__(self, instance: object | None, owner: type) -> HeldT_co:
        if instance is None:
            return self._default
        held: HeldT_co = instance.__dict__[self._name]
        return held

    def __set__(self, instance: object, value: GivenT_contra) -> None:
        instance.__dict__[self._name] = as_timedelta(value)


#: A time that may be left out.
OptionalDuration: TypeAlias = Duration[timedelta | float | None, timedelta | None]


def as_timedelta(value: object) -> Any:
    """Return a number of seconds as a timedelta, several as several, and anything else as it is."""
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray)):
        several: Sequence[object] = value  # pyright: ignore[reportUnknownVariableType]
        times = map(as_timedelta, several)
        return tuple(times) if isinstance(value, tuple) else list(times)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return timedelta(seconds=value)
        except (OverflowError, ValueError):  # NaN, infinity, and what takes millions of years
            return value
    return value


def check_duration(what: str, value: object, longest: timedelta = LONGEST) -> None:
    """Check that a value is a positive timedelta.

    Raises:
        DeclarationError: it is none, or longer than `longest`; `what` says which value that is.
    """
    if not isinstance(value, timedelta):
        raise DeclarationError(f"{what}={value!r}: give a datetime.timedelta, or seconds as a number")
    if value <= timedelta(0):
        raise DeclarationError(f"{what}={in_seconds(value)} is not positive: give a longer time")
    if value > longest:
        raise DeclarationError(f"{what}={in_seconds(value)} is too long: give at most {in_seconds(longest)}")


def in_seconds(time: timedelta) -> str:
    """Return a time as messages tell it."""
    return f"{time.total_seconds():.15g} s"
