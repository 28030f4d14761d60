"""Between models and the fields of a hash, each a JSON text of its own."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, from_json, to_json

from flows.errors import ValidationError
from flows.model.job import ChildrenOf, Job, children_fields, user_fields

ModelT = TypeVar("ModelT", bound=BaseModel)

#: Values of these types hold no float.
_PLAIN = frozenset({str, int, bool, type(None)})


def encode(model: BaseModel) -> dict[str, bytes]:
    """Return the user fields of `model`, each as JSON.

    Raises:
        ValidationError: a value is not JSON, or is NaN or infinite.
    """
    kind = type(model)
    names = _user_fields(kind)
    for name in names:
        value = getattr(model, name)
        if type(value) not in _PLAIN:
            refuse_non_finite(value, name)
    try:
        values: dict[str, Any] = model.__pydantic_serializer__.to_python(
            model, mode="json", by_alias=False, warnings="error", include=_included(kind)
        )
        return {name: to_json(values[name]) for name in names if name in values}
    except (PydanticSerializationError, TypeError, UnicodeError) as error:
        msg = f"{kind.__name__} holds a value that is not JSON: {error}"
        raise ValidationError(msg) from error


def encode_value(name: str, value: object) -> bytes:
    """Return one value as JSON.

    Raises:
        ValidationError: it is not JSON, or is NaN or infinite.
    """
    refuse_non_finite(value, name)
    try:
        return to_json(value)
    except (PydanticSerializationError, UnicodeError) as error:
        msg = f"{name!r} is not JSON: {error}"
        raise ValidationError(msg) from error


def decode(model: type[ModelT], fields: Mapping[str, bytes]) -> ModelT:
    """Return a `model` validated from the fields of a hash; fields that it does not declare are ignored.

    Raises:
        pydantic.ValidationError: the fields are not what the model declares, or are not JSON.
        ValueError: the results of children are not in the shape that the kernel writes.
    """
    parts: list[bytes] = []
    for name, source, mark in _layout(model):
        raw = fields.get(source)
        if raw is not None:
            parts.append(name + (raw if mark is None else pick_child(raw, mark)))
    decoded: ModelT = model.__pydantic_validator__.validate_json(
        b"{" + b",".join(parts) + b"}", by_alias=False, by_name=True
    )
    return decoded


@cache
def sources(model: type[BaseModel]) -> tuple[tuple[str, str], ...]:
    """Return, for each field of `model`, its name and the field of the hash that holds it."""
    marks = _children_fields(model)
    kernel = Job.model_fields if issubclass(model, Job) else {}
    return tuple(
        (name, results_field(marks[name].queue) if name in marks else name) for name in (*_user_fields(model), *kernel)
    )


def results_field(queue: str) -> str:
    """Return the field of a parent's hash that holds the results of its children in `queue`."""
    return f"children:{queue}:results"


def pick_child(results: bytes, mark: ChildrenOf) -> bytes:
    """Return the list of one child queue's results from those of all the parent's children.

    Raises:
        ValueError: the field is not a JSON object.
    """
    children: object = from_json(results)
    if not isinstance(children, dict):
        msg = f"the results of {mark.queue!r} are not an object"
        raise ValueError(msg)  # noqa: TRY004 - it is the stored value that is wrong
    of_one: object = children.get(mark.child, [])  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return to_json(of_one)


def refuse_non_finite(value: object, name: str) -> None:
    """Raise unless every float in `value` is finite: JSON has no NaN, and pydantic would write null.

    Raises:
        ValidationError: a float is NaN or infinite.
    """
    if type(value) in _PLAIN or isinstance(value, (str, bytes, bytearray)):
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            msg = f"{name!r} is {value!r}: JSON has no such number"
            raise ValidationError(msg)
        return
    for element in _elements(value):
        refuse_non_finite(element, name)


def _elements(value: object) -> Iterable[object]:
    if isinstance(value, BaseModel):
        return [*value.__dict__.values(), *(value.__pydantic_extra__ or {}).values()]
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in dataclass_fields(value)]
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value)
        return [*pairs.keys(), *pairs.values()]
    return cast("Collection[object]", value) if isinstance(value, Collection) else ()


def as_object(fields: Mapping[str, bytes]) -> bytes:
    """Return fields as one JSON object."""
    return b"{" + b",".join(b'"%b":%b' % (name.encode(), raw) for name, raw in fields.items()) + b"}"


@cache
def _user_fields(model: type[BaseModel]) -> tuple[str, ...]:
    return user_fields(model)


@cache
def _included(model: type[BaseModel]) -> set[str] | None:
    """What to serialise: nothing of what the kernel's own classes declare; None is quicker, and means all."""
    names = _user_fields(model)
    return None if len(names) == len(model.model_fields) else set(names)


@cache
def _layout(model: type[BaseModel]) -> tuple[tuple[bytes, str, ChildrenOf | None], ...]:
    """Return, for each field: its name as a JSON key, the field of the hash, and the mark of children's results."""
    marks = _children_fields(model)
    return tuple((b'"%b":' % name.encode(), source, marks.get(name)) for name, source in sources(model))


@cache
def _children_fields(model: type[BaseModel]) -> dict[str, ChildrenOf]:
    return children_fields(model)
