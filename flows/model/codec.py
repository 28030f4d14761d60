"""Encodes models as the fields of a hash, each a JSON text of its own, and decodes them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from functools import cache
from itertools import compress
from typing import Any, Generic, TypeVar, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, from_json, to_json

from flows.errors import ValidationError
from flows.model.job import ChildrenOf, children_fields, user_fields

ModelT = TypeVar("ModelT", bound=BaseModel)

#: Values of these types hold no float.
_PLAIN = frozenset({str, int, bool, type(None)})


def encode(model: BaseModel) -> dict[str, bytes]:
    """Return the user fields of `model`, each as JSON.

    Raises:
        ValidationError: a value is not JSON, or is NaN or infinite.
    """
    kind = type(model)
    fields, plain = _user_values(kind)
    values, certain = model.__dict__, True
    for name, is_declared in fields:
        value = values.get(name)
        if not is_declared(value):
            refuse_non_finite(value, name)
            certain = False
    try:
        if certain and plain:
            return {name: to_json(values[name]) for name, _is_declared in fields if name in values}
        # Warnings only where there may be one: to have pydantic look takes longer than all the rest.
        values = model.__pydantic_serializer__.to_python(
            model, mode="json", by_alias=False, warnings=False if certain else "error", include=_included(kind)
        )
        return {name: to_json(values[name]) for name, _is_declared in fields if name in values}
    except (PydanticSerializationError, TypeError, ValueError, RecursionError) as error:
        raise ValidationError(f"{kind.__name__} holds a value that is not JSON: {error}") from error


def encode_value(name: str, value: object) -> bytes:
    """Return one value as JSON.

    Raises:
        ValidationError: it is not JSON, or is NaN or infinite.
    """
    refuse_non_finite(value, name)
    try:
        return to_json(value)
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        raise ValidationError(f"{name!r} is not JSON: {error}") from error


class Decoder(Generic[ModelT]):
    """Makes a model of the values of a hash's fields, by one call of the validator on one JSON object.

    Attributes:
        fields: The fields of the hash that hold what users declared in the model, in the order of `decode`.
    """

    def __init__(self, model: type[ModelT]) -> None:
        marks = children_fields(model)
        names = user_fields(model)
        self.fields = tuple(results_field(marks[name].queue) if name in marks else name for name in names)
        self.results = tuple((at, marks[name]) for at, name in enumerate(names) if name in marks)
        self._names = names
        self._whole = _object_of(names, known=True)
        self._validate = model.__pydantic_validator__.validate_json

    def decode(self, values: Sequence[bytes | None], known: bytes = b"") -> ModelT:
        """Return the model; `known` are members of the JSON object that the kernel adds, and win over all others.

        Raises:
            pydantic.ValidationError: the values are not what the model declares, or are not JSON.
            ValueError: the results of children are not in the shape that the kernel writes.
        """
        if self.results:
            values = list(values)
            for at, mark in self.results:
                raw = values[at]
                values[at] = None if raw is None else pick_child(raw, mark)
        if known and None not in values:
            text = self._whole % (*values, known)
        else:
            present = [raw is not None for raw in values]
            form = _object_of(compress(self._names, present), known=bool(known))
            text = form % (*compress(values, present), *([known] if known else ()))
        decoded: ModelT = self._validate(text, by_alias=False, by_name=True)
        return decoded


def _object_of(names: Iterable[str], *, known: bool) -> bytes:
    """Return the form of a JSON object with these members, and at its end with those that the kernel knows."""
    members = [b'"%b":%%b' % name.encode() for name in names]
    return b"{" + b",".join([*members, b"%b"] if known else members) + b"}"


def decode(model: type[ModelT], fields: Mapping[str, bytes], known: bytes = b"") -> ModelT:
    """Return a `model` from the fields of a hash, as `Decoder.decode` does; others of its fields are ignored."""
    decoder: Decoder[ModelT] = _decoder(model)
    return decoder.decode([fields.get(name) for name in decoder.fields], known)


def kernel_fields(job_id: bytes, flow_name: bytes, attempt: int, correlation_id: bytes | None) -> bytes:
    """Return what the kernel knows of a job, as members of a JSON object; none of it needs escaping."""
    known = b'"id":"%b","flow_name":"%b","attempt":%d' % (job_id, flow_name, attempt)
    return known if correlation_id is None else b'%b,"correlation_id":%b' % (known, correlation_id)


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
        raise ValueError(f"the results of {mark.queue!r} are not an object")  # noqa: TRY004 - it is the stored value that is wrong
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
            raise ValidationError(f"{name!r} is {value!r}: JSON has no such number")
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
def _user_values(model: type[BaseModel]) -> tuple[tuple[tuple[str, Callable[[object], bool]], ...], bool]:
    """Return the user fields, each with a test that says whether a value is without doubt what its field declares.

    And whether such values are written as they are.
    """
    tests = tuple((name, _is_exactly(model.model_fields[name].annotation)) for name in user_fields(model))
    return tests, _is_plain(model)


def _is_exactly(declared: Any) -> Callable[[object], bool]:
    if declared in _PLAIN:
        return lambda value: type(value) is declared
    if get_origin(declared) is list and get_args(declared)[0] in _PLAIN:
        elements = {get_args(declared)[0]}
        return lambda value: type(value) is list and elements.issuperset(map(type, cast("list[object]", value)))
    return lambda _value: False


def _is_plain(model: type[BaseModel]) -> bool:
    """Return whether pydantic writes the declared values as `to_json` does: no class or field says otherwise."""
    decorators = model.__pydantic_decorators__
    fields = [model.model_fields[name] for name in user_fields(model)]
    descent = model.__mro__[: model.__mro__.index(BaseModel)]
    return not (
        decorators.field_serializers
        or decorators.model_serializers
        or model.model_config.get("json_encoders")
        or model.__pydantic_root_model__
        or any("__get_pydantic_core_schema__" in vars(one) for one in descent)
        or any(field.exclude or getattr(field, "exclude_if", None) for field in fields)  # the latter came with 2.12
        or any(hasattr(mark, "__get_pydantic_core_schema__") for field in fields for mark in field.metadata)
    )


@cache
def _included(model: type[BaseModel]) -> set[str] | None:
    """Return the fields to serialise, without those of the kernel's own classes; None is quicker, and means all."""
    names = user_fields(model)
    return None if len(names) == len(model.model_fields) else set(names)


@cache
def _decoder(model: type[Any]) -> Decoder[Any]:
    return Decoder(model)
