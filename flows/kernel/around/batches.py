"""Gathers jobs into batches for functions that take many at once: each job has its own call, and its own end.

A lane calls for one job, and waits here until its batch is complete and the function has said something of each. So
leases, fences, timeouts and the ends of jobs stay what they are without batches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flows.kernel.current import get_current, outside_of_jobs, set_batch
from flows.model.plan import WrongResult
from flows.model.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.kernel.current import CurrentJob
    from flows.model.job import JobResult


class WrongBatch(WrongResult):
    """The function of a batch has not returned one item for each job: all of them fail."""

    def __init__(self, why: str) -> None:
        super(WrongResult, self).__init__(f"the worker function of a batch {why}: return a list with one item a job")


@dataclass(frozen=True, slots=True)
class Batching:
    """How jobs are gathered: so many at most, and for how many seconds after the first."""

    size: int
    linger: float


class Batches:
    """The batches of one worker.

    Args:
        call: Calls the function for a list of jobs.
        batching: How they are gathered.
        concurrency: How many batches run at once.
    """

    def __init__(self, call: Callable[[list[Any]], Awaitable[Any]], batching: Batching, concurrency: int) -> None:
        self._call = call
        self._size, self._linger = batching.size, batching.linger
        self._concurrency = concurrency
        self._loop = asyncio.get_running_loop()
        #: The function runs in this context: that of one job says nothing of the others.
        self._context = outside_of_jobs()
        self._gathering: list[_Member] = []
        self._running: set[_Batch] = set()
        #: When the batch that is being gathered starts, whether it is full or not; it may be set too early.
        self._timer: asyncio.TimerHandle | None = None

    @property
    def runs_here(self) -> bool:
        """Whether whoever asks runs in one of the batches, also where the job that stands for it has left."""
        current = get_current()
        return current is not None and any(current is batch.stands_for for batch in tuple(self._running))

    async def call(self, job: Any) -> JobResult | Verdict | None:
        """Call the function for a job, together with others, and return or raise what it says of this one."""
        current = get_current()
        assert current is not None  # noqa: S101 - a lane calls
        member = _Member(job, current, self._loop)
        self._gathering.append(member)
        self._start_complete()
        try:
            await member.ended
        except asyncio.CancelledError:
            await self._leave(member)
            if not member.spoken_of:
                raise
        return member.answer()

    def _start_complete(self) -> None:
        """Start the batches that are complete, as far as one may run, and see that the next one starts in time."""
        while self._gathering and len(self._running) < self._concurrency:
            left = self._gathering[0].since + self._linger - self._loop.time()
            if len(self._gathering) < self._size and left > 0:
                if self._timer is None:
                    self._timer = self._loop.call_later(left, self._lingered)
                return
            members, self._gathering = self._gathering[: self._size], self._gathering[self._size :]
            self._start(_Batch(members))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _lingered(self) -> None:
        self._timer = None
        self._start_complete()

    def _start(self, batch: _Batch) -> None:
        self._running.add(batch)
        run = self._run(batch)
        try:
            # Not by `create_task(context=…)`: a task factory need not take it. A copy, since a task may start at once.
            batch.task = self._context.copy().run(self._loop.create_task, run)
        except Exception as error:  # noqa: BLE001 - a task factory is user code
            run.close()
            batch.fail(error)
            self._end(batch)
        else:
            # Not within the task: of one that is cancelled before it begins, no code runs.
            batch.task.add_done_callback(lambda _task: self._end(batch))

    async def _run(self, batch: _Batch) -> None:
        try:
            if jobs := batch.jobs():
                set_batch([member.current for member in batch.members])
                batch.take(await self._call(jobs))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, each job ends by it
            batch.fail(error)

    def _end(self, batch: _Batch) -> None:
        self._running.discard(batch)
        for member in batch.members:
            if not member.ended.done():
                member.ended.set_result(None)
        self._start_complete()

    async def _leave(self, member: _Member) -> None:
        """Take a job out that was asked to stop; when that is so of all jobs of a batch, its function is stopped."""
        batch = member.batch
        if batch is None:
            self._gathering.remove(member)
            self._start_complete()
        elif batch.task is not None and not member.spoken_of and all(one.current.cancelled for one in batch.members):
            batch.stop()
            await asyncio.wait({batch.task})


class _Member:
    """A job that waits for its batch, and then for what the function says of it."""

    __slots__ = ("_error", "_item", "_trace", "batch", "current", "ended", "job", "since", "spoken_of")

    def __init__(self, job: Any, current: CurrentJob, loop: asyncio.AbstractEventLoop) -> None:
        self.job = job
        self.current = current
        self.since = loop.time()
        self.ended: asyncio.Future[None] = loop.create_future()
        self.batch: _Batch | None = None
        #: Whether the function has said something of the job, and not only that it was stopped.
        self.spoken_of = False
        self._item: Any = None
        self._error: BaseException | None = None
        self._trace: Any = None

    def take(self, item: Any) -> None:
        """Take what the function has returned for the job: a result, a verdict, None, or an exception."""
        if isinstance(item, BaseException) and not isinstance(item, Verdict):
            self.fail(item)
        else:
            self._item, self.spoken_of = item, True

    def fail(self, error: BaseException) -> None:
        """Take what the function has raised, or returned for the job instead of raising it."""
        self._error, self._trace = error, error.__traceback__
        self.spoken_of = not isinstance(error, asyncio.CancelledError)

    def answer(self) -> JobResult | Verdict | None:
        """Return or raise what was said; each job of a batch raises the same error with its own traceback."""
        error, self._error = self._error, None
        if error is None:
            item: JobResult | Verdict | None = self._item  # or whatever was returned: the judge looks at it
            return item
        try:
            raise error.with_traceback(self._trace)
        finally:
            self._trace = None
            del error


class _Batch:
    """Jobs that the function gets together."""

    def __init__(self, members: list[_Member]) -> None:
        self.members = members
        #: Whose job the function's calls of flows are taken for.
        self.stands_for = members[0].current
        self.task: asyncio.Task[None] | None = None
        self._stopped = False
        for member in members:
            member.batch = self

    def jobs(self) -> list[Any]:
        """Return the jobs for the function, and drop those that were asked to stop before it begins."""
        self.members = [member for member in self.members if not member.current.cancelled]
        if self.members:
            self.stands_for = self.members[0].current
        return [member.job for member in self.members]

    def take(self, returned: Any) -> None:
        """Take what the function has returned: a list with an item for each job."""
        if isinstance(returned, (str, bytes)) or not isinstance(returned, Sequence):
            raise WrongBatch(f"returned {type(returned).__name__}")
        items: Sequence[Any] = returned  # pyright: ignore[reportUnknownVariableType]
        if len(items) != len(self.members):
            raise WrongBatch(f"returned {len(items):,} items for {len(self.members):,} jobs")
        for member, item in zip(self.members, items, strict=True):
            member.take(item)

    def fail(self, error: BaseException) -> None:
        """Let all jobs end by what the function has raised."""
        for member in self.members:
            member.fail(error)

    def stop(self) -> None:
        """Ask the function to stop, once."""
        if not self._stopped and self.task is not None:
            self._stopped = True
            self.task.cancel()
