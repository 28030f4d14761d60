"""`TaskRun`: executes one task in one execution, and records how that went."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from flows.errors import MalformedJob, ValidationError
from flows.model.texts import summary_of
from flows.model.tree.task_record import TaskRecord
from flows.tree.annotations import read_view
from flows.tree.backend.protocol import Outcome
from flows.tree.storage.protocol import Write
from flows.tree.tasks.attempts import Attempts
from flows.tree.tasks.reporter import Reporter
from flows.workflow.steps.failures import error_of

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from flows.model.job import JobError
    from flows.model.tree.freshness import Digests
    from flows.model.tree.plan import Given, PlannedTask, TreePlan
    from flows.model.tree.task_record import TaskStatus
    from flows.tree.backend.protocol import Orders
    from flows.tree.context import Context, Views
    from flows.tree.declare import Task
    from flows.tree.storage.protocol import Storage
    from flows.tree.writes import Writes


class Around(NamedTuple):
    """What the tasks of one execution share.

    Attributes:
        at: The instance, its generator and the execution.
        records: The records of all tasks as they stand.
        debug: Whether the tasks' functions for debugging are called.
    """

    at: tuple[str, str, str]
    storage: Storage
    orders: Orders | None
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


def run_task(
    around: Around, planned: PlannedTask, task: Task[Any], argument: bytes | None
) -> Coroutine[Any, Any, JobError | None]:
    """Execute a task; return why it has failed, or None. Its end counts then, and is about to be written.

    Args:
        around: What it shares with the others.
        planned: The task as it was planned.
        task: The task with its functions.
        argument: What the execution gives it; None: nothing.

    Raises:
        Cancelled: its function wants the execution to end.
        LostLease: another one has the instance.
        StoreError: the storage cannot be used.
    """
    return _TaskRun(around, planned, task).run(argument)


class _TaskRun:
    """One task in one execution."""

    __slots__ = ("_around", "_goes_on", "_number", "_path", "_planned", "_reporter", "_task")

    def __init__(self, around: Around, planned: PlannedTask, task: Task[Any]) -> None:
        self._around = around
        self._planned = planned
        self._task = task
        self._path = planned.path
        self._number = 0
        before = around.records.get(planned.path)
        #: Whether an earlier attempt at the execution has begun it: it goes on with the attempt at which that was.
        self._goes_on = before is not None and before.goes_on_in(around.at[2])
        record = before if self._goes_on and before is not None else self._first(before)
        self._reporter = Reporter(around.writes, planned.path, record)

    def _first(self, before: TaskRecord | None) -> TaskRecord:
        """Return the record of a task that begins."""
        around = self._around
        now, attempt = around.storage.now_ms(), 1 if self._planned.node.works else 0
        if before is None:
            return TaskRecord("running", 0, around.at[2], 0, now, 0, attempt)
        return TaskRecord("running", 0, around.at[2], before.queued, now, 0, attempt, bytes=before.bytes)

    async def run(self, argument: bytes | None) -> JobError | None:
        """Execute it: see `run_task`."""
        planned, around = self._planned, self._around
        try:
            views = await around.context.views(planned, argument)
        except MalformedJob as error:
            return self._fail(Outcome(error=error_of(error, self._path, 1)), None)
        try:
            wanted = self._task.condition is None or self._asks(views)
        except Exception as error:  # noqa: BLE001 - a condition is user code
            return self._fail(Outcome(error=error_of(error, self._path, 1)), views)
        if not wanted:
            skipped = self._ended("skipped", views, planned.asked, size=None)
            self._around.writes.take(Write(self._path, skipped), *around.skipped_below(self._path, "skipped"))
            return None
        if not planned.node.works:
            size = self._reporter.record.bytes
            self._around.writes.take(Write(self._path, self._ended("ok", views, planned.given, size=size)))
            return None
        assert around.orders is not None  # noqa: S101 - without them nothing is executed
        attempts = Attempts(around.orders, around.at, self._path, self._task, self._reporter)
        outcome = await attempts.run(views.reads, self, self._reporter.record if self._goes_on else None)
        if outcome.result is None:
            return self._fail(outcome, views)
        self._complete(outcome.result, views.reads)
        ok = self._ended("ok", views, planned.given, size=len(outcome.result))
        self._around.writes.take(Write(self._path, ok, outcome.result))
        return None

    def _asks(self, views: Views) -> bool:
        task = self._task
        assert task.condition is not None  # noqa: S101 - the caller has looked
        assert task.asks is not None  # noqa: S101 - each condition has a view
        answer: Any = task.condition(read_view(task.asks, views.asks))
        if not isinstance(answer, bool):
            raise ValidationError(
                f"its condition has returned no bool, but a {type(answer).__name__}: let it say bool(…)"
            )
        return answer

    def _fail(self, outcome: Outcome, views: Views | None) -> JobError | None:
        size = self._reporter.record.bytes
        failed = self._ended("failed", views, self._planned.given, size=size, error=outcome.error)
        writes = [Write(self._path, failed)]
        if self._planned.node.continues:
            writes += self._around.skipped_below(self._path, "failed")
        self._around.writes.take(*writes)
        return None if self._planned.node.continues else outcome.error

    def _ended(
        self, status: TaskStatus, views: Views | None, given: Given, *, size: int | None, error: JobError | None = None
    ) -> TaskRecord:
        """Return the record of the task's end; of a failed one it keeps how far it had come."""
        record, around = self._reporter.record, self._around
        keeps = status == "failed"
        return TaskRecord(
            status,
            0,
            record.run,
            record.queued,
            record.started,
            around.storage.now_ms(),
            self._number,
            record.progress if keeps else 0.0,
            record.message if keeps else "",
            {} if views is None else views.inputs(given),
            around.digests.of(given.fields, given.bound),
            error,
            "",
            size,
        )

    def begin(self, number: int, error: JobError | None) -> None:
        """Note that an attempt begins."""
        self._number = number
        reporter = self._reporter
        record = reporter.record
        if self._goes_on:
            self._goes_on = False
            is_handed = bool(self._task.queue or self._task.backend)
            if is_handed and record.status == "running" and record.attempt == number:
                return  # it was handed over, perhaps: what it has told since stays
        elif number == record.attempt and error == record.error and record.status == "running":
            self._around.writes.note(self._path, record)
            return
        reporter.record = replace(record, status="running", attempt=number, error=error, progress=0.0, message="")
        self._around.writes.note(self._path, reporter.record)

    async def stand(self) -> None:
        """Return when what was noted stands."""
        await self._around.writes.put()

    async def pause(self, number: int, error: JobError) -> None:
        """Record that another attempt follows after a while; return when that stands."""
        record = replace(self._reporter.record, status="queued", attempt=number, error=error, progress=0.0, message="")
        self._reporter.record = record
        await self._around.writes.put(Write(self._path, record))

    def _complete(self, result: bytes, reads: bytes) -> None:
        """Call what is to be called when the task has ended; what it raises is a line of the task's log."""
        task, said = self._task, self._task.on_complete
        if said is None and task.debug is None:
            return
        assert task.shape is not None  # noqa: S101 - it has a function
        assert task.view is not None  # noqa: S101 - the same
        try:
            if said is not None:
                line = said if isinstance(said, str) else said(task.shape.decode(result))
                self._reporter.log(line, attempt=self._number)
        except Exception as error:  # noqa: BLE001 - it is user code
            self._reporter.log(f"on_complete has failed: {summary_of(error)}", "error", self._number)
        try:
            if task.debug is not None and self._around.debug:
                view = read_view(task.view, reads)
                task.debug(task.shape.decode(result), view)
        except Exception as error:  # noqa: BLE001 - it is user code
            self._reporter.log(f"debug has failed: {summary_of(error)}", "error", self._number)
