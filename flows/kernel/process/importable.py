"""How another process finds a function or a class of the user's: by module and name, never by a pickle.

What is written here comes from the declarations of this program and goes into processes that it has started. Nothing
of it comes from Redis.
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import Any, Final, Literal, TypeAlias, Union, get_args, get_origin

#: As JSON: a module and a name, or a generic class with its arguments, or the values of a Literal.
Route: TypeAlias = "list[Any]"

_VALUES: Final = (str, int, type(None))
_LITERAL: Final[Any] = Literal
_UNION: Final[Any] = Union


def imported(module: str, name: str) -> Any:
    """Return what `name` is in `module`, as another process would find it; None where the module has no such name."""
    found: Any = sys.modules.get(module) or importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def qualified_name(one: Any) -> str:
    """Return the module and the name of a class or a function, which are the same in all processes of a program."""
    # In a process that was spawned, the script that runs the flow is called otherwise.
    module = "__main__" if one.__module__ == "__mp_main__" else one.__module__
    return f"{module}.{one.__qualname__}"


def route_to(one: Any) -> Route | None:
    """Return how another process finds a class or a function; None where it cannot."""
    try:
        return _route(one)
    except (ImportError, LookupError, TypeError, ValueError, AttributeError):
        return None


def follow(route: Route) -> Any:
    """Return what a route leads to.

    Raises:
        ImportError: there is no such module, or nothing of that name in it.
    """
    match route:
        case ["name", module, name]:
            found = imported(module, name)
            if found is None:
                raise ImportError(f"{module} has no {name}")
            return found
        case ["none"]:
            return None
        case ["literal", values]:
            return _LITERAL[tuple(values)]
        case ["union", *parts]:
            return _UNION[tuple(map(follow, parts))]
        case ["generic", origin, *parts]:
            return follow(origin)[tuple(map(follow, parts))]
        case _:
            raise ImportError(f"{route!r} leads nowhere")


def _route(one: Any) -> Route:
    if one is None or one is types.NoneType:
        return ["none"]
    if one is ...:
        return ["name", "builtins", "Ellipsis"]
    generic: dict[str, Any] = getattr(one, "__pydantic_generic_metadata__", None) or {}
    origin: Any = generic.get("origin") or get_origin(one)
    arguments: tuple[Any, ...] = generic.get("args") or get_args(one)
    if origin is None:
        if imported(one.__module__, one.__qualname__) is not one:
            raise ImportError
        return ["name", one.__module__, one.__qualname__]
    if origin is Literal:
        if all(isinstance(value, _VALUES) for value in arguments):
            return ["literal", list(arguments)]
        raise TypeError
    kind = ["union"] if origin in {Union, types.UnionType} else ["generic", _route(origin)]
    return [*kind, *map(_route, arguments)]
