"""Runs attempts in a bounded number of lanes: long-lived tasks that take one claimed job after another.

A function that never suspends costs no task: its lane goes straight on. When one suspends while jobs are ready,
more lanes start, twice as many each time. A context variable that a function leaves behind ends its lane, and so does
what is left of a cancellation: no job sees what another has set, or is cancelled in its stead. Where the loop has a
task factory, every attempt has a lane of its own: what a tracer hangs on a task belongs to one job.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from flows.kernel.current import outside_of_jobs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

#: A lane that never suspends lets the loop do its other work after so many seconds.
_SLICE = 0.005
#: After a lane that has run nothing though jobs are ready, the next one starts so many seconds later.
_PAUSE = 0.5
#: The factory that is none: it makes the loop's own tasks, and starts them at once. It came with Python 3.12.
_EAGER: Final = getattr(asyncio, "eager_task_factory", None)


class Laned(Protocol):
    """What runs in a lane.

    Attributes:
        task: The lane; None where it does not run.
    """

    task: asyncio.Task[None] | None


LanedT = TypeVar("LanedT", bound=Laned)


class Lanes(Generic[LanedT]):
    """Runs up to `width` attempts at once.

    Args:
        width: How many.
        run: Runs one; it raises nothing.
        context: That in which each begins; None: this one without the job in it, which may have started the worker.
        seconds: After so long a lane that never suspends lets the loop do its other work; None: after 5 ms.
    """

    def __init__(
        self,
        width: int,
        run: Callable[[LanedT], Awaitable[None]],
        context: contextvars.Context | None = None,
        seconds: float | None = None,
    ) -> None:
        self.width = width
        self._seconds = _SLICE if seconds is None else seconds
        self.ready: deque[LanedT] = deque()
        self.running: set[LanedT] = set()
        self.started = 0
        self._run = run
        #: The lanes by their tasks, or by a key of ours where there is a task factory: it may wrap the task that it
        #: makes, start it at once, or both, so that a lane finds itself in another task than the one that is known.
        self._lanes: dict[object, asyncio.Task[None] | None] = {}
        self._burst = 1
        self._spreading = False
        # Every lane starts from this context, not from that of the lane which asks for another one.
        self._context = outside_of_jobs() if context is None else context

    def offer(self, jobs: Iterable[LanedT]) -> None:
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

    def take_ready(self) -> list[LanedT]:
        """Remove and return the attempts that have not started."""
        jobs = list(self.ready)
        self.ready.clear()
        return jobs

    async def close(self, seconds: float) -> None:
        """Cancel all lanes and wait for them, but no longer than so many seconds."""
        lanes = {lane for lane in self._lanes.values() if lane is not None}
        for lane in lanes:
            lane.cancel()
        if lanes:
            await asyncio.wait(lanes, timeout=seconds)

    def _spread(self) -> None:
        self._spreading = False
        loop = asyncio.get_running_loop()
        if len(self._lanes) >= self.width:
            self._forget_cancelled()
        try:
            for _ in range(min(self._burst, len(self.ready), self.width - len(self._lanes))):
                self._start_lane(loop)
        except Exception as error:  # noqa: BLE001 - a task factory is user code
            loop.call_exception_handler({"message": "the loop's task factory has made no task", "exception": error})
            self._spread_soon(loop, _PAUSE)
        self._burst = min(self._burst * 2, self.width)

    def _forget_cancelled(self) -> None:
        """Count lanes no more that were cancelled before they began: of these no code of ours has run."""
        for key, lane in tuple(self._lanes.items()):
            if lane is not None and lane.done():
                del self._lanes[key]

    def _spread_soon(self, loop: asyncio.AbstractEventLoop, pause: float = 0.0) -> None:
        if not self._spreading:
            self._spreading = True
            if pause:
                loop.call_later(pause, self._spread)
            else:
                loop.call_soon(self._spread)

    def _start_lane(self, loop: asyncio.AbstractEventLoop) -> None:
        context = self._context.copy()
        if loop.get_task_factory() is None:
            task = loop.create_task(self._lane(None), name="flows-lane", context=context)
            self._lanes[task] = task
            return
        key = object()
        self._lanes[key] = None
        lane = self._lane(key)
        try:
            # Not by `create_task(name=…, context=…)`: a factory need not take these.
            task = context.run(loop.create_task, lane)
        except BaseException:
            del self._lanes[key]
            lane.close()
            raise
        if key in self._lanes:
            self._lanes[key] = task
            task.add_done_callback(lambda _task: self._dropped(key))

    def _dropped(self, key: object) -> None:
        """Do for a lane that was cancelled before it began, or that a factory has dropped, what it does at its end."""
        if key in self._lanes:
            del self._lanes[key]
            if self.ready:
                self._spread_soon(asyncio.get_running_loop(), _PAUSE)

    async def _lane(self, key: object | None) -> None:
        """Run ready attempts; `key` stands for this lane, where the task in which it finds itself does not."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        # Taken here and not where the lanes were made: a task factory may set variables in each task that it makes.
        clean = contextvars.copy_context()
        ran = 0
        try:
            # At least one slice, and in it one job, whatever the context looks like: a lane that ended without having
            # run anything would be made anew for ever.
            while self.ready:
                ran += 1
                if not await self._slice(loop, task, clean):
                    break
                await asyncio.sleep(0)
        finally:
            # Here and not in a callback: between the two, this lane would count and take no more jobs.
            self._lanes.pop(task if key is None else key, None)
            if self.ready and not ran:
                self._spread_soon(loop, _PAUSE)
            elif self.ready and loop.get_task_factory() is not None:
                self._spread_soon(loop)  # a factory may start tasks at once: the next lane would run inside of this one
            elif self.ready:
                self._spread()

    async def _slice(
        self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[None] | None, clean: contextvars.Context
    ) -> bool:
        """Run ready attempts one after another until the loop should have its turn; return whether the lane goes on."""
        ready, running, run = self.ready, self.running, self._run
        until = loop.time() + self._seconds
        while True:
            job = ready.popleft()
            if ready and not self._spreading and len(self._lanes) < self.width:
                self._spread_soon(loop)
            job.task = task
            running.add(job)
            self.started = started = self.started + 1
            try:
                await run(job)
            finally:
                running.discard(job)
                job.task = None
            if (factory := loop.get_task_factory()) is not None and factory is not _EAGER:
                return False
            # What is left of a cancellation ends this lane: it is not the next job's.
            if (task is not None and task.cancelling()) or not _is_clean(clean):
                return False
            if self.started != started:
                # Another lane has started a job meanwhile, so this one was suspended, and the loop has had its turn.
                until = loop.time() + self._seconds
            if not ready or loop.time() >= until:
                return True


def _is_clean(at_start: contextvars.Context) -> bool:
    """Whether all context variables are as they were when the lane started."""
    try:
        return contextvars.copy_context() == at_start
    except Exception:  # noqa: BLE001 - comparing what a function left behind is user code
        return False
