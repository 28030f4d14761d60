"""Finds the queues that a worker function may return as `next_queue`: in its code, and in what that calls by name."""

from __future__ import annotations

import functools
import inspect
import sys
import types
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flows.model.annotations.functions import written
from flows.model.job import JobResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: So many functions are looked into at most, for one worker function.
_MOST: Final = 200


class _Code(NamedTuple):
    """A function, and the class whose method it is, if it was found as one."""

    function: types.FunctionType
    owner: type | None


def named_queues(function: Callable[..., Any], queues: Iterable[str]) -> set[str]:
    """Return the queues that a function may return as `next_queue`: those that its code names, or all."""
    code = getattr(inspect.unwrap(written(function)), "__code__", None)
    if type(code) is not types.CodeType:  # a stand-in of a test's has one that is a stand-in itself
        return set(queues)
    words = set(_all_words(function))
    if "next_queue" not in words:
        return set()
    return words.intersection(queues) or set(queues)


def _all_words(function: Any) -> Iterator[str]:
    """Yield the names and texts in a function's code, and in that of the functions that it names, and theirs."""
    left: list[Any] = [function]
    seen: set[int] = set()
    while left and len(seen) < _MOST:
        value = left.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, type):
            if issubclass(value, JobResult) and (default := value.model_fields["next_queue"].default) is not None:
                yield from ("next_queue", str(default))
            continue
        if isinstance(value, functools.partial):
            left += [*value.args, *value.keywords.values()]  # pyright: ignore[reportUnknownMemberType]
        code = _code_of(value)
        if code is not None:
            words = set(_words(code.function.__code__))
            yield from words
            left += _named(code, words)


def _code_of(value: Any) -> _Code | None:
    if not callable(value):
        return None
    owner = value.__self__ if inspect.ismethod(value) else value
    function = written(value)
    if not isinstance(function, types.FunctionType) or _is_foreign(str(function.__module__)):
        return None
    return _Code(function, owner if isinstance(owner, type) else type(owner))


def _is_foreign(module: str) -> bool:
    package = module.partition(".")[0]
    return package in {"flows", "pydantic"} or package in sys.stdlib_module_names


def _named(code: _Code, words: set[str]) -> Iterator[Any]:
    """Yield what the words in a function's code stand for, as far as that is there before it runs."""
    function, owner = code
    inner = getattr(function, "__wrapped__", None)
    known: list[Any] = [owner, inner, *(function.__globals__[word] for word in words & function.__globals__.keys())]
    for cell in function.__closure__ or ():
        try:
            known.append(cell.cell_contents)
        except ValueError:  # it is filled later
            continue
    for value in known:
        yield value
        holder = value if isinstance(value, (type, types.ModuleType)) else type(value)
        for one in holder.__mro__ if isinstance(holder, type) else (holder,):
            if getattr(one, "__module__", "") != "builtins":
                yield from (vars(one)[word] for word in words & vars(one).keys())


def _words(constant: Any) -> Iterator[str]:
    """Yield the names and texts in a function's code, and in that of the functions within it."""
    if isinstance(constant, str):
        yield constant
    elif isinstance(constant, types.CodeType):
        yield from constant.co_names
        yield from _words(constant.co_consts)
    elif type(constant) in {tuple, frozenset}:
        for part in constant:
            yield from _words(part)
