"""Keeps the task of a service running: where it ends although nobody stopped it, that is told, and it begins again."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from flows.telemetry.events import Events

#: A service that has died begins again after so many seconds, and each further time after twice as many.
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0


class Pause:
    """How long a service that has died pauses: longer each time, until it has lived for longer than the longest."""

    def __init__(self) -> None:
        self._pause = FIRST_PAUSE
        self._began = 0.0

    def began(self) -> None:
        """Note that the service begins."""
        self._began = time.monotonic()

    def next(self) -> float:
        """Return the seconds until it begins again."""
        if time.monotonic() - self._began > LONGEST_PAUSE:
            self._pause = FIRST_PAUSE
        pause = self._pause
        self._pause = min(2 * pause, LONGEST_PAUSE)
        return pause


def is_closing(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether a loop shuts down, as `asyncio.run` does in the end: it has cancelled all tasks, so that nobody has died.

    It may still run for a while, as long as threads of its own do.
    """
    return bool(getattr(loop, "_asyncgens_shutdown_called", False))  # uvloop does not show it


def why_ended(task: asyncio.Task[None]) -> str:
    """Return why a task has ended that was not to end."""
    return "it was cancelled" if task.cancelled() else repr(task.exception() or "it has returned")


class Service:
    """One task that runs from start to stop.

    Args:
        name: Names the task `flows-<name>`, and the service in the event `service.died`.
        work: What the task does; it is not to end by itself.
        events: Where its death is told.
    """

    def __init__(self, name: str, work: Callable[[], Coroutine[Any, Any, None]], events: Events) -> None:
        self._name = name
        self._work = work
        self._events = events
        self._pause = Pause()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start the task; starting twice changes nothing."""
        if self._task is None:
            self._begin()

    async def stop(self) -> None:
        """Stop the task; stopping twice changes nothing."""
        task, self._task = self._task, None
        if self._timer is not None:
            self._timer.cancel()
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _begin(self) -> None:
        self._pause.began()
        self._task = asyncio.get_running_loop().create_task(self._work(), name=f"flows-{self._name}")
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task is not self._task:
            return  # it was stopped
        # Not told before that: a loop that is closing cancels all tasks, and then nobody has died.
        self._timer = task.get_loop().call_later(self._pause.next(), self._begin_again, why_ended(task))

    def _begin_again(self, error: str) -> None:
        if is_closing(asyncio.get_running_loop()):
            return
        self._events.emit("service.died", service=self._name, error=error)
        self._begin()
