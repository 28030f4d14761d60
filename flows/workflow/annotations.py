"""Reads from annotations what a workflow takes and returns, once, at `define`; and what a step's function returns."""

from __future__ import annotations

import inspect
import types
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple, Union, get_args, get_origin, get_type_hints
from weakref import WeakKeyDictionary

from flows.errors import DeclarationError
from flows.model.annotations.functions import has_borrowed_annotations, names_of
from flows.model.annotations.members import members
from flows.model.annotations.signatures import signature_of
from flows.model.runs.shape import JSON_VALUES, Shape
from flows.model.verdict import Verdict

_POSITIONAL: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_EMPTY: Final = inspect.Parameter.empty
#: An input, a step and a resource.
_ALL: Final = 3

#: What step functions return, as far as they were asked.
_returned: WeakKeyDictionary[Any, Shape[Any]] = WeakKeyDictionary()
#: The same of functions that are made anew for each run, by their code.
_of_code: WeakKeyDictionary[types.CodeType, Shape[Any]] = WeakKeyDictionary()


class Shapes(NamedTuple):
    """What a workflow takes and returns."""

    input: Shape[Any] | None
    """None: it takes no input."""
    output: Shape[Any]
    takes_resource: bool = False
    """Whether its function takes what the app's lifespan brings, behind the step."""


def workflow_shapes(name: str, function: Callable[..., Any]) -> Shapes:
    """Return what the function of a workflow takes and returns.

    Raises:
        DeclarationError: it is no `async def` of `(input, step)` or `(step)`, each with a resource behind it or
            without, or a type of it cannot be resolved.
    """
    where = f"workflow {name!r}"
    if not callable(function):
        raise DeclarationError(f"{where}: {function!r:.80} is no function: put @workflows.define(…) above an async def")
    if not (inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))):  # noqa: B004
        raise DeclarationError(f"{where}: its function is no async def, and could not await its steps: make it one")
    parameters = list(signature_of(function).parameters.values())
    taken = [one for one in parameters if one.kind in _POSITIONAL and one.default is _EMPTY]
    if len(taken) not in {1, 2, 3} or len(taken) != len(parameters):
        raise DeclarationError(
            f"{where}: its function takes {_shown(parameters)}: make it (input, step) or (step), or (input, step, "
            "resource) or (step, resource) where the app has a lifespan"
        )
    hints = Hints(where, function)
    takes_resource = len(taken) == _ALL or (len(taken) > 1 and _names(taken[0].annotation, {"Step"}))
    has_input = len(taken) > 1 + takes_resource
    given = hints.of(taken[0].annotation, f"the input of {where}") if has_input else None
    step = taken[1 if has_input else 0].annotation
    if step is not _EMPTY and not _names(step, {"Step", "Any", "object"}):
        what = "no step behind it" if has_input else "no step"
        raise DeclarationError(f"{where}: its function takes an input and {what}: make it (input, step)")
    return Shapes(given, hints.of(hints.returned, f"the output of {where}", returned=True), takes_resource)


def takes_resource(on_failure: Callable[..., Any] | None) -> bool:
    """Return whether `on_failure` takes what the app's lifespan brings, behind the failure."""
    if on_failure is None:
        return False
    try:
        parameters = signature_of(on_failure).parameters.values()
    except Exception:  # noqa: BLE001 - a builtin has none
        return False
    return sum(one.kind in _POSITIONAL and one.default is _EMPTY for one in parameters) > 1


def returned_shape(function: Any, what: str = "the step's result") -> Shape[Any]:
    """Return what a step's function says it returns; plain JSON where it does not say.

    Raises:
        DeclarationError: its annotation cannot be resolved, or is of a type that never comes back from JSON.
    """
    if isinstance(function, types.MethodType):
        function = function.__func__  # the method itself is made anew whenever it is asked for
    try:
        found = _returned.get(function)
    except TypeError:  # it has no hash, or takes no weak reference
        return _shape_returned(function, what)
    if found is None:
        found = _shape_of_code(function, what) or _shape_returned(function, what)
        _returned[function] = found
    return found


def _shape_of_code(function: Any, what: str) -> Shape[Any] | None:
    """Return what a function returns that a workflow's function defines whenever it is called; None of most others.

    Its annotation is a class, which says all: names that are local where it is defined need not be looked for.
    """
    if type(function) is not types.FunctionType or hasattr(function, "__wrapped__"):
        return None
    declared = function.__annotations__.get("return")
    if not isinstance(declared, type) or issubclass(declared, Verdict):
        return None
    known = _of_code.get(function.__code__)
    if known is None or known.declared is not declared:
        known = _of_code[function.__code__] = _shape_returned(function, what)
    return known


def _shape_returned(function: Any, what: str) -> Shape[Any]:
    hints = Hints(what, function)
    return JSON_VALUES if hints.returned is _EMPTY else hints.of(hints.returned, what, returned=True)


class Hints:
    """The annotations of one function, which may be names in quotes."""

    def __init__(self, where: str, function: Any) -> None:
        self._where = where
        self._function = function
        self.returned: Any = _EMPTY
        if not has_borrowed_annotations(function):
            try:
                self.returned = signature_of(function).return_annotation
            except Exception:  # noqa: BLE001 - a builtin has none, and annotations are user code
                self.returned = _EMPTY

    def of(self, annotation: Any, what: str, *, returned: bool = False) -> Shape[Any]:
        """Return the shape of an annotation.

        Raises:
            DeclarationError: it cannot be resolved, or never comes back from JSON.
        """
        if annotation is _EMPTY:
            return Shape(Any, what)
        declared = self.resolved(annotation, what)
        return Shape(brought(declared) if returned else declared, what)

    def resolved(self, annotation: Any, what: str) -> Any:
        """Return the type that an annotation says.

        Raises:
            DeclarationError: it cannot be resolved.
        """
        try:
            holder = types.SimpleNamespace(__annotations__={"it": annotation})
            return get_type_hints(holder, names_of(self._function), {}, include_extras=True)["it"]
        except Exception as error:
            raise DeclarationError(
                f"{what} has a type that is not there at run time ({error}): import it outside of `if TYPE_CHECKING:`"
            ) from error


def brought(declared: Any) -> Any:
    """Return what is stored of a result: of an awaitable what it brings, and no verdicts."""
    origin = get_origin(declared)
    if isinstance(origin, type) and issubclass(origin, Awaitable) and get_args(declared):
        return brought(get_args(declared)[-1])
    if origin in {Union, types.UnionType}:
        kept: list[Any] = [one for one in members(declared) if not (isinstance(one, type) and issubclass(one, Verdict))]
        if len(kept) != len(members(declared)):
            return Union[tuple(kept)] if kept else None  # noqa: UP007 - of types that are only known here
    if isinstance(declared, type) and issubclass(declared, Verdict):
        return None
    found: Any = declared  # pyright: ignore[reportUnknownVariableType]
    return type(None) if found is None else found


def _names(annotation: Any, names: set[str]) -> bool:
    """Return whether an annotation is one of these classes."""
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return text.rpartition(".")[2].strip("\"' ") in names


def _shown(parameters: list[inspect.Parameter]) -> str:
    return f"({', '.join(str(one) for one in parameters)})"
