"""Reads from a handler's annotations what its type takes and returns, once, when it is declared."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flows.errors import DeclarationError
from flows.model.annotations.signatures import signature_of
from flows.workflow.annotations import Hints

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.model.runs.shape import Shape

_POSITIONAL: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_EMPTY: Final = inspect.Parameter.empty
#: A payload and a context.
_TAKEN: Final = 2


class Shapes(NamedTuple):
    """What the jobs of a type take and return, and where their function runs."""

    payload: Shape[Any]
    result: Shape[Any]
    is_async: bool


def shapes_of(name: str, function: Callable[..., Any]) -> Shapes:
    """Return what a handler takes and returns.

    Raises:
        DeclarationError: it is no function of a payload and a context, a type of it cannot be resolved, or never comes
            back from JSON.
    """
    where = f"job type {name!r}"
    if not callable(function):
        raise DeclarationError(f"{where}: {function!r:.80} is no function: put @service.on(…) above one")
    code: Any = function if inspect.isroutine(function) else getattr(type(function), "__call__", None)  # noqa: B004
    if inspect.isgeneratorfunction(code) or inspect.isasyncgenfunction(code):
        raise DeclarationError(f"{where}: its function is a generator: return a result instead of using yield")
    parameters = [*signature_of(function).parameters.values()]
    taken = [one for one in parameters if one.kind in _POSITIONAL and one.default is _EMPTY]
    if len(taken) != _TAKEN or len(parameters) != _TAKEN:
        shown = ", ".join(map(str, parameters))
        raise DeclarationError(f"{where}: its function takes ({shown}): make it (payload, job)")
    hints = Hints(where, function)
    if taken[0].annotation is _EMPTY:
        raise DeclarationError(f"{where}: its function does not say what it takes: annotate its first parameter")
    if hints.returned is _EMPTY:
        raise DeclarationError(f"{where}: its function does not say what it returns: annotate that, None for nothing")
    payload = hints.of(taken[0].annotation, f"the payload of {where}")
    result = hints.of(hints.returned, f"the result of {where}", returned=True)
    return Shapes(payload, result, inspect.iscoroutinefunction(code))
