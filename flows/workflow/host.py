"""What the workflows, handles and events of one app share: its definitions, and the runtime of the flow of runs."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from flows.errors import DeclarationError, IdempotencyConflict
from flows.kernel.runtime import Runtime
from flows.model.runs.errors import UnknownWorkflow
from flows.model.runs.new_run import RUN_FLOW
from flows.model.runs.queue_names import workflow_of
from flows.store.jobs.ownership import known_queues
from flows.workflow.run_flow import RunDescriptor, run_flow_options
from flows.workflow.run_threads import RunThreads
from flows.workflow.schedule_definitions import check_schedules, schedules_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.config import Server
    from flows.kernel.session import Session
    from flows.model.runs.new_run import NewRun
    from flows.model.runs.schedule_definition import ScheduleDefinition
    from flows.store.runs.run_store import RunStore
    from flows.workflow.app_options import AppOptions
    from flows.workflow.declared import Declared


class Host:
    """One app in this process.

    Attributes:
        options: What the app was made with.
        definitions: Its workflows, by name.
    """

    def __init__(
        self,
        options: AppOptions,
        closing: str = "await workflows.stop() there",
        definitions: dict[str, Declared] | None = None,
    ) -> None:
        self.options = options
        self.definitions: dict[str, Declared] = {} if definitions is None else definitions
        #: Those that they declare by `cron=`.
        self.schedules: list[ScheduleDefinition] = []
        self.max_payload = options.max_payload
        #: For plain functions of steps; closed when the app's workers have stopped.
        self.threads = RunThreads()
        #: Names of which it is known that an app has them, or has had.
        self._known: set[str] = set()
        #: Of how many workflows the runtime was told.
        self._told = 0
        flow = run_flow_options(options, ())
        self.runtime = Runtime(flow, RunDescriptor(flow, options.app, ()), closing)

    def add(self, workflow: Declared) -> None:
        """Add a workflow that was just defined.

        Raises:
            DeclarationError: the app has one of this name, its workers run already, or its schedules cannot be used.
        """
        if workflow.name in self.definitions:
            raise DeclarationError(f"app {self.options.app!r} defines the workflow {workflow.name!r} twice: rename one")
        if self.runtime.served():
            raise DeclarationError(
                f"workflow {workflow.name!r} is defined while workers of app {self.options.app!r} run: import the "
                "module that defines it before they start"
            )
        schedules = [*self.schedules, *schedules_of(workflow)]
        check_schedules(schedules)
        self.schedules = schedules
        self.definitions[workflow.name] = workflow

    def completed(self, run: NewRun, given: Any) -> NewRun:  # noqa: ARG002 - of a host without code
        """Return a new run of `given` with what is known of its workflow beside what the code of this process says."""
        return run

    async def open(self) -> Session:
        """Return the session of the running loop, opened.

        Raises:
            WrongLoop: another event loop that runs has the app open.
            StoreError: the server cannot be used.
            DeclarationError: a flow owns a queue of a workflow's name.
        """
        if self._told != len(self.definitions) and not self.runtime.in_use:
            self._tell()
        return await self.runtime.open()

    async def renew(self) -> None:
        """Let the session know all workflows, before workers start: one that was opened before some of them is closed.

        Raises:
            WrongLoop: another event loop that runs has the app open.
        """
        if self._told != len(self.definitions):
            if self.runtime.in_use:
                await self.runtime.close()
            self._tell()

    def bind(self, server: Server | None, namespace: str, ahead_ms: int) -> None:
        """Use another server, namespace and clock from the next opening on: for tests, while it is closed.

        Raises:
            FlowsError: a loop that runs has the app open.
        """
        self.runtime.bind(server, namespace, ahead_ms)
        self._known.clear()

    async def runs(self) -> RunStore:
        """Return what starts runs and sends them something, in the running loop.

        Raises:
            StoreError: the server cannot be used.
        """
        return (await self.open()).runs

    async def start(self, runs: Sequence[NewRun]) -> list[str]:
        """Start runs and return their ids, in order; with a key, the id of the run that has it already.

        Raises:
            IdempotencyConflict: a key has a run with other input.
            StoreError: the server cannot be used.
        """
        started = await (await self.runs()).start(runs)
        for run, (run_id, word) in zip(runs, started, strict=True):
            if word == "conflict":
                raise IdempotencyConflict(run_id, run.key or "", what="run")
        return [run_id for run_id, _word in started]

    async def check_known(self, name: str) -> None:
        """Check that some app has a workflow of this name, or ever had.

        Raises:
            UnknownWorkflow: none had.
            StoreError: the server cannot be used.
        """
        if name in self._known or name in self.definitions:
            return
        self._known.update(map(workflow_of, await self.known()))
        if name not in self._known:
            raise UnknownWorkflow(name, get_close_matches(name, self._known))

    async def known(self) -> list[str]:
        """Return the kernel's queues in which runs of any app stand, or ever stood.

        Raises:
            StoreError: the server cannot be used.
        """
        session = await self.open()
        return await known_queues(session.connection, session.settings, RUN_FLOW)

    def _tell(self) -> None:
        self._told = len(self.definitions)
        workflows = tuple(self.definitions.values())
        flow = run_flow_options(self.options, workflows)
        self.runtime.redeclare(flow, RunDescriptor(flow, self.options.app, workflows))
