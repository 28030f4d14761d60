"""Reads from annotations what a task's function takes and returns."""

from __future__ import annotations

import functools
import inspect
import types
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, get_type_hints
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict
from pydantic import ValidationError as PydanticValidationError
from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from flows.errors import DeclarationError, ValidationError
from flows.model.annotations.functions import names_of, written
from flows.model.annotations.signatures import signature_of
from flows.model.runs.shape import name_of
from flows.model.tree.node import Read
from flows.model.tree.schemas import read_schema, written_schema
from flows.model.values.sets import sorted_sets
from flows.model.values.unreadable import in_one_line
from flows.workflow.annotations import returned_shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.model.declared.schemas import Schema
    from flows.model.runs.shape import Shape

_POSITIONAL: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_EMPTY: Final = inspect.Parameter.empty


class TaskInput(BaseModel):
    """What one task sees: a subclass declares the fields of the context that it reads.

    They are those of the instance's data, and the results of tasks before it, by their `dest`. Two names stand for
    something else: `argument`, what the execution was given, or else the result of the task before; and `data`, the
    data as a whole.
    """

    model_config = ConfigDict(extra="ignore", protected_namespaces=())


#: What was read of views, results and functions: the same ones come again in each instance.
_reads: Final[WeakKeyDictionary[type[BaseModel], tuple[Read, ...]]] = WeakKeyDictionary()
#: Of a function, by how many arguments are bound to it, and which by name.
_views: Final[WeakKeyDictionary[Any, dict[tuple[int, tuple[str, ...]], type[TaskInput] | None]]] = WeakKeyDictionary()
_schemas: Final[WeakKeyDictionary[Shape[Any], Schema | None]] = WeakKeyDictionary()


def view_of(function: Callable[..., Any], what: str) -> type[TaskInput] | None:
    """Return which view a function takes; None: it does not say.

    Raises:
        DeclarationError: it takes something else, or more.
    """
    key: tuple[int, tuple[str, ...]] = 0, ()
    inner: Callable[..., Any] = function
    if isinstance(function, functools.partial):
        args: tuple[Any, ...] = function.args
        keywords: dict[str, Any] = function.keywords
        inner, key = function.func, (len(args), tuple(keywords))
    if type(inner) is not types.FunctionType:
        return _view(function, what)  # pyright: ignore[reportUnknownArgumentType]
    known = _views.setdefault(inner, {})
    if key not in known:
        known[key] = _view(function, what)  # pyright: ignore[reportUnknownArgumentType]
    return known[key]


def _view(function: Callable[..., Any], what: str) -> type[TaskInput] | None:
    parameters = signature_of(function).parameters.values()
    taken = [one for one in parameters if one.kind in _POSITIONAL and one.default is _EMPTY]
    left = [one for one in parameters if one.kind is one.KEYWORD_ONLY and one.default is _EMPTY]
    if len(taken) != 1 or left:
        raise DeclarationError(
            f"{what} takes ({', '.join(str(one) for one in parameters)}): let it take a TaskInput alone, and bind the "
            "rest by functools.partial"
        )
    annotation: object = taken[0].annotation
    if annotation is _EMPTY:
        return None
    view = annotation if isinstance(annotation, type) else _resolved(function, annotation, what)
    if not isinstance(view, type) or not issubclass(view, TaskInput):
        raise DeclarationError(f"{what} takes {name_of(view)}: let it take a subclass of TaskInput")
    return view


def read_view(view: type[TaskInput], fields: bytes) -> TaskInput:
    """Return a view of its fields, a JSON object.

    Raises:
        ValidationError: they do not fit it.
        Exception: what a validator of the view has raised.
    """
    try:
        found: TaskInput = view.__pydantic_validator__.validate_json(fields, by_alias=False, by_name=True)
    except PydanticValidationError as error:
        raise ValidationError(f"what it is given is no {view.__name__}: {in_one_line(error)}") from error
    return found


def reads_of(view: type[BaseModel]) -> tuple[Read, ...]:
    """Return the fields that a view, or the class of an instance's data, declares."""
    found = _reads.get(view)
    if found is None:
        found = _reads[view] = tuple(
            Read(name, info.is_required(), read_schema(info.rebuild_annotation()))
            for name, info in view.model_fields.items()
        )
    return found


def result_of(function: Callable[..., Any], what: str) -> Shape[Any]:
    """Return the type of what a function returns, without what a partial has bound.

    Raises:
        DeclarationError: its values never come back from JSON.
    """
    return returned_shape(written(function), f"the result of {what}")


def schema_of(shape: Shape[Any]) -> Schema | None:
    """Return the schema of what is written of a type."""
    if shape not in _schemas:
        _schemas[shape] = written_schema(shape.declared)
    return _schemas[shape]


def bound_of(function: Callable[..., Any] | None) -> str:
    """Return the digest of what a partial has bound, as far as that is JSON; empty: nothing.

    A generator binds to functions what it takes from the data: what such a task returns is stale when that is another.
    """
    if not isinstance(function, functools.partial):
        return ""
    args: tuple[Any, ...] = function.args
    keywords: dict[str, Any] = function.keywords
    hashed = blake2b(digest_size=6)
    for name, value in (*enumerate(args), *sorted(keywords.items())):
        try:
            hashed.update(b"%b=%b\0" % (str(name).encode(), to_json(sorted_sets(value, to_jsonable_python(value)))))
        except (PydanticSerializationError, ValueError, RecursionError):  # a client, a lock
            continue
    return hashed.hexdigest()


def _resolved(function: Callable[..., Any], annotation: Any, what: str) -> Any:
    try:
        holder = types.SimpleNamespace(__annotations__={"it": annotation})
        return get_type_hints(holder, names_of(function), {})["it"]
    except Exception as error:
        raise DeclarationError(
            f"{what} has a type that is not there at run time ({error}): import it outside of `if TYPE_CHECKING:`"
        ) from error
