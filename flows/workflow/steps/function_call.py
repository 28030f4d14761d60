"""Calls the function of a step once, whatever its kind: `async def` in the loop, `def` in a thread."""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from flows.kernel.current import reset_current, set_current
from flows.workflow.steps.step_job import StepJob

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flows.workflow.steps.step_host import StepHost


class TryTimedOut(Exception):
    """The function took longer than the step's timeout."""


async def call_function(  # noqa: PLR0917 - what was asked for
    host: StepHost,
    step: str,
    timeout: float | None,
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Any:
    """Return what the function returns; a lambda around an `async def` is awaited too.

    Raises:
        TryTimedOut: it took longer than `timeout`, in seconds, and was cancelled.
        HostUnable: there is no thread for it.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    token = set_current(StepJob(host.job, step, deadline))
    try:
        if timeout is None:
            return await _call(host, function, args, kwargs)
        scope = asyncio.timeout(timeout)
        try:
            async with scope:
                return await _call(host, function, args, kwargs)
        except TimeoutError as error:
            if not scope.expired():  # the function's own
                raise
            raise TryTimedOut(f"it took longer than its timeout of {timeout:g} s") from error
    finally:
        reset_current(token)


async def _call(host: StepHost, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    if is_async(function):
        return await function(*args, **kwargs)
    returned: Any = await host.call_in_thread(lambda _: function(*args, **kwargs), None)
    return await returned if inspect.isawaitable(returned) else returned


def is_async(function: Callable[..., Any]) -> bool:
    """Return whether a call of this returns what the loop has to run; of a lambda, only the call itself says that."""
    if type(function) is FunctionType and function.__code__.co_flags & inspect.CO_COROUTINE:
        return True  # most are, and `inspect` takes as long as the rest of a call
    if isinstance(function, MethodType):
        return is_async(function.__func__)
    if inspect.iscoroutinefunction(function):
        return True
    if inspect.isroutine(function) or isinstance(function, functools.partial):
        return False
    return inspect.iscoroutinefunction(type(function).__call__)
