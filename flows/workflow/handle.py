"""`Handle[Out]`: one run, by its id: how it stands, how it ends, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from flows.errors import JobGone, StateError
from flows.kernel.callers.ends import wait_for_end
from flows.kernel.streams.follow import follow_text
from flows.model.arguments import check_text
from flows.model.codec import encode_value
from flows.model.job import JobError
from flows.model.names import check_job_id
from flows.model.runs.errors import RunCancelled, RunFailed
from flows.model.runs.new_run import RUN_FLOW
from flows.model.runs.shape import encode_untyped
from flows.model.runs.step_record import check_step_name
from flows.model.state import JobState
from flows.workflow.forks import fork_run
from flows.workflow.reading.explaining import explain_run
from flows.workflow.reading.run_reader import RunReader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from flows.model.explain.explanation import Explanation
    from flows.model.runs.history import RunHistory
    from flows.model.runs.run_record import RunRecord, RunStatus, RunStep
    from flows.model.runs.shape import Shape
    from flows.store.jobs.log_line import LogLine
    from flows.store.streams.text_piece import TextPiece
    from flows.workflow.event import WorkflowEvent
    from flows.workflow.host import Host

OutT_co = TypeVar("OutT_co", covariant=True)
EventT = TypeVar("EventT")


class Handle(Generic[OutT_co]):
    """One run.

    Attributes:
        id: The run's id, a UUIDv7.
        workflow: The workflow's name; empty where only the id was given.
    """

    def __init__(self, host: Host, run_id: str | UUID, workflow: str, output: Shape[Any] | None) -> None:
        self.id = check_job_id(run_id)
        self.workflow = workflow
        self._host = host
        self._output = output
        self._reader: RunReader[Any] = RunReader(host, output)

    def __repr__(self) -> str:
        return f"<Handle {self.workflow or 'run'} {self.id}>"

    async def result(self, timeout: float | None = None) -> OutT_co:
        """Wait until the run has ended, and return what it returned.

        All handles of a process wait by one connection.

        Args:
            timeout: In seconds, of this wait alone: the run goes on. None: as long as it takes.

        Raises:
            WaitTimeout: it has not ended in time.
            RunFailed: it has failed; `error` says why.
            RunCancelled: it was cancelled; `reason` says why.
            JobGone: its retention is over, or it was deleted.
            ValidationError: what it returned is not of the workflow's type as it is declared here.
            StoreError: the server cannot be used.
        """
        await self._host.open()
        record = await wait_for_end(self._host.runtime, self._reader, self.id, timeout)
        if record.job.status == JobState.CANCELLED:
            raise RunCancelled(self.id, record.reason)
        if record.job.status == JobState.FAILED:
            raise RunFailed(self.id, record.error or JobError(type="Unknown", message="no error is recorded"))
        output: OutT_co = record.output
        return output

    async def status(self) -> RunStatus:
        """Return the run's status; one that has begun and waits for something is `suspended`.

        Raises:
            JobGone: its retention is over, or it was deleted.
            StoreError: the server cannot be used.
        """
        found = await self._reader.status(self.id)
        if found is None:
            raise JobGone(self.id, what="run")
        return found

    async def record(self) -> RunRecord[OutT_co]:
        """Return the run as it stands: times, error, input, output, steps.

        Raises:
            JobGone: its retention is over, or it was deleted.
            StoreError: the server cannot be used.
        """
        found = await self._reader.record(self.id)
        if found is None:
            raise JobGone(self.id, what="run")
        return found

    async def steps(self) -> list[RunStep]:
        """Return the run's steps in the order in which they were settled, then those that wait.

        Raises:
            JobGone: its retention is over, or it was deleted.
            StoreError: the server cannot be used.
        """
        return (await self.record()).steps

    async def history(self) -> RunHistory:
        """Return all that is recorded of the run, for `flows.testing.replay`, which holds it against the code.

        Raises:
            JobGone: its retention is over, or it was deleted.
            StoreError: the server cannot be used.
        """
        return (await self.record()).history()

    async def log(self) -> list[LogLine]:
        """Return the last 1,000 lines that steps of the run have logged, oldest first.

        Raises:
            StoreError: the server cannot be used.
        """
        session = await self._host.open()
        return await session.fetch.log(RUN_FLOW, self.id)

    def stream(self, after: str | None = None) -> AsyncIterator[TextPiece]:
        """Follow the text that steps of the run stream by `current_job().stream`, until the run has ended.

        A step that is done and remembered streams no more; one that is tried again begins anew, and says so
        (`piece.begins`). All handles of a process follow by one connection.

        Args:
            after: The cursor of the last piece that was read, in whatever process; None: from the beginning of what is
                kept, 1 MiB.

        Returns:
            An async iterator, for `async for piece in handle.stream():`; pieces come in the order in which they were
            streamed. Where some are missing between two, the later one says so (`piece.gap`).

        Raises:
            ValidationError: `after` is no such cursor.
            JobGone: while it is iterated: the run's retention is over, or it was deleted.
            StoreError: while it is iterated: the server cannot be used. Go on with the last cursor.
        """
        return follow_text(self._host.runtime, self._reader, self.id, after)

    async def explain(self) -> Explanation:
        """Return why the run is where it is, as `Flow.explain` does of a job; of a suspended one, what it waits for.

        Raises:
            StoreError: the server cannot be used.
        """
        return await explain_run(self._host, self._reader, self.id)

    async def cancel(self, reason: str = "cancelled") -> Literal["cancelled", "requested", "too late"]:
        """Cancel the run, and the runs that it waits for.

        Returns:
            "cancelled"; "requested": a worker has it, and ends it as soon as its function lets go, or steps of it are
            undone first; "too late": it has ended.

        Raises:
            ValidationError: `reason` is no text.
            JobGone: its retention is over, or it was deleted.
            StoreError: the server cannot be used.
        """
        encode_value("reason", check_text("reason", reason))  # refused here, where it cannot be written
        control = (await self._host.open()).control
        word: Any = await control.cancel(RUN_FLOW, self.id, reason)
        if word in {"gone", "malformed"}:
            raise JobGone(self.id, what="run")
        answer: Literal["cancelled", "requested", "too late"] = word
        return answer

    async def retry(self) -> None:
        """Let a run that has failed or was cancelled go on: steps that are done stay, those that failed run again.

        Raises:
            StateError: it has not failed, and was not cancelled.
            JobGone: its retention is over, or it was deleted.
            StoreError: the server cannot be used.
        """
        control = (await self._host.open()).control
        word = await control.retry_job(RUN_FLOW, self.id)
        if word == "gone":
            raise JobGone(self.id, what="run")
        if word != "retried":
            raise StateError(self.id, word, "retried", what="run")

    async def restart(self) -> Handle[OutT_co]:
        """Start a new run with the input of this one, whatever has become of it, and return its handle.

        Raises:
            JobGone: its retention is over, or it was deleted.
            StoreError: the server cannot be used.
        """
        return self._like(await fork_run(self._host, self.id, ""))

    async def fork(self, from_step: str, input: object = None) -> Handle[OutT_co]:
        """Start a new run that has what this one had done before a step, and goes on from there.

        Args:
            from_step: The step's name. What came before it, is done and was not undone is not done again.
            input: Another input; None: that of this run.

        Returns:
            The handle of the new run; this one stays as it is.

        Raises:
            ValidationError: the run has no such step yet, or the input is not of the workflow's type.
            JobGone: its retention is over, or it was deleted.
            StoreError: the server cannot be used.
        """
        return self._like(await fork_run(self._host, self.id, check_step_name(from_step), input))

    def _like(self, run_id: str) -> Handle[OutT_co]:
        return Handle(self._host, run_id, self.workflow, self._output)

    async def send(self, event: WorkflowEvent[EventT], data: EventT, *, event_id: str | None = None) -> int:
        """Send an event to this run alone, for `wait_for_event` without a key.

        Returns:
            1 where the run goes on with it now, 0 where it does not wait for it yet.

        Raises:
            ValidationError: the data are not of the event's type.
            StoreError: the server cannot be used. It may be sent again with the same `event_id`.
        """
        return await event.send(data, key=self.id, event_id=event_id)

    async def provide(self, step: str, data: object) -> bool:
        """Answer a `wait_for_input` of this run; return whether it goes on with that now.

        What comes before the step waits is kept for it. Only the step knows its model: an answer that does not fit is
        refused there, which the step's `refused` in `steps()` and `explain()` tell, and the step waits for another.

        Args:
            step: The step's name.
            data: The answer: plain JSON, or a value of the model that the step waits for.

        Raises:
            ValidationError: it is not JSON, or no step may have such a name.
            StoreError: the server cannot be used.
        """
        check_step_name(step)
        runs = await self._host.runs()
        return await runs.provide(self.id, step, encode_untyped("the answer", data))
