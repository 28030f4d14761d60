"""`SyncBackend`: runs executions, with all their tasks' functions, in the process that has begun them."""

from __future__ import annotations

import asyncio
import inspect
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from flows.errors import PayloadTooLarge, ValidationError
from flows.model.retries import class_names
from flows.model.verdict import Cancel, Fail, Retry, Snooze, Verdict
from flows.tree.backend.protocol import Outcome
from flows.tree.current import reset_current, set_current
from flows.tree.storage.protocol import Token
from flows.workflow.steps.failures import error_of, job_error
from flows.workflow.steps.function_call import is_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from flows.tree.annotations import TaskInput
    from flows.tree.backend.protocol import Execute, Order, Returned

#: The most that a result may take, in bytes.
MOST_BYTES: Final = 1 << 20


class SyncBackend:
    """Runs everything here: `async def` in the event loop, `def` in threads."""

    def __init__(self) -> None:
        self._execute: Execute | None = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self._reasons: dict[str, str] = {}

    def bind(self, execute: Execute) -> None:
        """Take what works on an execution: see `Executor.bind`."""
        self._execute = execute

    async def start(self, instance_id: str, execution: str) -> None:
        """Work on an execution, in a task of its own: see `Executor.start`."""
        if execution not in self._running:
            begun = asyncio.Event()
            run = self._run(instance_id, execution, begun)
            task = self._running[execution] = asyncio.get_running_loop().create_task(run, name=f"flows-{execution}")
            task.add_done_callback(lambda _: self._forget(execution))
            await begun.wait()  # a task that is cancelled before would not even say so

    async def cancel(self, instance_id: str, execution: str, reason: str) -> bool:  # noqa: ARG002 - the protocol's
        """Cancel an execution, and return when it has ended: see `Executor.cancel`."""
        task = self._running.get(execution)
        if task is None:
            return False
        if execution not in self._reasons:  # the second one would disturb what the first has begun
            self._reasons[execution] = reason
            task.cancel()
        await asyncio.wait({task})
        return True

    async def close(self) -> None:
        """Cancel all that runs: see `Executor.close`."""
        for execution in list(self._running):
            await self.cancel("", execution, "its process has stopped")

    async def dispatch(self, order: Order) -> Outcome:
        """Run the function of a task: see `Backend.dispatch`."""
        token = set_current(order.current)
        try:
            async with asyncio.timeout(order.timeout):
                return await self._call(order)
        except TimeoutError as error:  # one of the function's own is an outcome already
            said = f"it took longer than its timeout of {order.timeout:g} s"
            return Outcome(error=job_error("Timeout", said, "", order.path, order.attempt), classes=class_names(error))
        finally:
            reset_current(token)

    async def outcomes(self) -> AsyncIterator[Returned]:
        """Yield nothing: nothing is handed over."""
        return
        yield  # pragma: no cover - it makes this a generator

    async def _call(self, order: Order) -> Outcome:
        task = order.task
        assert task.function is not None  # noqa: S101 - only tasks with a function are dispatched
        assert task.view is not None  # noqa: S101 - the same
        assert task.shape is not None  # noqa: S101 - the same
        try:
            view = task.view.model_validate_json(order.view, by_alias=False, by_name=True)
        except Exception as error:  # noqa: BLE001 - validators are user code
            return _unfit(order, error)
        try:
            value = await _returned(task.function, view)
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
        shape = order.task.shape
        assert shape is not None  # noqa: S101 - only tasks with a function are dispatched
        try:
            result = shape.encode(value)
            if len(result) > MOST_BYTES:
                raise PayloadTooLarge(f"{shape.what} takes {len(result):,} bytes, over {MOST_BYTES:,}")
        except ValidationError as error:
            return Outcome(error=error_of(error, order.path, order.attempt), classes=class_names(error), wish="never")
        return Outcome(result)

    async def _run(self, instance_id: str, execution: str, begun: asyncio.Event) -> None:
        begun.set()
        assert self._execute is not None  # noqa: S101 - Trees binds its executor when it is made
        await self._execute(instance_id, Token(execution, execution), lambda: self._reasons.get(execution))

    def _forget(self, execution: str) -> None:
        self._running.pop(execution, None)
        self._reasons.pop(execution, None)


async def _returned(function: Callable[..., Any], view: TaskInput) -> Any:
    if is_async(function):
        return await function(view)
    returned = await asyncio.to_thread(function, view)
    return await returned if inspect.isawaitable(returned) else returned


def _unfit(order: Order, error: Exception) -> Outcome:
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
