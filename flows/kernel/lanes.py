"""Runs attempts in a bounded number of lanes: long-lived tasks that take one claimed job after another.

A function that never suspends costs no task: its lane goes straight on. When one suspends while jobs are ready,
more lanes start, twice as many each time. A context variable that a function leaves behind ends its lane, and so does
what is left of a cancellation: no job sees what another has set, or is cancelled in its stead.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.kernel.attempt import Attempt

#: A lane that never suspends lets the loop do its other work after so many seconds.
_SLICE = 0.005


class Lanes:
    """Runs up to `width` attempts at once."""

    def __init__(self, width: int, run: Callable[[Attempt], Awaitable[None]]) -> None:
        self.width = width
        self.ready: deque[Attempt] = deque()
        self.running: set[Attempt] = set()
        self.started = 0
        self._run = run
        self._lanes: set[asyncio.Task[None]] = set()
        self._burst = 1
        self._spreading = False
        # Every lane starts from this context, not from that of the lane which asks for another one.
        self._context = contextvars.copy_context()

    def offer(self, jobs: list[Attempt]) -> None:
        """Run these attempts as lanes become free."""
        self.ready.extend(jobs)
        if not self._spreading:
            # This only makes tasks: they run in the loop's next tick, so what the worker sends in this one goes first.
            self._burst = 1
            self._spread()

    @property
    def busy(self) -> bool:
        """Whether any attempt is ready or running."""
        return bool(self.ready or self.running)

    def take_ready(self) -> list[Attempt]:
        """Remove and return the attempts that have not started."""
        jobs = list(self.ready)
        self.ready.clear()
        return jobs

    async def close(self, seconds: float) -> None:
        """Cancel all lanes and wait for them, but no longer than so many seconds."""
        for lane in tuple(self._lanes):
            lane.cancel()
        if self._lanes:
            await asyncio.wait(self._lanes, timeout=seconds)

    def _spread(self) -> None:
        self._spreading = False
        loop = asyncio.get_running_loop()
        for _ in range(min(self._burst, len(self.ready), self.width - len(self._lanes))):
            self._lanes.add(loop.create_task(self._lane(), name="flows-lane", context=self._context.copy()))
        self._burst *= 2

    async def _lane(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that runs is in a task
        # Taken here and not where the lanes were made: a task factory may set variables in each task that it makes.
        clean = contextvars.copy_context()
        try:
            # At least one slice, and in it one job, whatever the context looks like: a lane that ended without having
            # run anything would be made anew for ever.
            while self.ready:
                await self._slice(task, clean)
                if task.cancelling() or not _is_clean(clean):
                    break
                await asyncio.sleep(0)
        finally:
            # Here and not in a callback: between the two, this lane would count and take no more jobs.
            self._lanes.discard(task)
        if self.ready:
            self._spread()

    async def _slice(self, task: asyncio.Task[None], clean: contextvars.Context) -> None:
        """Run ready attempts, one after another, until the loop should have its turn."""
        loop = asyncio.get_running_loop()
        ready, running, run = self.ready, self.running, self._run
        until = loop.time() + _SLICE
        while ready and loop.time() < until:
            job = ready.popleft()
            if ready and not self._spreading and len(self._lanes) < self.width:
                self._spreading = True
                loop.call_soon(self._spread)
            job.task = task
            running.add(job)
            self.started = started = self.started + 1
            try:
                await run(job)
            finally:
                running.discard(job)
                job.task = None
            # What is left of a cancellation ends this lane: it is not the next job's.
            if task.cancelling() or not _is_clean(clean):
                return
            if self.started != started:
                # Another lane has started a job meanwhile, so this one was suspended, and the loop has had its turn.
                until = loop.time() + _SLICE


def _is_clean(at_start: contextvars.Context) -> bool:
    """Whether all context variables are as they were when the lane started."""
    try:
        return contextvars.copy_context() == at_start
    except Exception:  # noqa: BLE001 - comparing what a function left behind is user code
        return False
