"""Says where two values differ, one as it was given and one as it would arrive: in their types too, however deep."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from datetime import datetime, time
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias, cast

from pydantic import BaseModel

from flows.errors import ValidationError
from flows.model.values.plain import MOST, PLAIN

#: Values may nest so deep: readers of JSON stop at 200, and the values of children stand within those of their parent.
DEEPEST: Final = 128


class Difference(NamedTuple):
    """Where two values differ, as `.field[0]['key']`, and how."""

    path: str
    how: str
    lost: bool = False
    """Whether that is lost by way of JSON for certain: a value of the same type may be what a validator makes of it."""


class _Place(NamedTuple):
    """Where an element stands in what holds it; the text is made only where it is told."""

    form: str
    part: object

    def __str__(self) -> str:
        return self.form.format(self.part)


Comparison: TypeAlias = Callable[[Any, Any, int], Difference | None]

_CHANGED: Final = Difference("", "would come back as another value")
_TOO_DEEP: Final = f"is nested more than {DEEPEST} levels deep, and no reader of JSON takes that"
_ITERATOR: Final = Difference("", "is an iterator, which can be read but once: declare it as a list", lost=True)


def difference(given: object, arrived: object, depth: int = DEEPEST) -> Difference | None:
    """Return the first difference between a value and what came back of it; None where there is none."""
    kind = type(given)
    if kind is not type(arrived):
        return Difference("", f"is a {kind.__name__} and would come back as a {type(arrived).__name__}", lost=True)
    if kind in PLAIN:
        return None if given == arrived else _CHANGED
    if not depth:
        return Difference("", f"is nested more than {DEEPEST} levels deep", lost=True)
    return _comparison(cast("Any", kind))(given, arrived, depth - 1)


def refuse_unwritable(value: object, name: str) -> None:
    """Raise where `value` holds what no JSON can: pydantic would write null for NaN, and no reader takes the others.

    Raises:
        ValidationError: a float is NaN or infinite, an integer is too long, values nest too deeply or hold themselves.
    """
    found = _unwritable(value, DEEPEST)
    if found is not None:
        raise ValidationError(f"{name!r}{found.path} {found.how}")


def _unwritable(value: object, depth: int) -> Difference | None:
    """Return where a value holds what no JSON can, and what that is."""
    if type(value) is int and not -MOST < value < MOST:
        return Difference("", "holds an integer of more than 4,300 digits: no reader of JSON takes that")
    if type(value) in PLAIN or isinstance(value, (str, bytes, bytearray, Enum)):
        return None
    if isinstance(value, float):
        return None if math.isfinite(value) else Difference("", f"is {value!r}: JSON has no such number")
    for at, element in _elements(value):
        if not depth:
            return Difference("", _TOO_DEEP)
        if (found := _unwritable(element, depth - 1)) is not None:
            return found if found.how is _TOO_DEEP else found._replace(path=f"{at}{found.path}")
    return None


def _elements(value: object) -> Iterator[tuple[_Place, object]]:
    """Yield what a value holds, and where."""
    if isinstance(value, BaseModel):
        held = {**value.__dict__, **(value.__pydantic_extra__ or {})}
        yield from ((_Place(".{}", name), of) for name, of in held.items())
    elif is_dataclass(value) and not isinstance(value, type):
        yield from ((_Place(".{}", field.name), getattr(value, field.name, None)) for field in dataclass_fields(value))
    elif isinstance(value, Mapping):
        for key, of in cast("Mapping[object, object]", value).items():
            yield _Place("[key]", None), key
            yield _Place("[{!r}]", key), of
    elif isinstance(value, AbstractSet):
        yield from ((_Place("[…]", None), of) for of in cast("AbstractSet[object]", value))
    elif isinstance(value, Collection):
        yield from ((_Place("[{}]", at), of) for at, of in enumerate(cast("Collection[object]", value)))


@cache
def _comparison(kind: Any) -> Comparison:
    """Return how values of a type are compared."""
    if issubclass(kind, Enum):
        return lambda one, other, _depth: None if one is other else _CHANGED
    if hasattr(kind, "__next__"):
        return lambda _one, _other, _depth: _ITERATOR
    for types, comparison in _COMPARISONS:
        if issubclass(kind, types):
            return comparison
    if is_dataclass(kind):
        return _attributes([field.name for field in dataclass_fields(kind)])
    if kind.__eq__ is object.__eq__:
        return lambda one, other, depth: difference(_state(one), _state(other), depth)
    return _equal


def _equal(one: object, other: object, _depth: int) -> Difference | None:
    try:
        return None if one == other else _CHANGED
    except Exception:  # noqa: BLE001 - how a type of the user's compares is user code
        return _CHANGED


def _floats(one: float, other: float, depth: int) -> Difference | None:
    """Compare floats by sign too; of NaN and the infinities, which JSON does not have, none is equal to another."""
    finite = math.isfinite(one) and math.copysign(1, one) == math.copysign(1, other)
    return _equal(one, other, depth) if finite else _CHANGED


def _complex(one: complex, other: complex, depth: int) -> Difference | None:
    return _floats(one.real, other.real, depth) or _floats(one.imag, other.imag, depth)


def _decimals(one: Decimal, other: Decimal, _depth: int) -> Difference | None:
    return None if one.is_finite() and str(one) == str(other) else _CHANGED  # 1.5 is not 1.50


def _times(one: datetime | time, other: datetime | time, depth: int) -> Difference | None:
    if one.fold != other.fold or (one != other and one.isoformat() == other.isoformat()):
        return Difference(
            "", "is in an hour that its zone has twice, and JSON does not keep which: convert it to UTC", lost=True
        )
    return _equal(one, other, depth) or _equal(one.utcoffset(), other.utcoffset(), depth)


def _lists(one: Collection[object], other: Collection[object], depth: int) -> Difference | None:
    if len(one) != len(other):
        return _CHANGED
    for at, (given, arrived) in enumerate(zip(one, other, strict=True)):
        if (found := difference(given, arrived, depth)) is not None:
            return found._replace(path=f"[{at}]{found.path}")
    return None


def _deques(one: deque[object], other: deque[object], depth: int) -> Difference | None:
    if one.maxlen != other.maxlen:
        return Difference("", "has a maxlen, which JSON does not keep", lost=True)
    return _lists(one, other, depth)


def _sets(one: AbstractSet[object], other: AbstractSet[object], depth: int) -> Difference | None:
    there = {element: element for element in other}
    if len(one) != len(other):
        return _CHANGED
    for given in one:
        if given not in there:
            return _CHANGED
        if (found := difference(given, there[given], depth)) is not None:
            return found._replace(path=f"[…]{found.path}")
    return None


def _mappings(one: Mapping[object, object], other: Mapping[object, object], depth: int) -> Difference | None:
    if (
        isinstance(one, defaultdict)
        and one.default_factory != cast("defaultdict[object, object]", other).default_factory
    ):
        return Difference(
            "", "has a default_factory that its field does not declare, and JSON does not keep", lost=True
        )
    keys = {key: key for key in other}
    if len(one) != len(other):
        return _CHANGED
    for key, given in one.items():
        if key not in keys:
            return Difference(f"[{key!r}]", "would be lost", lost=True)
        found = difference(key, keys[key], depth)
        if found is not None:
            return Difference(f"[{key!r}]", f"has a key that {found.how}", found.lost)
        found = difference(given, other[key], depth)
        if found is not None:
            return found._replace(path=f"[{key!r}]{found.path}")
    return None


def _models(one: BaseModel, other: BaseModel, depth: int) -> Difference | None:
    """Compare fields, fields that are not declared, and private attributes; cached properties are none of them."""
    mine, theirs = one.__dict__, other.__dict__
    for name in type(one).__pydantic_fields__:
        given, arrived = mine.get(name), theirs.get(name)
        if given is arrived and type(given) in PLAIN:
            continue
        if (found := difference(given, arrived, depth)) is not None:
            return found._replace(path=f".{name}{found.path}")
    for more, others in (
        (one.__pydantic_extra__, other.__pydantic_extra__),
        (one.__pydantic_private__, other.__pydantic_private__),
    ):
        if more != others or more:
            found = difference(more or {}, others or {}, depth)
            if found is not None:
                return found._replace(lost=True)
    return None


def _attributes(names: list[str]) -> Comparison:
    """Return how objects are compared that hold all they hold in these attributes."""

    def compare(one: object, other: object, depth: int) -> Difference | None:
        for name in names:
            found = difference(getattr(one, name, None), getattr(other, name, None), depth)
            if found is not None:
                return found._replace(path=f".{name}{found.path}")
        return None

    return compare


def _state(value: object) -> dict[str, object]:
    """Return what an object holds whose class does not say when two of it are equal."""
    said: list[str | Iterable[str]] = [vars(one).get("__slots__", ()) for one in type(value).__mro__]
    slots = [name for names in said for name in ([names] if isinstance(names, str) else names)]
    return {**getattr(value, "__dict__", {}), **{name: getattr(value, name) for name in slots if hasattr(value, name)}}


_COMPARISONS: Final[tuple[tuple[type | tuple[type, ...], Comparison], ...]] = (
    (BaseModel, _models),
    (float, _floats),
    (complex, _complex),
    (Decimal, _decimals),
    ((datetime, time), _times),
    (deque, _deques),
    ((list, tuple), _lists),
    (AbstractSet, _sets),
    (Mapping, _mappings),
)
