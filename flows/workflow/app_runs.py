"""What an app does with runs, whosever they are: starts them by name, reads them, and says how workflows stand."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from flows.errors import JobGone
from flows.kernel.callers.queue_handle import QueueHandle
from flows.model.names import check_job_id
from flows.workflow.handle import Handle
from flows.workflow.move_runs import move_runs
from flows.workflow.new_runs import new_run
from flows.workflow.reading.run_lists import RunLists
from flows.workflow.reading.run_reader import RunReader
from flows.workflow.schedules.schedules import Schedules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from typing_extensions import Unpack

    from flows.model.fleet.process import Process
    from flows.model.runs.new_run import RunOptions
    from flows.model.runs.run_page import RunPage, WorkflowStats
    from flows.model.runs.run_record import RunRecord, RunStatus
    from flows.workflow.definition import Workflow
    from flows.workflow.host import Host


class AppRuns:
    """The methods of `Workflows` that are about runs."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def run_by_name(self, name: str, input: object = None, **options: Unpack[RunOptions]) -> Handle[Any]:
        """Start a run of a workflow that is known by its name alone, and return its handle.

        Where no live worker knows the workflow, the run waits until one does.

        Args:
            name: The workflow's name.
            input: Plain JSON, or a model: it is validated by the worker.
            **options: As of `Workflow.run`.

        Raises:
            UnknownWorkflow: no app ever had a workflow of this name.
            ValidationError: the input is not JSON, or an option cannot be used.
            IdempotencyConflict: the key has a run with other input.
            StoreError: the server cannot be used.
        """
        workflow = self._host.definitions.get(name)
        run = new_run(workflow or name, input, options, "run_by_name", max_payload=self._host.max_payload)
        await self._host.check_known(name)
        [run_id] = await self._host.start([run])
        return Handle(self._host, run_id, name, None if workflow is None else workflow.output)

    def handle(self, run_id: str | UUID) -> Handle[Any]:
        """Return the handle of a run by its id, without asking whether there is one.

        Raises:
            ValidationError: it is no id.
        """
        return Handle(self._host, run_id, "", None)

    async def get_run(self, run_id: str | UUID) -> RunRecord[Any]:
        """Return a run as it stands: status, times, error, input, output, steps.

        Raises:
            ValidationError: it is no id.
            JobGone: its retention is over, it was deleted, or there never was one.
            StoreError: the server cannot be used.
        """
        run_id = check_job_id(run_id)
        found = await RunReader[Any](self._host, None).record(run_id)
        if found is None:
            raise JobGone(run_id, what="run")
        return found

    async def list_runs(
        self,
        *,
        workflow: str | None = None,
        status: RunStatus | Sequence[RunStatus] | None = None,
        tag: str | None = None,
        lookup: Mapping[str, object] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
        cursor: str = "",
    ) -> RunPage:
        """Return runs of all apps that meet all of these, newest first; without any, of all workflows that ever ran.

        Args:
            workflow: Its name.
            status: One, or several.
            tag: One with which it was started.
            lookup: Fields of the input, declared by `define(lookup=…)`, and their values.
            since: It was started then or later: an aware datetime.
            until: It was started before: an aware datetime.
            limit: Up to 1,000 runs.
            cursor: Of the page before.

        Raises:
            ValidationError: one of them is of another type, the cursor is none, or the app defines the workflow without
                such a lookup.
            UnknownWorkflow: no app ever had a workflow of this name; one that was dropped is listed.
            StoreError: the server cannot be used.
        """
        lists = RunLists(self._host, RunReader(self._host, None))
        return await lists.page(workflow, status, tag, lookup or {}, since, until, limit, cursor)

    def queue(self, workflow: Workflow[Any, Any] | str) -> QueueHandle:
        """Return the queue of a workflow, to look at, to limit, to pause and to drain, as `Flow.queue` does.

        Runs that were given another queue, or stay with a version, stand in one of their own: `<workflow>@<queue>`,
        `<workflow>@=<version>`.

        Args:
            workflow: The workflow, its name, or the name of such a queue; of whatever app.
        """
        name = workflow if isinstance(workflow, str) else workflow.name
        return QueueHandle(self._host.runtime, name)

    async def move_runs(
        self, workflow: Workflow[Any, Any] | str, *, version: str | int | None, to: str | int | None
    ) -> int:
        """Let runs that stay with a version of their workflow's code (`on_change="pin"`) go on with another one.

        Args:
            workflow: The workflow, or its name.
            version: That of the runs; None: of those that stay with none.
            to: That of the workers; None: of those of a release that does not pin.

        Returns:
            How many were moved: those that wait for a worker, a time or an event. Those that execute are left: when
            they wait, ask again.

        Raises:
            ValidationError: the versions are the same, or no process ever had the other one.
            StoreError: the server cannot be used; some may be moved.
        """
        return await move_runs(self._host, workflow if isinstance(workflow, str) else workflow.name, version, to)

    @cached_property
    def schedules(self) -> Schedules:
        """The schedules of all apps: listed, made, paused, triggered, filled and deleted while workers run."""
        return Schedules(self._host)

    async def stats(self) -> dict[str, WorkflowStats]:
        """Return what each workflow's runs do now, by its name: of all apps, those that were dropped included.

        Raises:
            StoreError: the server cannot be used.
        """
        return await RunLists(self._host, RunReader(self._host, None)).stats()

    async def processes(self) -> list[Process]:
        """Return the processes that have workers of any app, as `Flow.processes` does.

        Raises:
            StoreError: the server cannot be used.
        """
        await self._host.open()
        return await self._host.runtime.processes()
