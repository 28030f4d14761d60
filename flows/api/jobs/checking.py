"""Checks values by the JSON schema that a flow has left: each that is refused is told with its place."""

from __future__ import annotations

import importlib
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from pydantic import AnyUrl, TypeAdapter
from pydantic import ValidationError as PydanticValidationError

from flows.errors import Fault, MissingExtra, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flows.model.declared.schemas import Schema

#: What a text is by its format in a schema, and how it is then looked up: as the value that the flow's code would make.
_FORMATS: Final[dict[str, TypeAdapter[Any]]] = {
    "date-time": TypeAdapter(datetime),
    "date": TypeAdapter(date),
    "uuid": TypeAdapter(UUID),
    "uri": TypeAdapter(AnyUrl),
}
#: Formats that the library of JSON schemas checks.
_CHECKED: Final = ("email", "ipv4", "ipv6")
#: So many faults are told.
_MOST: Final = 100
#: And so many in the sentence.
_TOLD: Final = 5
#: What is said of a value, by the keyword of the schema that it breaks.
_SAID: Final = {
    "type": "it has to be of type {}",
    "enum": "it has to be one of {}",
    "const": "it has to be {}",
    "minimum": "it has to be {} or more",
    "maximum": "it has to be {} or less",
    "exclusiveMinimum": "it has to be more than {}",
    "exclusiveMaximum": "it has to be less than {}",
    "multipleOf": "it has to be a multiple of {}",
    "minLength": "it has to have {} characters or more",
    "maxLength": "it has to have {} characters or less",
    "minItems": "it has to have {} items or more",
    "maxItems": "it has to have {} items or less",
    "uniqueItems": "its items have to differ",
    "pattern": "it has to match {}",
    "format": "it is no {}",
    "anyOf": "it fits none of the alternatives",
    "oneOf": "it has to fit one of the alternatives",
}


def check_value(schema: Schema, what: str, name: str, value: object) -> None:
    """Check the value of one property by a schema.

    Args:
        schema: Of the whole object.
        what: How the value is called where it is refused.
        name: Of the property.
        value: As JSON has it.

    Raises:
        ValidationError: the value breaks the schema.
        MissingExtra: what checks it is not installed.
    """
    one = {"$defs": schema.get("$defs", {}), **schema["properties"][name]}
    if faults := _faults_of(one, value):
        raise refusal(what, faults)


def check_object(schema: Schema, given: dict[str, Any]) -> None:
    """Check params by their schema.

    Raises:
        ValidationError: they break it, or one is not known.
        MissingExtra: what checks them is not installed.
    """
    properties: dict[str, Any] = schema.get("properties", {})
    there = f"there is no such param: there is {', '.join(properties)}"
    unknown = [Fault((name,), there) for name in sorted(given.keys() - properties.keys())]
    if faults := [*unknown, *_faults_of(schema, given)]:
        raise refusal("params", faults)
    for name, value in given.items():
        as_declared(schema, name, value)


def as_declared(schema: Schema | None, name: str, value: Any) -> object:
    """Return a param as the flow's code would have it, as far as its format says: so its lookup text is the same.

    Raises:
        ValidationError: it is no text of that format.
    """
    part: Any = {} if schema is None else schema.get("properties", {}).get(name, {})
    if isinstance(value, list):
        some: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
        items: Any = part.get("items", {})
        return [_as_format(items, (name, at), one) for at, one in enumerate(some)]
    return _as_format(part, (name,), value)


def refusal(what: str, faults: Sequence[Fault]) -> ValidationError:
    """Return the error that refuses what has faults.

    Args:
        what: How the whole is called.
        faults: Of it: there are some.
    """
    told = (f"{'.'.join([what, *map(str, one.place)])}: {one.message}" for one in faults[:_TOLD])
    return ValidationError("; ".join(told), faults[:_MOST])


def _faults_of(schema: Schema, value: object) -> list[Fault]:
    """Return what of a value breaks a schema."""
    try:
        jsonschema: Any = importlib.import_module("jsonschema")
    except ImportError as error:
        raise MissingExtra("checking params by the schema that a flow has left", "web") from error
    checker = jsonschema.FormatChecker(_CHECKED)
    errors = jsonschema.Draft202012Validator(schema, format_checker=checker).iter_errors(value)
    faults = dict.fromkeys(fault for error in errors for fault in _faults(error))
    return sorted(faults, key=lambda one: list(map(str, one.place)))


def _faults(error: Any) -> Iterator[Fault]:
    """Yield what is wrong, without the value, which may be long or secret."""
    place, broken = tuple(error.absolute_path), error.validator_value
    match error.validator:
        case "required":
            yield from (Fault((*place, name), "it is missing") for name in broken if name not in error.instance)
        case "anyOf" | "oneOf" if (one := _likely(error)) is not None:
            for inner in one:
                yield from _faults(inner)
        case "additionalProperties" if isinstance(error.instance, dict):
            known = error.schema.get("properties", {})
            given: list[str] = list(error.instance)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
            yield from (Fault((*place, name), "there is no such member") for name in given if name not in known)
        case keyword:
            several: list[Any] = broken if isinstance(broken, list) else [broken]  # pyright: ignore[reportUnknownVariableType]
            text = ", ".join(map(str, several))
            yield Fault(place, _SAID.get(keyword, f"it breaks {keyword}: {{}}").replace("{}", f"{text:.200}"))


def _likely(error: Any) -> list[Any] | None:
    """Return what is wrong by the one alternative that is meant: the only one, but for null; None where several are."""
    branches: dict[Any, list[Any]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    meant = [one for one in branches.values() if one[0].validator_value != "null"]
    return meant[0] if len(meant) == 1 else None


def _as_format(part: Any, place: tuple[str | int, ...], value: Any) -> object:
    members = cast("dict[str, Any]", part) if isinstance(part, dict) else {}
    options: list[dict[str, Any]] = [members, *members.get("anyOf", ())]
    formats = [one.get("format") for one in options]
    known = next((one for one in formats if one in _FORMATS), None)
    if known is None or not isinstance(value, str):
        return value
    try:
        found: object = _FORMATS[known].validate_python(value)
    except PydanticValidationError as error:
        raise refusal("params", [Fault(place, f"it is no {known}")]) from error
    return found
