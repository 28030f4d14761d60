"""`Walk`: the body of an execution: its tasks, in order or as far as their inputs allow, each recorded as it ends.

It may be broken off at any moment, and another walk goes on: what is recorded as ended in this execution counts, and
what was running runs again.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from flows.model.tree.freshness import Digests
from flows.model.tree.moments import Progress
from flows.model.tree.paths import ROOT
from flows.model.tree.roll_up import roll_up_all
from flows.model.tree.task_record import InstanceRecord, TaskRecord
from flows.tree.context import Context
from flows.tree.storage.protocol import Write
from flows.tree.tasks.attempts import Cancelled
from flows.tree.tasks.running import Running
from flows.tree.tasks.task_run import Around, run_task
from flows.tree.writes import Writes

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping

    from flows.model.job import JobError
    from flows.model.tree.plan import TreePlan
    from flows.model.tree.task_record import InstanceStatus, TaskStatus
    from flows.tree.backend.protocol import Orders
    from flows.tree.declare import Task
    from flows.tree.storage.protocol import Execution, Snapshot, Storage, Token


class Surroundings(NamedTuple):
    """What executions of an app share.

    Attributes:
        storage: Where instances stand.
        orders: Runs the functions of tasks; None: nothing is executed, only ended.
        debug: Whether the tasks' functions for debugging are called.
    """

    storage: Storage
    orders: Orders | None
    debug: bool = False


class Walk:
    """One attempt at an execution.

    Args:
        surroundings: What it works with.
        snapshot: The instance.
        execution: What is executed.
        token: Who writes.
        plan: The tree.
        tasks: Its tasks with their functions, by path.
        ttl: After its end, the instance expires in so many seconds; None: it does not.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        snapshot: Snapshot,
        execution: Execution,
        token: Token,
        *,
        plan: TreePlan,
        tasks: Mapping[str, Task[Any]],
        ttl: float | None = None,
    ) -> None:
        storage, orders, debug = surroundings
        row, records = snapshot.row, dict(snapshot.tasks)
        context = Context(storage, row.id, plan, records, snapshot.data)
        self._storage = storage
        self._execution = execution
        self._plan = plan
        self._tasks = tasks
        self._ttl = ttl
        self._began = snapshot.record.started
        self._records = records
        self._writes = Writes(storage, row.id, token, records, self._break)
        self._orders = orders
        self._around = Around(
            (row.id, row.generator, execution.id),
            storage,
            orders,
            plan,
            records,
            context,
            Digests(context.fields),
            self._writes,
            debug,
        )
        self._targets = [path for path in execution.targets if path in plan.tasks]
        self._takers = frozenset(() if execution.argument is None else plan.takers(execution.path))
        self._running = Running(self._execute)
        self._stopped: set[str] = set()
        self._failure: tuple[str, JobError] | None = None
        self._cancelled: str | None = None
        self._broken: BaseException | None = None

    async def run(self) -> InstanceRecord:
        """Execute what has not ended, and return what the execution has come to.

        Raises:
            LostLease: another one has the instance.
            StoreError: the storage cannot be used.
        """
        await self._resume()
        progress = Progress(self._plan.moments, frozenset(self._targets))
        try:
            self._begin(self._ready(progress))
            while self._running:
                await self._next(progress)
        finally:
            self._stopped.update(await self._running.stop())
        if self._broken is not None:
            raise self._broken
        return await self._end()

    async def cancel(self, reason: str) -> InstanceRecord:
        """Record that the execution was cancelled, when `run` was.

        Raises:
            LostLease: another one has the instance.
            StoreError: the storage cannot be used.
        """
        self._cancelled = reason
        return await self._end()

    async def fail(self, error: JobError) -> InstanceRecord:
        """Record that the execution has failed as a whole, by no task of its own.

        Raises:
            LostLease: another one has the instance.
            StoreError: the storage cannot be used.
        """
        self._failure = ROOT, error
        return await self._end()

    async def _resume(self) -> None:
        """Go on where an earlier attempt has ended: all that is to be executed is queued or has ended."""
        now, run = self._storage.now_ms(), self._execution.id
        empty = TaskRecord("queued", run=run, queued=now)  # the one of all that have no result from before
        fresh: dict[str, TaskRecord] = {}
        writes: list[Write] = []
        for path in self._targets:
            record = self._records.get(path)
            if record is None or record.run != run:
                size = None if record is None else record.bytes
                fresh[path] = empty if size is None else TaskRecord("queued", run=run, queued=now, bytes=size)
            elif record.status == "failed" and record.error is not None and not self._plan.nodes[path].continues:
                self._failure = path, record.error
            elif self._has_ended(path) and record.status != "ok" and not record.skipped_above:
                below = self._around.skipped_below(path, record.status)
                writes += [one for one in below if not self._is_skipped_here(one.path)]
        self._records |= fresh
        self._writes.note_all(fresh)  # written with what follows: what ends at once is never recorded as queued
        if writes:
            await self._writes.put(*{one.path: one for one in writes}.values())

    def _is_skipped_here(self, path: str) -> bool:
        """Return whether an earlier attempt has written that a task is skipped: it died between two calls, perhaps."""
        record = self._records.get(path)
        return record is not None and record.run == self._execution.id and record.status == "skipped"

    def _has_ended(self, path: str) -> bool:
        """Return whether what comes after a task may begin; one that is executed was queued before."""
        record = self._records.get(path)
        if record is None:
            return False
        return record.status in {"ok", "skipped"} or (record.status == "failed" and self._plan.nodes[path].continues)

    def _goes_on(self, path: str) -> bool:
        """Return whether a task had begun before: after a failure only such ones go on."""
        record = self._records.get(path)
        return record is not None and record.goes_on_in(self._execution.id)

    def _ready(self, progress: Progress) -> list[str]:
        """Return what may begin now; what has ended already is passed."""
        found: list[str] = []
        is_free = self._failure is None
        while ready := progress.take():
            for path in ready:
                if self._has_ended(path):
                    progress.end(path)
                elif is_free or self._goes_on(path):
                    found.append(path)
        return found if self._cancelled is None and self._broken is None else []

    def _begin(self, paths: Iterable[str]) -> None:
        assert self._orders is not None  # noqa: S101 - without them a walk is only ended
        paths = list(paths)
        for _ in paths:
            self._orders.enter()
        self._running.begin(paths)

    def _execute(self, path: str) -> Coroutine[Any, Any, JobError | None]:
        argument = self._execution.argument if path in self._takers else None
        return run_task(self._around, self._plan.tasks[path], self._tasks[path], argument)

    async def _next(self, progress: Progress) -> None:
        """Wait until some tasks have ended, and go on behind them when that stands; the last are written by the end."""
        done = await self._running.ended()
        for one in done:
            error = one.error
            if isinstance(error, Cancelled):
                self._stopped.add(one.path)
                self._cancelled = self._cancelled or str(error)
                self._stopped.update(self._running.cancel())
            elif isinstance(error, asyncio.CancelledError):
                self._stopped.add(one.path)
            elif error is not None:
                self._break(error)
            elif one.failed is not None:
                self._failure = self._failure or (one.path, one.failed)
            else:
                progress.end(one.path)
        ready = self._ready(progress)
        if ready or self._running:
            await self._writes.put()
        self._begin(ready)
        assert self._orders is not None  # noqa: S101 - the same
        for _ in done:  # not before what follows has begun
            self._orders.leave()

    def _break(self, error: BaseException) -> None:
        """Stop at once: nothing can be written any more."""
        self._broken = self._broken or error
        self._stopped.update(self._running.cancel())

    async def _end(self) -> InstanceRecord:
        """Record the end, and that what is left will not begin."""
        writes: Iterable[Write] = ()
        status: InstanceStatus = "done"
        path, error = self._failure or ("", None)
        if self._cancelled is not None:
            status, path, error = "cancelled", "", None
            writes = self._left(self._cancelled)
        elif self._failure is not None:
            status = "failed"
            writes = self._left(f"{path} failed")
        record = InstanceRecord(
            status,
            run=self._execution.id,
            path=path,
            error=error,
            because=self._cancelled or "",
            started=self._began,
            ended=self._storage.now_ms(),
            # What is left counts as before: what was queued for nothing, and what ran for what it had told.
            progress=roll_up_all(self._plan.weights, self._records),
        )
        await self._writes.end(list(writes), record, self._ttl)
        self._writes.let_go()
        return record

    def _left(self, because: str) -> Iterable[Write]:
        """Yield the records of what has not ended: nothing stays queued or running."""
        now = self._storage.now_ms()
        for path in self._targets:
            before = self._records.get(path)
            if before is None or self._has_ended(path) or before.status == "failed":
                continue
            status: TaskStatus = "cancelled" if path in self._stopped or before.status == "running" else "inactive"
            yield Write(path, replace(before, status=status, ended=now, because=because, inputs={}, data="", order=0))
