"""`Calls`: finds what runs an order that has come over a queue, and runs it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, Protocol

from flows.errors import DeclarationError, FlowsError, PayloadTooLarge, StoreError
from flows.tree.aws.sqs_messages import write_progress
from flows.tree.backend.local import call_here
from flows.tree.backend.protocol import Order, Outcome, Progress
from flows.tree.current import CurrentTask
from flows.tree.declare import Task
from flows.tree.storage.protocol import Token
from flows.workflow.steps.failures import error_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.tree.aws.sqs_messages import Ordered
    from flows.tree.trees import Trees

#: How far a task is, is sent so often at most, in seconds.
_PACE: Final = 2.0


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

    Args:
        functions: These, by patterns of paths.
        send: Sends how far an order is.

    Raises DeclarationError where one of them cannot be used.
    """

    def __init__(self, functions: Mapping[str, Callable[..., Any]], send: Callable[[str], Awaitable[None]]) -> None:
        self._send = send
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
        told: deque[Progress] = deque(maxlen=1)

        def report(current: CurrentTask, progress: float | None, text: str, /) -> None:
            if not current.cancelled and progress is None:
                lines.append(text)
            elif progress is not None:
                told.append(Progress(progress, text))

        timeout = order.seconds_left if order.timeout is None else order.timeout
        deadline = time.monotonic() + timeout
        current = CurrentTask(order.instance_id, order.execution, order.path, order.attempt, deadline, report)
        place = order.instance_id, order.generator, order.execution, order.path
        telling = asyncio.create_task(self._tell(order, told), name="flows-sqs-progress")
        try:
            outcome = await call_here(Order(*place, order.attempt, order.view, timeout, task, current))
        finally:
            current.cancelled = True  # a thread that was left behind is not heard
            telling.cancel()
            await asyncio.wait({telling})
        return replace(outcome, lines=tuple(lines))

    async def _tell(self, order: Ordered, told: deque[Progress]) -> None:
        """Send progress as it comes, at a pace: each message costs money."""
        while True:
            await asyncio.sleep(_PACE)
            if told:
                with suppress(StoreError):  # the next one says more
                    await self._send(write_progress(order, told.pop()))
