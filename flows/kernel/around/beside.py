"""Goes on with what a job asks of the worker or flow that it runs in: waiting for that, it would wait for itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from flows.kernel.current import outside_of_jobs
from flows.telemetry.events import described

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from flows.kernel.session import Session
    from flows.telemetry.events import Events


class Beside:
    """Runs coroutines beside the jobs that have asked for them, and outside of them."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._tasks: set[asyncio.Task[Any]] = set()

    def run(self, call: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Start a call and return; what it raises is told as an event."""
        task = outside_of_jobs().run(asyncio.get_running_loop().create_task, call())
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def run_in(self, session: Session, call: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Start a call in the loop of a session, from any thread, and return."""
        session.call_soon(lambda: self.run(call))

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._events.emit("worker.crashed", **described(error))
