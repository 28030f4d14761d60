"""The attempts at one task's function: dispatched, judged, and made again where its retries say so."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flows.model.retries import Retries
from flows.tree.backend.protocol import Order, Outcome
from flows.tree.current import CurrentTask

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.model.job import JobError
    from flows.tree.backend.protocol import Backend
    from flows.tree.current import Report
    from flows.tree.declare import Task

_ONCE: Final = Retries(max_attempts=1)
#: Where a function asks for another attempt and its task declares no retries.
_DEFAULT: Final = Retries()


class Cancelled(Exception):
    """A function has asked that the whole execution be cancelled; its text says why."""


class At(NamedTuple):
    """Which task is executed, of what."""

    instance_id: str
    generator: str
    execution: str
    path: str


class Attempts:
    """The attempts at one task in one execution.

    Args:
        backend: Where the function runs.
        at: The task's place.
        task: The task.
        report: Takes what the function reports.
        began: Called when an attempt begins, with its number and how the one before has failed.
    """

    def __init__(
        self,
        backend: Backend,
        at: At,
        task: Task[Any],
        report: Report,
        began: Callable[[int, JobError | None], None],
    ) -> None:
        self._backend = backend
        self._at = at
        self._task = task
        self._report = report
        self._began = began
        self.number = 0
        self.current: CurrentTask | None = None

    async def run(self, view: bytes) -> Outcome:
        """Return how the task has ended: the outcome of its last attempt.

        Raises:
            Cancelled: the function wants the execution to end.
        """
        error: JobError | None = None
        while True:
            self.number += 1
            self._began(self.number, error)
            outcome = await self._dispatch(view)
            if outcome.error is None:
                return outcome
            if outcome.wish == "cancel":
                raise Cancelled(outcome.error.message)
            pause = self._pause(outcome)
            if pause is None:
                return outcome
            error = outcome.error
            await asyncio.sleep(pause.total_seconds())

    async def _dispatch(self, view: bytes) -> Outcome:
        at = self._at
        timeout = None if self._task.timeout is None else self._task.timeout.total_seconds()
        deadline = None if timeout is None else time.monotonic() + timeout
        self.current = CurrentTask(at.instance_id, at.execution, at.path, self.number, deadline, self._report)
        try:
            outcome = await self._backend.dispatch(Order(*at, self.number, view, timeout, self._task, self.current))
        finally:
            self.current.cancelled = True  # a thread that is still at work sees that
        if outcome is None:
            raise NotImplementedError(f"{at.path}: its backend hands orders over, which nobody here waits for yet")
        return outcome

    def _pause(self, outcome: Outcome) -> timedelta | None:
        """Return after how long to try again; None: never."""
        if outcome.wish == "later":
            self.number -= 1
            return outcome.after or timedelta()
        retries = self._task.retries or _ONCE
        if outcome.wish == "again":
            asked = self._task.retries or _DEFAULT
            again = self.number < asked.max_attempts
            return (asked.delay(self.number) if outcome.after is None else outcome.after) if again else None
        if outcome.wish == "never" or not retries.again(outcome.classes, self.number):
            return None
        return retries.delay(self.number)
