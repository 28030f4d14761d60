"""`KernelBackend`: executions are runs of a workflow, on whichever worker of the app takes them."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from flows.errors import DeclarationError, FlowsError, LostLease, StoreError
from flows.kernel.current import current_job
from flows.model.runs.failure import Failure
from flows.model.tree.errors import InstanceGone, TreeBusy
from flows.model.verdict import Cancel, Snooze
from flows.tree.backend.messages import write_outcome
from flows.tree.backend.protocol import Outcome, Progress
from flows.tree.backend.run_orders import RETURNED, RunOrders, explained, key_of
from flows.tree.backend.runs import (
    EXECUTIONS,
    TASKS,
    Given,
    TaskGiven,
    cancel_run,
    is_served,
    run_of,
    start_run,
    under_way,
)
from flows.tree.storage.protocol import Token
from flows.workflow.steps.failures import error_of
from flows.workflow.steps.own_body import OwnBody
from flows.workflow.steps.step import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.model.runs.new_run import NewRun
    from flows.model.schedules.cron import Cron
    from flows.model.schedules.every import Every
    from flows.model.schedules.record import ScheduleRecord
    from flows.tree.asked import Asked, When
    from flows.tree.backend.protocol import Backend, Working
    from flows.tree.backend.runs import TreeRuns
    from flows.workflow.definition import Workflow

#: What cannot be done now, since the instance is busy or its storage away, is tried again after so many seconds.
_LATER: Final = 5.0
#: A backend whose outcomes have come to an end is asked again after so many seconds.
_PAUSE: Final = 1.0
#: An outcome is kept for so long, in milliseconds: a week.
_KEPT_MS: Final = 7 * 24 * 3_600_000


class KernelBackend:
    """Runs executions in the workers that `Trees.create_workers` makes: an execution outlives each of them."""

    #: Whether somebody has to create workers.
    needs_workers = True

    def __init__(self) -> None:
        self._working: Working | None = None
        self._runs: TreeRuns | None = None
        self._backends: Mapping[str, Backend] = {}
        self._tasks: Workflow[TaskGiven, dict[str, Any]] | None = None

    def bind(self, working: Working, runs: TreeRuns, backends: Mapping[str, Backend]) -> None:
        """Take what works on an execution: see `Executor.bind`.

        Raises:
            DeclarationError: it belongs to another `Trees`.
        """
        if self._runs is not None:
            raise DeclarationError(f"this KernelBackend belongs to app {self._runs.trees!r}: make one for each Trees")
        self._working, self._runs, self._backends = working, runs, backends
        runs.define(f"{EXECUTIONS}{runs.trees}", max_concurrency=None, on_failure=self._failed)(self._execute)
        self._tasks = runs.define(f"{TASKS}{runs.trees}", max_concurrency=None)(self._execute_task)
        for name, backend in backends.items():
            runs.beside[f"outcomes of {name}"] = partial(self._receive, backend)

    def run_of(self, instance_id: str, execution: str) -> NewRun | None:
        """Return the run that is to work on an execution: see `Executor.run_of`."""
        return run_of(self._bound.host, self._bound.trees, instance_id, execution)

    async def start(self, instance_id: str, execution: str) -> None:
        """Start the run of an execution: see `Executor.start`."""
        await start_run(self._bound.host, self._bound.trees, instance_id, execution)

    async def start_later(self, instance_id: str, execution: str, asked: Asked, when: When) -> None:
        """Start a run that begins an execution when it is due: see `Executor.start_later`."""
        await self._bound.start_later(instance_id, execution, asked, when)

    async def repeat(self, instance_id: str, asked: Asked, schedule: Cron | Every) -> ScheduleRecord:
        """Make a schedule that starts such runs: see `Executor.repeat`."""
        return await self._bound.repeat(instance_id, asked, schedule)

    async def under_way(self, execution: str) -> bool | None:
        """Return whether the run of an execution is: see `Executor.under_way`."""
        return (await under_way(self._bound.host, [execution]))[0]

    async def is_served(self) -> bool:
        """Return whether any process has workers of the app: see `Executor.is_served`."""
        return await is_served(self._bound.host, self._bound.trees)

    async def cancel(self, instance_id: str, execution: str, reason: str) -> bool:  # noqa: ARG002 - the protocol's
        """Cancel the run of an execution, whose worker records the end: see `Executor.cancel`."""
        return await cancel_run(self._bound.host, execution, reason)

    async def close(self) -> None:
        """Let go of the backends of single tasks: see `Executor.close`."""
        for backend in self._backends.values():
            await backend.close()

    @property
    def _bound(self) -> TreeRuns:
        assert self._runs is not None  # noqa: S101 - Trees binds its executor when it is made
        return self._runs

    async def _execute(self, given: Given, step: Step) -> dict[str, str]:
        """Work on an execution: the body of its run, whose output says what was executed and how it has ended."""
        body = OwnBody(step)
        if body.is_failing:
            return {}
        assert self._working is not None  # noqa: S101 - the same
        assert self._tasks is not None  # noqa: S101 - the same
        token = Token(body.run_id, body.run_id, body.fence)
        orders = RunOrders(body, self._backends, self._tasks)
        try:
            return await self._working.execute(given.instance, token, orders, lambda: None, given.later)
        except (TreeBusy, StoreError) as error:
            raise Snooze(str(error), after=_LATER) from error
        except InstanceGone as error:
            if given.schedule:
                await self._bound.schedules.delete(given.schedule)
            raise Cancel(str(error)) from error

    async def _failed(self, failure: Failure[Given]) -> None:
        """Record the end of an execution whose run has failed or was cancelled."""
        assert self._working is not None  # noqa: S101 - the same
        token = Token(failure.run_id, failure.run_id, current_job().fence)
        error = explained(failure.error, "execution")
        await self._working.give_up(failure.input.instance, token, error, cancelled=failure.cancelled)

    async def _execute_task(self, given: TaskGiven, step: Step) -> dict[str, Any]:
        """Run one task for workers of its queue: the body of its run."""
        body = OwnBody(step)
        assert self._working is not None  # noqa: S101 - the same
        assert self._tasks is not None  # noqa: S101 - the same
        token = Token(given.execution, body.run_id, body.fence)
        orders = RunOrders(body, self._backends, self._tasks)
        body.enter()
        try:
            outcome = await self._working.execute_task(given.instance, token, given.path, given.attempt, orders.here)
        except StoreError as error:
            raise Snooze(str(error), after=_LATER) from error
        except (LostLease, InstanceGone) as error:
            raise Cancel(str(error)) from error
        except FlowsError as error:
            outcome = Outcome(error=error_of(error, given.path, given.attempt), wish="never")
        finally:
            body.leave()
        return write_outcome(outcome)

    async def _receive(self, backend: Backend) -> None:
        """Send what comes back from a backend to the runs that wait for it."""
        while True:
            async for returned in backend.outcomes():
                if isinstance(returned.outcome, Progress):
                    assert self._working is not None  # noqa: S101 - the same
                    await self._working.report(returned, returned.outcome)
                else:
                    runs, key = await self._bound.host.runs(), key_of(returned)
                    data = to_json(write_outcome(returned.outcome))
                    await runs.send_event(RETURNED, key, data, key, _KEPT_MS)
                await returned.ack()
            await asyncio.sleep(_PAUSE)
