"""Calls the function of a task in this process, and judges what it has returned or raised."""

from __future__ import annotations

import asyncio
import inspect
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from flows.errors import PayloadTooLarge, ValidationError
from flows.model.retries import class_names
from flows.model.verdict import Cancel, Fail, Retry, Snooze, Verdict
from flows.tree.annotations import read_view
from flows.tree.backend.protocol import Outcome
from flows.tree.current import reset_current, set_current
from flows.workflow.steps.failures import error_of, job_error
from flows.workflow.steps.function_call import is_async

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from flows.tree.annotations import TaskInput
    from flows.tree.backend.protocol import Order
    from flows.workflow.steps.step_host import CallInThread

#: The most that a result may take, in bytes.
MOST_BYTES: Final = 1 << 20


async def _in_thread(function: Callable[[Any], Any], argument: Any) -> Any:
    return await asyncio.to_thread(function, argument)


def call_here(order: Order, call_in_thread: CallInThread = _in_thread) -> Coroutine[Any, Any, Outcome]:
    """Run the function of a task here: an `async def` in the event loop, a `def` in a thread.

    Raises:
        asyncio.CancelledError: whoever awaits this was cancelled.
    """
    if order.timeout is None:
        return _call(order, call_in_thread)
    return _call_in_time(order, order.timeout, call_in_thread)


def timed_out(order: Order, timeout: float, error: TimeoutError) -> Outcome:
    """Return the outcome of an order that took longer than so many seconds."""
    said = f"it took longer than its timeout of {timeout:g} s"
    return Outcome(error=job_error("Timeout", said, "", order.path, order.attempt), classes=class_names(error))


async def _call_in_time(order: Order, timeout: float, call_in_thread: CallInThread) -> Outcome:
    try:
        async with asyncio.timeout(timeout):
            return await _call(order, call_in_thread)
    except TimeoutError as error:  # one of the function's own is an outcome already
        return timed_out(order, timeout, error)


async def _call(order: Order, call_in_thread: CallInThread) -> Outcome:
    task = order.task
    assert task.function is not None  # noqa: S101 - only tasks with a function are dispatched
    assert task.view is not None  # noqa: S101 - the same
    assert task.shape is not None  # noqa: S101 - the same
    token = set_current(order.current)
    try:
        view = read_view(task.view, order.view)
    except Exception as error:  # noqa: BLE001 - validators are user code
        reset_current(token)
        return _never(order, error)
    try:
        if is_async(task.function):
            value = await task.function(view)
        else:
            value = await _returned(task.function, view, call_in_thread)
        if isinstance(value, Verdict):
            raise value  # noqa: TRY301 - returned or raised, it means the same
    except Verdict as verdict:
        return _of_verdict(order, verdict)
    except asyncio.CancelledError as error:
        this = asyncio.current_task()
        if this is None or this.cancelling():
            raise
        return Outcome(error=error_of(error, order.path, order.attempt), classes=class_names(error))
    except Exception as error:  # noqa: BLE001 - whatever the function raises
        return Outcome(error=error_of(error, order.path, order.attempt), classes=class_names(error))
    finally:
        reset_current(token)
    try:
        result = task.shape.encode(value)
        if len(result) > MOST_BYTES:
            raise PayloadTooLarge(f"{task.shape.what} takes {len(result):,} bytes, over {MOST_BYTES:,}")
    except ValidationError as error:
        return _never(order, error)
    return Outcome(result)


async def _returned(function: Callable[..., Any], view: TaskInput, call_in_thread: CallInThread) -> Any:
    returned = await call_in_thread(function, view)
    return await returned if inspect.isawaitable(returned) else returned


def _never(order: Order, error: Exception) -> Outcome:
    """Return the outcome of what another attempt would not better."""
    return Outcome(error=error_of(error, order.path, order.attempt), classes=class_names(error), wish="never")


def _of_verdict(order: Order, verdict: Verdict) -> Outcome:
    told, classes = error_of(verdict, order.path, order.attempt), class_names(verdict)
    match verdict:
        case Fail():
            return Outcome(error=told, classes=classes, wish="never")
        case Cancel():
            return Outcome(error=told, classes=classes, wish="cancel")
        case Snooze():
            return Outcome(error=told, classes=classes, wish="later", after=_pause(verdict))
        case Retry():
            return Outcome(error=told, classes=classes, wish="again", after=verdict.after)
        case _:
            return Outcome(error=told, classes=classes)


def _pause(verdict: Snooze) -> timedelta:
    if verdict.until is not None:
        return max(timedelta(), verdict.until - datetime.now(UTC))
    return verdict.after or timedelta()
