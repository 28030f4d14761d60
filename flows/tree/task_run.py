"""`TaskRun`: executes one task in one execution, and records how that went."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flows.errors import MalformedJob
from flows.model.texts import summary_of
from flows.model.tree.task_record import TaskRecord
from flows.store.jobs.log_line import pack_line
from flows.tree.attempts import At, Attempts
from flows.tree.backend.protocol import Outcome
from flows.tree.storage.protocol import Write
from flows.workflow.steps.failures import error_of

if TYPE_CHECKING:
    from flows.model.job import JobError
    from flows.model.tree.freshness import Digests
    from flows.model.tree.plan import Given, PlannedTask, TreePlan
    from flows.model.tree.task_record import TaskStatus
    from flows.store.jobs.log_line import LogLevel
    from flows.tree.backend.protocol import Backend
    from flows.tree.context import Context, Views
    from flows.tree.current import CurrentTask
    from flows.tree.declare import Task
    from flows.tree.storage.protocol import Storage
    from flows.tree.writes import Writes

#: Progress of a task is written so often at most, in seconds.
_PACE: Final = 0.1


class Around(NamedTuple):
    """What the tasks of one execution share.

    Attributes:
        at: The instance, its generator and the execution.
        records: The records of all tasks as they stand.
        debug: Whether the tasks' functions for debugging are called.
    """

    at: tuple[str, str, str]
    storage: Storage
    backend: Backend
    plan: TreePlan
    records: dict[str, TaskRecord]
    context: Context
    digests: Digests
    writes: Writes
    debug: bool

    def skipped_below(self, path: str, status: str) -> list[Write]:
        """Return the records of all that stands below a task that is skipped, or has failed without harm."""
        now, because = self.storage.now_ms(), f"{path} is {status}"
        skipped = TaskRecord("skipped", run=self.at[2], ended=now, because=because)
        return [Write(one, skipped) for one in self.plan.below(path)]

    def size_of(self, path: str) -> int | None:
        """Return the size of the result that a task has from before."""
        record = self.records.get(path)
        return None if record is None else record.bytes


class TaskRun:
    """One task.

    Args:
        around: What it shares with the others.
        planned: The task as it was planned.
        task: The task with its functions.
        argument: What the execution gives it; None: nothing.
    """

    def __init__(self, around: Around, planned: PlannedTask, task: Task[Any], argument: bytes | None) -> None:
        self._around = around
        self._planned = planned
        self._task = task
        self._argument = argument
        self._path = planned.path
        self._writes = around.writes
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._attempts = Attempts(around.backend, At(*around.at, planned.path), task, self._report, self._begin)
        before = around.records.get(planned.path)
        self._record = TaskRecord(
            "running",
            run=around.at[2],
            queued=0 if before is None else before.queued,
            started=around.storage.now_ms(),
            bytes=around.size_of(planned.path),
        )
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False

    async def run(self) -> JobError | None:
        """Execute the task; return why it has failed, or None.

        Raises:
            Cancelled: its function wants the execution to end.
            LostLease: another one has the instance.
            StoreError: the storage cannot be used.
        """
        try:
            return await self._run()
        finally:
            self._is_over = True
            if self._timer is not None:
                self._timer.cancel()

    async def _run(self) -> JobError | None:
        planned, around = self._planned, self._around
        try:
            views = await around.context.views(planned, self._argument)
        except MalformedJob as error:
            return await self._fail(Outcome(error=error_of(error, self._path, 1)), None)
        try:
            wanted = self._task.condition is None or self._asks(views)
        except Exception as error:  # noqa: BLE001 - a condition is user code
            return await self._fail(Outcome(error=error_of(error, self._path, 1)), views)
        if not wanted:
            skipped = replace(self._ended("skipped", views, planned.asked), bytes=None)
            await self._writes.put(Write(self._path, skipped), *around.skipped_below(self._path, "skipped"))
            return None
        if not planned.node.works:
            await self._writes.put(Write(self._path, self._ended("ok", views, planned.given)))
            return None
        outcome = await self._attempts.run(views.reads)
        if outcome.result is None:
            return await self._fail(outcome, views)
        self._complete(outcome.result, views.reads)
        ok = self._ended("ok", views, planned.given)
        await self._writes.put(
            Write(self._path, replace(ok, progress=0.0, message="", bytes=len(outcome.result)), outcome.result)
        )
        return None

    def _asks(self, views: Views) -> bool:
        task = self._task
        assert task.condition is not None  # noqa: S101 - the caller has looked
        assert task.asks is not None  # noqa: S101 - each condition has a view
        return bool(task.condition(task.asks.model_validate_json(views.asks, by_alias=False, by_name=True)))

    async def _fail(self, outcome: Outcome, views: Views | None) -> JobError | None:
        failed = replace(self._ended("failed", views, self._planned.given), error=outcome.error)
        writes = [Write(self._path, failed)]
        if self._planned.node.continues:
            writes += self._around.skipped_below(self._path, "failed")
        await self._writes.put(*writes)
        return None if self._planned.node.continues else outcome.error

    def _ended(self, status: TaskStatus, views: Views | None, given: Given) -> TaskRecord:
        return replace(
            self._record,
            status=status,
            ended=self._around.storage.now_ms(),
            attempt=self._attempts.number,
            inputs={} if views is None else views.inputs(given),
            data=self._around.digests.of(given.fields, given.bound),
            error=None,
        )

    def _begin(self, number: int, error: JobError | None) -> None:
        self._record = replace(self._record, attempt=number, error=error, progress=0.0, message="")
        self._writes.note(self._path, self._record)

    def _complete(self, result: bytes, reads: bytes) -> None:
        """Call what is to be called when the task has ended; what it raises is a line of the task's log."""
        task, said = self._task, self._task.on_complete
        assert task.shape is not None  # noqa: S101 - it has a function
        assert task.view is not None  # noqa: S101 - the same
        try:
            if said is not None:
                self._log(said if isinstance(said, str) else said(task.shape.decode(result)))
        except Exception as error:  # noqa: BLE001 - it is user code
            self._log(f"on_complete has failed: {summary_of(error)}", "error")
        try:
            if task.debug is not None and self._around.debug:
                view = task.view.model_validate_json(reads, by_alias=False, by_name=True)
                task.debug(task.shape.decode(result), view)
        except Exception as error:  # noqa: BLE001 - it is user code
            self._log(f"debug has failed: {summary_of(error)}", "error")

    def _log(self, text: str, level: LogLevel = "info") -> None:
        self._writes.log(self._path, pack_line(text, level, {}, self._attempts.number))

    def _report(self, current: CurrentTask, progress: float | None, text: str, /) -> None:
        """Take what the function reports, from the loop or from a thread."""
        if threading.get_ident() == self._thread:
            self._take(current, progress, text)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, current, progress, text)

    def _take(self, current: CurrentTask, progress: float | None, text: str) -> None:
        if self._is_over or current is not self._attempts.current:
            return  # an attempt that has ended, or was left behind in its thread
        if progress is None:
            self._writes.log(self._path, text)
            return
        self._record = replace(self._record, progress=progress, message=text)
        if self._timer is None:
            self._note()

    def _note(self) -> None:
        """Write the progress, and the next one after a while."""
        self._writes.note(self._path, self._record)
        self._timer = self._loop.call_later(_PACE, self._look_again, self._record)

    def _look_again(self, written: TaskRecord) -> None:
        self._timer = None
        if self._record is not written and self._record.progress and not self._is_over:
            self._note()
