"""`Calls`: finds what runs an order that has come over a queue, and runs it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Protocol

from flows.errors import DeclarationError, FlowsError, PayloadTooLarge
from flows.tree.backend.local import call_here
from flows.tree.backend.protocol import Order, Outcome
from flows.tree.current import CurrentTask
from flows.tree.declare import Task
from flows.tree.storage.protocol import Token
from flows.workflow.steps.failures import error_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.tree.aws.sqs_messages import Ordered
    from flows.tree.trees import Trees


class NotHere(FlowsError):
    """A worker has no function for an order; another one may have."""


class Calls(Protocol):
    """Runs orders."""

    async def call(self, order: Ordered) -> Outcome:
        """Run an order; return how it has ended.

        Raises:
            NotHere: there is no function for it here.
            LostLease: its execution is over.
            InstanceGone: so is the instance.
            StoreError: the storage cannot be used.
        """
        ...


class CallsOfTrees:
    """Runs the tasks of an app's generators, given what the storage says."""

    def __init__(self, trees: Trees) -> None:
        self._host = trees._host  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - a part of the app

    async def call(self, order: Ordered) -> Outcome:
        """Run an order: see `Calls.call`."""
        token = Token(order.execution, f"sqs:{order.path}")
        return await self._host.execute_task(order.instance_id, token, order.path, order.attempt, call_here)


class CallsOfFunctions:
    """Runs functions by the paths of their tasks.

    Raises DeclarationError where one of them cannot be used.
    """

    def __init__(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        if not isinstance(functions, Mapping) or not functions:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError("SqsWorker: give the Trees whose tasks it runs, or functions by path")
        self._tasks = {pattern: Task[Any]("function", function) for pattern, function in functions.items()}

    async def call(self, order: Ordered) -> Outcome:
        """Run an order: see `Calls.call`."""
        task = next((one for pattern, one in self._tasks.items() if fnmatchcase(order.path, pattern)), None)
        if task is None:
            raise NotHere(f"it has no function for {order.path}")
        if order.view is None:
            error = PayloadTooLarge(f"the view of {order.path} is too large for a message: give SqsWorker the Trees")
            return Outcome(error=error_of(error, order.path, order.attempt), wish="never")
        lines: list[str] = []

        def report(current: CurrentTask, progress: float | None, text: str, /) -> None:
            if progress is None and not current.cancelled:
                lines.append(text)

        timeout = order.seconds_left if order.timeout is None else order.timeout
        deadline = time.monotonic() + timeout
        current = CurrentTask(order.instance_id, order.execution, order.path, order.attempt, deadline, report)
        place = order.instance_id, order.generator, order.execution, order.path
        outcome = await call_here(Order(*place, order.attempt, order.view, timeout, task, current))
        current.cancelled = True  # a thread that was left behind is not heard
        return replace(outcome, lines=tuple(lines))
