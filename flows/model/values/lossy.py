"""Finds what a class declares and no JSON can give back, before there is a job: secrets, excluded fields, odd keys."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    PlainValidator,
    Secret,
    SecretBytes,
    SecretStr,
    WrapValidator,
)

from flows.errors import DeclarationError
from flows.model.annotations.members import members

_SECRETS: Final = (SecretStr, SecretBytes, Secret)
_VALIDATORS: Final = (AfterValidator, BeforeValidator, PlainValidator, WrapValidator)
#: Keys of a JSON object are texts, of which none of these is made again.
_NO_KEYS: Final = (tuple, frozenset, list, set, dict, BaseModel, type(None))


def refuse_lossy(model: type[BaseModel]) -> None:
    """Check that what `model` declares can come back from JSON, that of models in it too.

    Where a serializer is declared it is heard, and what it makes of a value is seen when a job is created.

    Raises:
        DeclarationError: a field can never come back; the message names the class and the field.
    """
    if model.__pydantic_root_model__:
        raise DeclarationError(
            f"{model.__name__} is a RootModel: use a model with fields, each of which is saved by name"
        )
    _refuse_model(model, set())


def refuse_lossy_type(declared: Any, what: str) -> None:
    """Check the same of a type that is no field's: of an argument, or of what a function returns.

    Raises:
        DeclarationError: a value of it, or a field of one, can never come back; `what` says whose type it is.
    """
    _refuse(declared, what, set())


def _refuse_model(model: type[BaseModel], seen: set[Any]) -> None:
    said = model.__pydantic_decorators__
    own = {name for one in said.field_serializers.values() for name in one.info.fields}
    encoders = model.model_config.get("json_encoders") or {}
    if said.model_serializers or "*" in own or "__get_pydantic_core_schema__" in vars(model):
        return
    for name, field in model.model_fields.items():
        where = f"{model.__name__}.{name}"
        if field.exclude:
            raise DeclarationError(
                f"{where} has exclude=True, so it would not be saved with the job: remove that, or the field"
            )
        if name not in own and not _serialized(field.metadata):
            _refuse(field.annotation, where, seen | set(encoders) if encoders else seen)


def _refuse(declared: Any, where: str, seen: set[Any]) -> None:
    """Look at one type as it was declared at `where`, and at those within it; each type of `seen` is known."""
    origin = get_origin(declared)
    if origin is Annotated:
        inner, *marks = get_args(declared)
        if not _serialized(marks):
            _refuse(inner, where, seen)
    elif origin in {Union, types.UnionType}:
        for member in get_args(declared):
            _refuse(member, where, seen)
    elif hasattr(declared, "__value__") or hasattr(declared, "__supertype__"):  # a `type` statement, or a NewType
        if declared not in seen:
            seen.add(declared)
            _refuse(getattr(declared, "__value__", None) or declared.__supertype__, where, seen)
    elif origin is Literal:
        return
    else:
        _refuse_type(origin or declared, get_args(declared), where, seen)


def _refuse_type(kind: Any, arguments: tuple[Any, ...], where: str, seen: set[Any]) -> None:
    if not isinstance(kind, type) or kind in seen:
        return
    if issubclass(kind, _SECRETS):
        raise DeclarationError(
            f"{where} is a {kind.__name__}, which is written as asterisks: give it a serializer that keeps the value, "
            "or pass on where the secret is kept"
        )
    if issubclass(kind, Mapping) and arguments:
        _refuse_keys(arguments[0], where)
    for argument in arguments:
        _refuse(argument, where, seen)
    _refuse_within(kind, seen)


def _refuse_keys(declared: Any, where: str) -> None:
    for member in members(declared):
        key = get_origin(member) or member
        if inspect.isclass(key) and (issubclass(key, _NO_KEYS) or is_dataclass(key)):
            raise DeclarationError(
                f"{where} has keys of type {_name(key)}, but those of a JSON object are texts: use a list of pairs"
            )


def _refuse_within(kind: Any, seen: set[Any]) -> None:
    """Look at the fields of a model, a dataclass, a typed dict or a named tuple."""
    if kind.__module__ != "builtins":
        seen.add(kind)
    if issubclass(kind, BaseModel):
        _refuse_model(kind, seen)
    elif is_dataclass(kind) or is_typeddict(kind) or hasattr(kind, "_fields"):
        for name, hint in _hints(kind):
            _refuse(hint, f"{_name(kind)}.{name}", seen)


def _hints(kind: Any) -> list[tuple[str, Any]]:
    try:
        return list(get_type_hints(kind, include_extras=True).items())
    except Exception:  # noqa: BLE001 - annotations are user code: what cannot be resolved here, pydantic has resolved
        return []


def _name(kind: Any) -> str:
    return str(kind.__name__)


def _serialized(marks: Any) -> bool:
    """Return whether one of these marks may be a serializer, by which a value comes back after all."""
    return any(
        hasattr(mark, "__get_pydantic_core_schema__") and not isinstance(mark, _VALIDATORS)
        for mark in cast("list[Any]", marks)
    )
