"""Reads from a handler's annotations what its type takes and returns, once, when it is declared."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Union, get_args, get_origin

from flows.errors import DeclarationError
from flows.model.annotations.members import members
from flows.model.annotations.signatures import signature_of
from flows.model.runs.shape import Shape
from flows.service.batches.batch import BatchJob, Each
from flows.workflow.annotations import Hints, brought

if TYPE_CHECKING:
    from collections.abc import Callable

_POSITIONAL: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_EMPTY: Final = inspect.Parameter.empty
#: A payload and a context.
_TAKEN: Final = 2


class Shapes(NamedTuple):
    """What the jobs of a type take and return, and where their function runs."""

    payload: Shape[Any]
    result: Shape[Any]
    is_async: bool


def shapes_of(name: str, function: Callable[..., Any], *, batch: bool = False) -> Shapes:
    """Return what a handler takes and returns, of each job where it takes many.

    Raises:
        DeclarationError: it is no function of a payload and a context, or of a list of jobs and a batch; a type of it
            cannot be resolved, or never comes back from JSON.
    """
    where, wanted = f"job type {name!r}", "(jobs, batch)" if batch else "(payload, job)"
    if not callable(function):
        raise DeclarationError(f"{where}: {function!r:.80} is no function: put @service.on(…) above one")
    code: Any = function if inspect.isroutine(function) else getattr(type(function), "__call__", None)  # noqa: B004
    if inspect.isgeneratorfunction(code) or inspect.isasyncgenfunction(code):
        raise DeclarationError(f"{where}: its function is a generator: return a result instead of using yield")
    parameters = [*signature_of(function).parameters.values()]
    taken = [one for one in parameters if one.kind in _POSITIONAL and one.default is _EMPTY]
    if len(taken) != _TAKEN or len(parameters) != _TAKEN:
        shown = ", ".join(map(str, parameters))
        raise DeclarationError(f"{where}: its function takes ({shown}): make it {wanted}")
    hints = Hints(where, function)
    if taken[0].annotation is _EMPTY:
        raise DeclarationError(f"{where}: its function does not say what it takes: annotate its first parameter")
    if hints.returned is _EMPTY:
        raise DeclarationError(f"{where}: its function does not say what it returns: annotate that, None for nothing")
    of_payload, of_result = f"the payload of {where}", f"the result of {where}"
    is_async = inspect.iscoroutinefunction(code)
    if not batch:
        payload = hints.of(taken[0].annotation, of_payload)
        return Shapes(payload, hints.of(hints.returned, of_result, returned=True), is_async)
    declared = hints.resolved(taken[0].annotation, of_payload)
    [of_job] = get_args(declared) or (None,)
    if get_origin(of_job) is not BatchJob:
        raise DeclarationError(f"{where}: its function takes {declared}: annotate list[BatchJob[…]], with the payload")
    returned = brought(hints.resolved(hints.returned, of_result))
    parts = [get_args(one)[0] if get_origin(one) is Each else one for one in members(returned)]
    result: Any = Union[tuple(parts)]  # noqa: UP007 - of types that are only known here
    return Shapes(Shape(get_args(of_job)[0], of_payload), Shape(result, of_result), is_async)
