"""Reads annotations as Python allows them: unions, aliases, `Annotated`, `NewType`, type variables, names in quotes."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Never, TypeVar, Union, get_args, get_origin, get_type_hints


def plain(annotation: Any) -> Any:
    """Return what an annotation stands for: an alias its value, a `NewType` its supertype, `Annotated` its type."""
    for _ in range(100):  # an alias may name itself
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
            continue
        # Of `type Name = …`; a generic one has it on its origin. It is looked up only now: it may name what is missing.
        try:
            value = getattr(origin if hasattr(origin, "__value__") else annotation, "__value__", annotation)
        except Exception:  # noqa: BLE001 - the alias is user code
            return Any
        value = getattr(value, "__supertype__", value)
        if value is annotation:
            return annotation
        annotation = value
    return Any


def members(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the one type; of a type variable those of its bound or constraints."""
    annotation = plain(annotation)
    if get_origin(annotation) in {Union, types.UnionType}:
        return tuple(member for part in get_args(annotation) for member in members(part))
    if isinstance(annotation, TypeVar):
        parts = annotation.__constraints__ or (annotation.__bound__ or Any,)
        return tuple(member for part in parts for member in members(part))
    return (annotation,)


def literals(annotation: Any) -> tuple[Any, ...]:
    """Return the values of a `Literal`, or of a union of such; a type variable and `Never` have none."""
    annotation = plain(annotation)
    if get_origin(annotation) in {Union, types.UnionType}:
        return tuple(value for part in get_args(annotation) for value in literals(part))
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return () if annotation is Never or isinstance(annotation, TypeVar) else (annotation,)


def resolved(annotation: Any, names: dict[str, Any]) -> Any:
    """Return an annotation without names in quotes, found among `names`; Any where one cannot be found."""
    try:
        return get_type_hints(types.SimpleNamespace(__annotations__={"it": annotation}), names, {})["it"]
    except Exception:  # noqa: BLE001 - annotations are user code: what cannot be resolved says nothing
        return Any
