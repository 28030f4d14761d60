"""Finds the function that somebody has written, and the names that its annotations may use."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from flows.model.annotations.declarer import names_beside


def written(function: Any) -> Any:
    """Return the function that was written: that of a partial, a method or a callable object."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        elif inspect.ismethod(function) or isinstance(function, (staticmethod, classmethod)):
            function = function.__func__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        elif inspect.isroutine(function) or isinstance(function, type):
            return function
        else:
            kind: Any = type(function)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            return kind.__call__


def has_borrowed_annotations(function: Any) -> bool:
    """Return whether `functools.wraps` has given a function the annotations of another: they say nothing of it."""
    inner = written(function)
    other = getattr(inner, "__wrapped__", None)
    return any(
        getattr(inner, name, None) is not None and getattr(inner, name) is getattr(other, name, None)
        for name in ("__annotations__", "__annotate__")
    )


def names_of(function: Any) -> dict[str, Any]:
    """Return the names that a function's annotations may use: of its module, and of where it was defined."""
    inner = written(function)
    names = dict(getattr(inner, "__globals__", {}))
    names.update(names_beside(getattr(inner, "__code__", None)))
    names.update({one.__name__: one for one in getattr(inner, "__type_params__", ())})
    return names
