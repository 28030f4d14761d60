"""`Running`: the tasks of one execution that run, side by side, in lanes as jobs do.

One that never suspends costs no task of the loop.
"""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from typing import TYPE_CHECKING, Final

from flows.kernel.lanes import Lanes
from flows.model.tree.paths import MAX_TASKS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from flows.model.job import JobError

#: Tasks that never suspend go on for so long before the loop has its turn, in seconds: what they record is one write.
_SLICE: Final = 0.25


class Ran:
    """A task that runs, or has ended.

    Attributes:
        task: The lane in which it runs.
        failed: Why it has failed.
        error: Why it was not executed to its end.
    """

    __slots__ = ("error", "failed", "path", "task")

    def __init__(self, path: str) -> None:
        self.path = path
        self.task: asyncio.Task[None] | None = None
        self.failed: JobError | None = None
        self.error: BaseException | None = None


class Running:
    """The tasks that run.

    Args:
        run: Executes the task of a path, and returns why it has failed.
    """

    def __init__(self, run: Callable[[str], Awaitable[JobError | None]]) -> None:
        self._run: Callable[[str], Awaitable[JobError | None]] | None = run
        self._lanes: Lanes[Ran] | None = Lanes(MAX_TASKS, self._execute, copy_context(), _SLICE)
        self._running: dict[str, Ran] = {}
        self._ended: list[Ran] = []
        self._told = asyncio.Event()

    def __bool__(self) -> bool:
        """Return whether any task runs."""
        return bool(self._running)

    def begin(self, paths: Iterable[str]) -> None:
        """Let these begin in the next tick of the loop."""
        assert self._lanes is not None  # noqa: S101 - none begins when it was stopped
        begun = {path: Ran(path) for path in paths}
        self._running |= begun
        self._lanes.offer(begun.values())

    async def ended(self) -> list[Ran]:
        """Wait until some have ended, or were cancelled, and return those that have ended."""
        await self._told.wait()
        self._told.clear()
        ended, self._ended = self._ended, []
        for one in ended:
            del self._running[one.path]
        return ended

    def cancel(self) -> list[str]:
        """Cancel what runs, which ends then; return what had not begun, and does not."""
        dropped = [] if self._lanes is None else [one.path for one in self._lanes.take_ready()]
        for path in dropped:
            del self._running[path]
        self._told.set()  # perhaps none is left for which `ended` waits
        for one in self._running.values():
            if one.task is not None:
                one.task.cancel()
        return dropped

    async def stop(self) -> list[str]:
        """Cancel what runs, wait for it, and return which that were."""
        stopped = self.cancel()
        while self._running:
            stopped += [one.path for one in await self.ended()]
        self._lanes = self._run = None  # such circles would be left to Python's garbage collector, which is slow
        return stopped

    async def _execute(self, one: Ran) -> None:
        assert self._run is not None  # noqa: S101 - it is stopped when all have ended
        try:
            one.failed = await self._run(one.path)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - who asks for what has ended looks at it
            one.error = error
        self._ended.append(one)
        self._told.set()
