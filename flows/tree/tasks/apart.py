"""Runs one task apart from its execution, in a worker of the queue that it names; and takes what is told from afar."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from flows.errors import LostLease, StoreError
from flows.model.tree.errors import InstanceGone, UnknownPath
from flows.model.tree.task_record import TaskRecord
from flows.tree.backend.protocol import Order
from flows.tree.context import Context
from flows.tree.current import CurrentTask
from flows.tree.storage.protocol import Token, Write
from flows.tree.tasks.reporter import Reporter
from flows.tree.writes import Writes

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.tree.backend.protocol import Call, Outcome, Progress, Returned
    from flows.tree.recipe import Recipe
    from flows.tree.storage.protocol import Storage


async def run_apart(  # noqa: PLR0917 - the facts of an attempt
    storage: Storage,
    recipe: Callable[[str], Recipe],
    instance_id: str,
    token: Token,
    path: str,
    attempt: int,
    call: Call,
) -> Outcome:
    """Return how an attempt at a task has ended; what it reports meanwhile is written as that of a child run.

    Args:
        storage: Where the instance is.
        recipe: Returns a generator by its name.
        instance_id: The instance.
        token: Names the execution, and the child run.
        path: The task.
        attempt: Which attempt it is.
        call: Calls the task's function.

    Raises:
        InstanceGone: there is no such instance.
        LostLease: the execution is over.
        UnknownGenerator, UnknownPath, DeclarationError: this process has other code than the one that has begun it.
        MalformedJob: a result that the task reads is lost.
        StoreError: the storage cannot be used.
    """
    snapshot = await storage.load(instance_id)
    if snapshot is None:
        raise InstanceGone(instance_id)
    execution, generator = snapshot.execution, snapshot.row.generator
    if execution is None or execution.id != token.execution or snapshot.record.status != "working":
        raise LostLease(token.run, "belongs to an execution that is over")
    plan, tasks, _description = await recipe(generator).grow(snapshot.data, snapshot.tree)
    if path not in plan.tasks:
        raise UnknownPath(path, plan.tasks)
    takes = execution.argument is not None and path in plan.takers(execution.path)
    context = Context(storage, instance_id, plan, snapshot.tasks, snapshot.data)
    views = await context.views(plan.tasks[path], execution.argument if takes else None)

    def lost(_error: BaseException) -> None:
        current.cancelled = True

    writes = Writes(storage, instance_id, token, {}, lost)
    record = snapshot.tasks.get(path) or TaskRecord("running", run=execution.id, attempt=attempt)
    reporter = Reporter(writes, path, record)
    limit = tasks[path].timeout
    timeout = None if limit is None else limit.total_seconds()
    deadline = None if timeout is None else time.monotonic() + timeout
    current = CurrentTask(instance_id, execution.id, path, attempt, deadline, reporter.report)
    reporter.current = current
    try:
        order = Order(instance_id, generator, execution.id, path, attempt, views.reads, timeout, tasks[path], current)
        return await call(order)
    finally:
        current.cancelled = True
        reporter.close()
        with suppress(LostLease, StoreError):  # what it has told does not matter any more
            await writes.put()


async def report_apart(storage: Storage, returned: Returned, progress: Progress) -> None:
    """Write how far a task is that was handed over: see `Working.report`."""
    snapshot = await storage.load(returned.instance_id)
    record = None if snapshot is None else snapshot.tasks.get(returned.path)
    if record is None or record.status != "running" or record.progress >= progress.value:
        return
    if (record.run, record.attempt) == (returned.execution, returned.attempt):
        told = replace(record, progress=progress.value, message=progress.message)
        with suppress(LostLease):  # it has ended meanwhile
            token = Token(returned.execution, f"afar:{returned.path}")
            await storage.write(returned.instance_id, token, [Write(returned.path, told)])
