"""`TreeRuns`: the workflows of an app of trees, of which its executions are runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel
from pydantic_core import to_json

from flows.errors import DeclarationError, JobGone
from flows.kernel.callers.make_record import state_of
from flows.model.names import check_name
from flows.model.runs.new_run import BY_WORKFLOW, RUN_FLOW, NewRun
from flows.model.runs.queue_names import run_queue
from flows.model.schedules.policies import LONGEST_ID
from flows.model.state import TERMINAL
from flows.store.fleet.processes import live_releases
from flows.telemetry.service import Service
from flows.tree.asked import Asked
from flows.workflow.app import Workflows
from flows.workflow.handle import Handle
from flows.workflow.new_runs import new_run
from flows.workflow.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from flows.kernel.runtime import Runtime
    from flows.kernel.session import Session
    from flows.model.schedules.cron import Cron
    from flows.model.schedules.every import Every
    from flows.model.schedules.record import ScheduleRecord
    from flows.tree.asked import When
    from flows.workflow.declared import Declared
    from flows.workflow.host import Host

#: The workflow of an app's executions, and that of its tasks with `queue=`, begin so.
EXECUTIONS: Final = "tree."
TASKS: Final = "tree-task."
#: A workflow's name has 64 characters.
_LONGEST: Final = 54


class Given(BaseModel):
    """The input of an execution's run.

    Attributes:
        instance: Of which instance it is.
        later: What it begins when it starts; None: it has been begun.
        schedule: The id of the schedule that has started it, which goes with its instance.
    """

    instance: str
    later: Asked | None = None
    schedule: str = ""


class TaskGiven(BaseModel):
    """The input of the run of one task: which attempt at which, in which execution."""

    instance: str
    execution: str
    path: str
    attempt: int


def check_app(app: object) -> str:
    """Return the name of an app of trees.

    Raises:
        DeclarationError: it is none, or too long.
    """
    name = check_name("app", app)
    if len(name) > _LONGEST:
        raise DeclarationError(f"app name {name!r} is too long: use {_LONGEST} characters at most")
    return name


def run_of(host: Host, app: str, instance_id: str, execution: str) -> NewRun:
    """Return the run of an execution.

    Args:
        host: Of the app's workflows, or of all, without their code.
        app: The app of trees.
        instance_id: The instance.
        execution: The execution, whose id the run gets.
    """
    name, given = f"{EXECUTIONS}{app}", {"instance": instance_id}
    # An app without code knows what its workflow is only while a process of it lives: what follows a failure is sure.
    run = host.completed(NewRun(execution, name, name, to_json(given), lookups=((BY_WORKFLOW, name),)), given)
    return replace(run, undo=True)


async def start_run(host: Host, app: str, instance_id: str, execution: str) -> None:
    """Start the run of an execution that has been begun, as `run_of` makes it; one that is there stays as it is.

    Raises:
        StoreError: the server cannot be used.
    """
    await host.start([run_of(host, app, instance_id, execution)])


async def under_way(host: Host, executions: Sequence[str]) -> list[bool | None]:
    """Return of the runs of executions whether they are under way; None: there is no such run.

    Raises:
        StoreError: the server cannot be used.
    """
    fetch = (await host.open()).fetch
    found = await fetch.hashes([(RUN_FLOW, one) for one in executions], ("_status",))
    return [None if one is None else state_of(one.get("_status")) not in TERMINAL for one in found]


async def is_served(host: Host, app: str) -> bool:
    """Return whether any process has workers of an app's executions just now.

    Raises:
        StoreError: the server cannot be used.
    """
    session = await host.open()
    return bool(await live_releases(session.connection, session.settings, f"{EXECUTIONS}{app}"))


async def cancel_run(host: Host, execution: str, reason: str) -> bool:
    """Cancel the run of an execution; False: it is gone, or has ended.

    Raises:
        StoreError: the server cannot be used.
    """
    try:
        return await Handle[Any](host, execution, "", None).cancel(reason) != "too late"
    except JobGone:
        return False


class TreeRuns(Workflows[Any]):
    """The workflows `tree.<app>` and `tree-task.<app>`, and what their runs stand on."""

    def __init__(self, app: str, **options: Any) -> None:
        super().__init__(f"{EXECUTIONS}{app}", **options)
        self.trees = app
        self._named: set[str] = set()
        #: What a process with workers does besides, by names of services.
        self.beside: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {}
        self._host.runtime.companion = lambda session: _Beside(self._host, session, self._pool.serve, self.beside)

    def create_workers(self, queues: Sequence[str] | None = None, *, concurrency: int = 10) -> None:
        """Let this process work on runs: see `Workflows.create_workers`; queues that are named are served at once.

        Raises:
            DeclarationError: as there.
        """
        super().create_workers(queues, concurrency=concurrency)
        self._named |= set(queues or ())

    async def _prepare(self) -> None:
        await super()._prepare()
        self._pool.serve([run_queue(f"{TASKS}{self.trees}", queue) for queue in sorted(self._named)])

    @property
    def host(self) -> Host:
        """What its runs and handles share."""
        return self._host

    @property
    def runtime(self) -> Runtime:
        """The flow of runs, as this process has it."""
        return self._host.runtime

    async def start_later(self, instance_id: str, execution: str, asked: Asked, when: When) -> None:
        """Start a run that begins an execution when it is due.

        Raises:
            ValidationError: the time cannot be used.
            StoreError: the server cannot be used.
        """
        given = Given(instance=instance_id, later=asked)
        options = {"run_at": when.run_at, "delay": when.delay}
        limit = self._host.max_payload
        await self._host.start(
            [new_run(self._executions, given, options, "execute", run_id=execution, max_payload=limit)]
        )

    async def repeat(self, instance_id: str, asked: Asked, schedule: Cron | Every) -> ScheduleRecord:
        """Make a schedule whose runs begin an execution.

        Raises:
            ValidationError: there is one for the same task already.
            StoreError: the server cannot be used.
        """
        schedule_id = schedule.id or f"{self.app}:{instance_id}:{asked.path}"[:LONGEST_ID]
        given = Given(instance=instance_id, later=asked, schedule=schedule_id)
        return await self.schedules.create(schedule, self._executions.name, given.model_dump(), id=schedule_id)

    @property
    def _executions(self) -> Declared:
        return self._host.definitions[f"{EXECUTIONS}{self.trees}"]


class _Beside(Registry):
    """What stands beside a session: what does so for each app of workflows, and the services of trees."""

    def __init__(
        self,
        host: Host,
        session: Session,
        serve: Callable[[list[str]], None],
        beside: Mapping[str, Callable[[], Coroutine[Any, Any, None]]],
    ) -> None:
        super().__init__(host, session, serve)
        self._services = [Service(name, work, host.runtime.events) for name, work in beside.items()]

    def serve(self) -> None:
        """Begin: workers of the app are started."""
        super().serve()
        for service in self._services:
            service.start()

    async def close(self) -> None:
        """End: the session is being closed."""
        for service in self._services:
            await service.stop()
        await super().close()
