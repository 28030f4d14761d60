"""Knows the plain fields of a class: those whose values JSON gives back as they are, so that nobody looks twice."""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from functools import cache
from itertools import chain
from typing import Any, Final, NamedTuple, TypeAlias, Union, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic import ValidationError as PydanticValidationError

from flows.model.job import user_fields

#: JSON gives back values of these types exactly, integers up to MOST.
PLAIN: Final = frozenset({str, int, bool, type(None)})
_TEXT: Final = frozenset({str})
#: Readers of JSON take integers of so many digits.
MOST_DIGITS: Final = 4300
MOST: Final = 10**MOST_DIGITS
LEAST: Final = -(10**MOST_DIGITS)

#: What `model_config` may say of all texts.
_TEXTS: Final = ("str_strip_whitespace", "str_to_lower", "str_to_upper", "str_min_length", "str_max_length")

Test: TypeAlias = Callable[[object], bool]


class PlainFields(NamedTuple):
    """The user fields of a class, and what to look at before their values are taken for plain ones."""

    tests: tuple[tuple[str, Test], ...]
    """Each field, and whether a value is without doubt of the type that it declares."""
    numbers: tuple[str, ...]
    """The fields with lists of integers, which are looked at again where their text is long."""
    plain: bool
    """Whether such values are written as they are, and read so."""
    constrained: bool
    """Whether the class says more of them than their types: a value that was set afterwards may not be held to it."""


@cache
def plain_fields(model: type[BaseModel]) -> PlainFields:
    """Return the user fields of a class."""
    declared = {name: model.model_fields[name].annotation for name in user_fields(model)}
    tests = tuple((name, is_exactly(of)) for name, of in declared.items())
    numbers = tuple(name for name, of in declared.items() if of == list[int])
    limited = any(model.model_fields[name].metadata for name in declared)
    return PlainFields(tests, numbers, _is_plain(model), limited or any(map(model.model_config.get, _TEXTS)))


def stays(model: type[BaseModel], values: dict[str, object]) -> bool:
    """Return whether a class takes these values of its fields, and as they are."""
    try:
        taken = model.__pydantic_validator__.validate_python(values, by_alias=False, by_name=True).__dict__
    except PydanticValidationError:
        return False
    return all(taken[name] == value for name, value in values.items())


def is_json(value: object, depth: int = 100) -> bool:
    """Return whether a value is what JSON gives back as it is, lists and dicts included, no deeper than `depth`."""
    kind = type(value)
    if kind in PLAIN:
        return kind is not int or LEAST < cast("int", value) < MOST
    if kind is float:
        return math.isfinite(cast("float", value))
    if kind is list and depth:
        return all(is_json(element, depth - 1) for element in cast("list[object]", value))
    if kind is dict and depth:
        pairs = cast("dict[object, object]", value).items()
        return all(type(key) is str and is_json(element, depth - 1) for key, element in pairs)
    return False


def is_exactly(declared: Any) -> Test:
    """Return what says whether a value is of a type and comes back from JSON as it is; of most types it says no.

    Of a list of integers it does not look at how large they are.
    """
    least, most = LEAST, MOST
    is_union = get_origin(declared) in {Union, types.UnionType}
    members: frozenset[Any] = frozenset(get_args(declared) if is_union else (declared,))
    if declared is int:
        return lambda value: type(value) is int and least < value < most
    if declared is float:
        return lambda value: type(value) is float and -math.inf < value < math.inf
    if declared in PLAIN:
        return lambda value: type(value) is declared
    if members <= PLAIN:
        return lambda value: type(value) in members and (type(value) is not int or least < value < most)
    return _holds_exactly(declared)


def _holds_exactly(declared: Any) -> Test:
    if get_origin(declared) is list and get_args(declared)[0] in PLAIN:
        elements = {get_args(declared)[0]}
        return lambda value: type(value) is list and elements.issuperset(map(type, cast("list[object]", value)))
    if declared == dict[str, str]:
        return lambda value: (
            type(value) is dict
            and _TEXT.issuperset(map(type, chain.from_iterable(cast("dict[object, object]", value).items())))
        )
    return lambda _value: False


def _is_plain(model: type[BaseModel]) -> bool:
    """Return whether pydantic writes the declared values as `to_json` does, and reads them as they are.

    It does where no class or field has a serializer or a validator of its own.
    """
    said = model.__pydantic_decorators__
    fields = [model.model_fields[name] for name in user_fields(model)]
    descent = model.__mro__[: model.__mro__.index(BaseModel)]
    return not (
        said.field_serializers
        or said.model_serializers
        or said.field_validators
        or said.model_validators
        or said.validators
        or said.root_validators
        or model.model_config.get("json_encoders")
        or model.__pydantic_root_model__
        or model.__pydantic_post_init__
        or model.__pydantic_custom_init__
        or any("__get_pydantic_core_schema__" in vars(one) for one in descent)
        or any(field.exclude or getattr(field, "exclude_if", None) for field in fields)  # the latter came with 2.12
        or any(hasattr(mark, "__get_pydantic_core_schema__") for field in fields for mark in field.metadata)
    )
