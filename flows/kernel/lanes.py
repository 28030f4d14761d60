"""Runs attempts in a bounded number of lanes: long-lived tasks that take one claimed job after another.

A function that never suspends costs no task: its lane goes straight on. When one suspends while jobs are ready,
more lanes begin, twice as many each time. A context variable that a function leaves behind ends its lane, so that
no job sees what another has set.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.kernel.attempt import Running

#: A lane that never suspends lets the loop do its other work after so many seconds.
_SLICE = 0.005


class Lanes:
    """Up to `width` attempts at once."""

    def __init__(self, width: int, run: Callable[[Running], Awaitable[None]]) -> None:
        """Run jobs by `run`, which must not raise."""
        self.width = width
        self.ready: deque[Running] = deque()
        self.running: set[Running] = set()
        self.started = 0
        self._run = run
        self._lanes: set[asyncio.Task[None]] = set()
        self._burst = 1
        self._spreading = False

    def offer(self, jobs: list[Running]) -> None:
        """Run these jobs as lanes become free."""
        self.ready.extend(jobs)
        if not self._spreading:
            self._burst = 1
            self._spread()

    @property
    def busy(self) -> bool:
        """Whether anything runs or is ready to."""
        return bool(self.ready or self.running)

    def take_back(self) -> list[Running]:
        """Return the jobs that have not begun, which are no longer going to."""
        jobs = list(self.ready)
        self.ready.clear()
        return jobs

    async def close(self) -> None:
        """End the lanes; what still runs is cancelled."""
        for lane in tuple(self._lanes):
            lane.cancel()
        await asyncio.gather(*self._lanes, return_exceptions=True)

    def _spread(self) -> None:
        self._spreading = False
        loop = asyncio.get_running_loop()
        for _ in range(min(self._burst, len(self.ready), self.width - len(self._lanes))):
            lane = loop.create_task(self._lane(), name="flows-lane")
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)
        self._burst *= 2

    async def _lane(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        ready, running, run = self.ready, self.running, self._run
        clean = contextvars.copy_context()
        until = loop.time() + _SLICE
        while ready:
            job = ready.popleft()
            if ready and not self._spreading and len(self._lanes) < self.width:
                self._spreading = True
                loop.call_soon(self._spread)
            job.task = task
            running.add(job)
            self.started += 1
            try:
                await run(job)
            finally:
                running.discard(job)
                job.task = None
            if task is not None and task.cancelling():
                task.uncancel()
            if contextvars.copy_context() != clean:
                loop.call_soon(self._spread)
                return
            if loop.time() > until:
                await asyncio.sleep(0)
                until = loop.time() + _SLICE
