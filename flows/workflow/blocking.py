"""`workflows.blocking`: starts runs and waits for them, for plain callers: views, scripts, threads, step functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from flows.kernel.callers.loop_thread import blocking, iterating
from flows.workflow.definition import Workflow
from flows.workflow.event import WorkflowEvent
from flows.workflow.handle import Handle

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from typing_extensions import Unpack

    from flows.model.runs.new_run import RunOptions
    from flows.model.runs.run_page import RunPage, WorkflowStats
    from flows.model.runs.run_record import RunRecord, RunStatus, RunStep
    from flows.store.jobs.log_line import LogLine
    from flows.store.streams.text_piece import TextPiece
    from flows.workflow.app_runs import AppRuns
    from flows.workflow.host import Host

InT = TypeVar("InT")
OutT = TypeVar("OutT")
OutT_co = TypeVar("OutT_co", covariant=True)
EventT = TypeVar("EventT")
AnswerT = TypeVar("AnswerT")


class BlockingHandle(Generic[OutT_co]):
    """One run, with plain calls for what `Handle` awaits; they take and return the same, and raise the same errors."""

    def __init__(self, handle: Handle[OutT_co]) -> None:
        self.id = handle.id
        self.workflow = handle.workflow
        self._handle = handle

    def __repr__(self) -> str:
        return f"<BlockingHandle {self.workflow or 'run'} {self.id}>"

    def result(self, timeout: float | None = None) -> OutT_co:
        """Wait until the run has ended, and return what it returned: see `Handle.result`."""
        return _wait(self._handle.result)(timeout)

    def status(self) -> RunStatus:
        """Return the run's status: see `Handle.status`."""
        return _wait(self._handle.status)()

    def record(self) -> RunRecord[OutT_co]:
        """Return the run as it stands: see `Handle.record`."""
        return _wait(self._handle.record)()

    def steps(self) -> list[RunStep]:
        """Return the run's steps: see `Handle.steps`."""
        return _wait(self._handle.steps)()

    def log(self) -> list[LogLine]:
        """Return what steps have logged: see `Handle.log`."""
        return _wait(self._handle.log)()

    def stream(self, after: str | None = None) -> Iterator[TextPiece]:
        """Follow the text that steps stream, with a plain `for`: see `Handle.stream`."""
        return iterating(self._handle.stream, "async for piece in handle.stream(…)")(after)

    def cancel(self, reason: str = "cancelled") -> Literal["cancelled", "requested", "too late"]:
        """Cancel the run: see `Handle.cancel`."""
        return _wait(self._handle.cancel)(reason)

    def retry(self) -> None:
        """Let a run go on that has failed or was cancelled: see `Handle.retry`."""
        _wait(self._handle.retry)()

    def provide(self, step: str, data: object) -> bool:
        """Answer a `wait_for_input`: see `Handle.provide`."""
        return _wait(self._handle.provide)(step, data)


class Blocking:
    """Plain calls that block. Any thread may make them, any number at the same time, also after a fork.

    They have a connection of their own, in one event loop for each process that runs in a daemon thread: so they work
    beside a loop that has the app open, and cannot be called from inside a loop, which they would block (`FlowsError`).

    Args:
        host: The app, with a runtime of plain callers.
        runs: What it does with runs.
    """

    def __init__(self, host: Host, runs: AppRuns) -> None:
        self._host = host
        self._runs = runs

    @overload
    def run(self, workflow: Workflow[None, OutT], /, **options: Unpack[RunOptions]) -> BlockingHandle[OutT]: ...
    @overload
    def run(
        self, workflow: Workflow[InT, OutT], input: InT, /, **options: Unpack[RunOptions]
    ) -> BlockingHandle[OutT]: ...
    def run(self, workflow: Workflow[Any, Any], input: object = None, /, **options: Any) -> BlockingHandle[Any]:
        """Start a run and return its handle: see `Workflow.run`."""
        return BlockingHandle(_wait(self._here(workflow).run)(input, **options))

    def run_many(
        self, workflow: Workflow[InT, OutT], inputs: Iterable[InT], /, **options: Unpack[RunOptions]
    ) -> list[BlockingHandle[OutT]]:
        """Start a run for each of many inputs: see `Workflow.run_many`."""
        here: Workflow[Any, Any] = self._here(workflow)
        return [BlockingHandle(one) for one in _wait(here.run_many)(inputs, **options)]

    def run_by_name(self, name: str, input: object = None, /, **options: Unpack[RunOptions]) -> BlockingHandle[Any]:
        """Start a run of a workflow that is known by its name alone: see `Workflows.run_by_name`."""
        return BlockingHandle(_wait(self._runs.run_by_name)(name, input, **options))

    def send(self, event: WorkflowEvent[EventT], data: EventT, *, key: str, event_id: str | None = None) -> int:
        """Send an event: see `WorkflowEvent.send`."""
        here = WorkflowEvent[Any](self._host, event.name, event.shape.declared, event.ttl)
        return _wait(here.send)(data, key=key, event_id=event_id)

    def handle(self, run_id: str | UUID) -> BlockingHandle[Any]:
        """Return the handle of a run by its id, without asking whether there is one."""
        return BlockingHandle(self._runs.handle(run_id))

    def get_run(self, run_id: str | UUID) -> RunRecord[Any]:
        """Return a run as it stands: see `Workflows.get_run`."""
        return _wait(self._runs.get_run)(run_id)

    def list_runs(
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
        """Return runs of all apps: see `Workflows.list_runs`."""
        return _wait(self._runs.list_runs)(
            workflow=workflow,
            status=status,
            tag=tag,
            lookup=lookup,
            since=since,
            until=until,
            limit=limit,
            cursor=cursor,
        )

    def stats(self) -> dict[str, WorkflowStats]:
        """Return what each workflow's runs do now: see `Workflows.stats`."""
        return _wait(self._runs.stats)()

    def close(self) -> None:
        """Disconnect; without it, the end of the process does. A later call connects again."""
        _wait(self._host.runtime.close)()

    @property
    def in_use(self) -> bool:
        """Whether plain callers are connected."""
        return self._host.runtime.in_use

    async def disconnect(self) -> None:
        """Disconnect, in the loop of plain callers."""
        await self._host.runtime.close()

    def _here(self, workflow: Workflow[Any, Any]) -> Workflow[Any, Any]:
        """Return a workflow as plain callers use it: on their own connection."""
        return workflow.on(self._host)


def _wait(call: Callable[..., Coroutine[Any, Any, AnswerT]]) -> Callable[..., AnswerT]:
    return blocking(call, f"await the method of the same name: {call.__qualname__}")
