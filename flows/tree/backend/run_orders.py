"""Runs the orders of an execution that is a run: here, as a run of their own, or by a backend; it waits as runs do."""

from __future__ import annotations

from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from flows.model.runs.errors import ChildFailed
from flows.tree.backend.local import call_here, timed_out
from flows.tree.backend.messages import read_outcome
from flows.tree.backend.protocol import Outcome
from flows.tree.backend.returns import HANDED_TIMEOUT
from flows.tree.backend.runs import TaskGiven
from flows.tree.backend.task_steps import TaskSteps

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from flows.model.job import JobError
    from flows.tree.backend.protocol import Backend, Order, Returned
    from flows.workflow.definition import Workflow
    from flows.workflow.steps.own_body import OwnBody

#: The event by which an outcome comes back.
RETURNED: Final = "tree.returned"
#: A path that is longer is named by its end and a digest.
_LONGEST: Final = 120


class RunOrders:
    """The orders of one attempt at a run.

    Args:
        body: What its body stands on.
        backends: Those of single tasks, by their names.
        tasks: The workflow of tasks that have a queue of their own.
    """

    def __init__(self, body: OwnBody, backends: Mapping[str, Backend], tasks: Workflow[Any, Any]) -> None:
        self._body = body
        self._backends = backends
        self._tasks = tasks

    async def run(self, order: Order) -> Outcome:
        """Return the outcome of an order: see `Orders.run`."""
        if order.task.queue:
            return await self._child(order)
        backend = self._backends.get(order.task.backend)
        if backend is None:
            return await self.here(order)
        if not self._body.has_waited(_step_name(order)):
            outcome = await backend.dispatch(order)
            if outcome is not None:
                return outcome
        return await self._returned(order)

    def here(self, order: Order) -> Awaitable[Outcome]:
        """Return the outcome of an order that is run by this process; its function has steps of the run."""
        order.current.steps = partial(TaskSteps, self._body, _step_name(order))
        return call_here(order, self._body.call_in_thread)

    async def pause(self, order: Order, seconds: float) -> None:
        """Wait before the next attempt, without a worker: see `Orders.pause`."""
        self.leave()
        try:
            await self._body.sleep(f"{_step_name(order)}:pause", round(seconds * 1000))
        finally:
            self.enter()

    def enter(self) -> None:
        """Note that a task begins: see `Orders.enter`."""
        self._body.enter()

    def leave(self) -> None:
        """Note that a task has ended: see `Orders.leave`."""
        self._body.leave()

    async def _child(self, order: Order) -> Outcome:
        """Run an order as a run of its own, for workers of its task's queue."""
        given = TaskGiven(instance=order.instance_id, execution=order.execution, path=order.path, attempt=order.attempt)
        self.leave()
        try:
            found = await self._body.child(_step_name(order), self._tasks, given, order.task.queue)
        except ChildFailed as error:
            return Outcome(error=explained(error.error, "task"), classes=error.classes)
        finally:
            self.enter()
        return read_outcome(found)

    async def _returned(self, order: Order) -> Outcome:
        """Wait for the outcome of an order that was handed over."""
        timeout = order.timeout or HANDED_TIMEOUT
        self.leave()
        try:
            found = await self._body.event(_step_name(order), RETURNED, key_of(order), round(timeout * 1000))
        finally:
            self.enter()
        return timed_out(order, timeout, TimeoutError()) if found is None else read_outcome(found)


def explained(error: JobError, what: str) -> JobError:
    """Return the error of a run of a task or an execution; of one that has killed its workers, with what to do."""
    if error.type != "Poison":
        return error
    said = error.message.replace("this job", f"this {what}")
    todo = "find what ends its process, or takes too much memory; when that is mended, execute it again"
    return error.model_copy(update={"message": f"{said}: {todo}"})


def key_of(order: Order | Returned) -> str:
    """Return the key under which the outcome of an order comes back."""
    return f"{order.execution}:{_digest(order.path)}:{_call_of(order)}"


def _step_name(order: Order) -> str:
    path = order.path
    if len(path) > _LONGEST:
        path = f"#…{path[-_LONGEST:]}~{_digest(path)}"
    return f"{path}:{_call_of(order)}"


def _call_of(order: Order | Returned) -> str:
    """Name the call of an attempt: `2`, and `2.3` of the third time that the second attempt is called."""
    return f"{order.attempt}.{order.turn}" if order.turn > 1 else f"{order.attempt}"


def _digest(path: str) -> str:
    return blake2b(path.encode(), digest_size=12).hexdigest()
