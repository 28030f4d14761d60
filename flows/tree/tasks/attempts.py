"""The attempts at one task's function: dispatched, judged, and made again where its retries say so."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from flows.model.retries import Retries
from flows.tree.backend.protocol import Order, Outcome
from flows.tree.current import CurrentTask

if TYPE_CHECKING:
    from flows.model.job import JobError
    from flows.model.tree.task_record import TaskRecord
    from flows.tree.backend.protocol import Orders
    from flows.tree.declare import Task
    from flows.tree.tasks.reporter import Reporter

_ONCE: Final = Retries(max_attempts=1)
#: Where a function asks for another attempt and its task declares no retries.
_DEFAULT: Final = Retries()
#: A pause that is not longer is waited for in the process, and not recorded, in seconds.
_SHORT: Final = 1.0


class Cancelled(Exception):
    """A function has asked that the whole execution be cancelled; its text says why."""


class Recording(Protocol):
    """Records attempts as they come and go."""

    def begin(self, number: int, error: JobError | None) -> None:
        """Note that an attempt begins, and how the one before has failed."""
        ...

    async def stand(self) -> None:
        """Return when what was noted stands."""
        ...

    async def pause(self, number: int, error: JobError) -> None:
        """Record that an attempt has failed, and that another one follows after a while."""
        ...


class Attempts:
    """The attempts at one task in one execution.

    Args:
        orders: Runs the function.
        at: The instance, its generator, and the execution.
        path: The task's path.
        task: The task.
        reporter: Takes what the function reports.
    """

    __slots__ = ("_at", "_number", "_orders", "_path", "_reporter", "_task", "_turn")

    def __init__(
        self, orders: Orders, at: tuple[str, str, str], path: str, task: Task[Any], reporter: Reporter
    ) -> None:
        self._orders = orders
        self._at = at
        self._path = path
        self._task = task
        self._reporter = reporter
        self._number = 0
        self._turn = 1

    async def run(self, view: bytes, recording: Recording, before: TaskRecord | None = None) -> Outcome:
        """Return how the task has ended: the outcome of its last attempt.

        Args:
            view: The fields of the function's view.
            recording: Records the attempts.
            before: The record of an attempt that was broken off, or after which it paused; None: it begins.

        Raises:
            Cancelled: the function wants the execution to end.
        """
        error: JobError | None = None
        if before is not None:
            error = before.error
            await self._go_on(view, before)
        while True:
            self._number += 1
            recording.begin(self._number, error)
            if self._task.queue or self._task.backend:
                await recording.stand()  # before it is handed over
            order = self._order(view)
            self._reporter.current = order.current
            try:
                outcome = await self._orders.run(order)
                for line in outcome.lines:
                    self._reporter.report(order.current, None, line)
            finally:
                self._reporter.close()  # no progress takes the place of the end, while that is being written
                order.current.cancelled = True  # a thread that is still at work sees that
            if outcome.error is None:
                return outcome
            if outcome.wish == "cancel":
                raise Cancelled(outcome.error.message)
            error = outcome.error
            if outcome.wish == "later":
                await self._call_later(view, (outcome.after or timedelta()).total_seconds())
                continue
            self._turn = 1
            pause = self._delay(outcome)
            if pause is None:
                return outcome
            if pause.total_seconds() <= _SHORT:
                await asyncio.sleep(pause.total_seconds())
            else:
                await recording.pause(self._number, error)
                await self._pause(view, pause)

    async def _go_on(self, view: bytes, before: TaskRecord) -> None:
        """Go on with an attempt that was broken off, or after the pause that follows it."""
        self._number = before.attempt
        if before.status == "queued":
            await self._pause(view, self._retries(asked=True).delay(self._number))
        else:
            self._number -= 1

    async def _call_later(self, view: bytes, seconds: float) -> None:
        """Wait before the same attempt is called again."""
        if seconds > _SHORT and (self._task.queue or self._task.backend):
            await self._orders.pause(self._order(view), seconds)
        else:  # after a pause without a worker, a function of this process would be called too early
            await asyncio.sleep(seconds)
        self._number -= 1
        self._turn += 1

    async def _pause(self, view: bytes, pause: timedelta) -> None:
        await self._orders.pause(self._order(view), pause.total_seconds())

    def _order(self, view: bytes) -> Order:
        instance_id, generator, execution = self._at
        path, number, task = self._path, self._number, self._task
        timeout = None if task.timeout is None else task.timeout.total_seconds()
        deadline = None if timeout is None else time.monotonic() + timeout
        current = CurrentTask(instance_id, execution, path, number, deadline, self._reporter.report)
        return Order(instance_id, generator, execution, path, number, view, timeout, task, current, self._turn)

    def _delay(self, outcome: Outcome) -> timedelta | None:
        """Return after how long to try again; None: never."""
        retries = self._retries(asked=outcome.wish == "again")
        if outcome.wish == "again":
            if self._number >= retries.max_attempts:
                return None
            return retries.delay(self._number) if outcome.after is None else outcome.after
        if outcome.wish == "never" or not retries.again(outcome.classes, self._number):
            return None
        return retries.delay(self._number)

    def _retries(self, *, asked: bool) -> Retries:
        return self._task.retries or (_DEFAULT if asked else _ONCE)
