"""`current_job()`: what a running function reads and reports about its own attempt."""

from __future__ import annotations

from contextvars import Context, ContextVar, copy_context
from numbers import Real
from typing import TYPE_CHECKING, Final, Protocol

from pydantic_core import from_json

from flows.errors import FlowsError, LostLease, ValidationError
from flows.model.codec import encode_value
from flows.model.texts import writable
from flows.model.values.carried import carried_of
from flows.store.jobs.log_line import LogLevel, pack_line
from flows.store.streams.text_piece import Streamed
from flows.telemetry.trace import leave_span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_current: ContextVar[CurrentJob | None] = ContextVar("flows_current_job", default=None)
_batch: ContextVar[list[CurrentJob] | None] = ContextVar("flows_current_batch", default=None)


class Report(Protocol):
    """Takes what a running function reports."""

    def __call__(
        self, current: CurrentJob, progress: bytes, line: str | None, streamed: Streamed | None = None, /
    ) -> None:
        """Take progress, as JSON, a line, as `pack_line` makes it, or text that is streamed."""
        ...


class CurrentJob:
    """One attempt, as its function sees it; all methods may be called from the loop or from a thread."""

    __slots__ = (
        "_report", "attempt", "cancelled", "carried_json", "correlation_json", "deadline", "fence", "id", "lost",
        "member", "queue", "streams", "unwritten", "visit",
    )  # fmt: skip

    #: Whether it has streamed text, and how many bytes of it could not be written since; not set before.
    streams: bool
    unwritten: int

    def __init__(  # noqa: PLR0917 - the facts of an attempt
        self, job_id: str, queue: str, attempt: int, fence: int, visit: int,
        report: Report,
        correlation_json: bytes | None = None, carried_json: bytes | None = None,
    ) -> None:  # fmt: skip
        self.id = job_id
        #: How it stands in its queue: by its id, but in a shared queue.
        self.member = job_id
        self.queue = queue
        self.attempt = attempt
        #: Rises with every attempt of the job: a target that remembers the highest can refuse older ones.
        self.fence = fence
        self.visit = visit
        #: Whether the attempt shall end: the job was cancelled, its lease is lost, or the worker stops.
        self.cancelled = False
        #: Whether its lease is lost: another attempt has the job, or will.
        self.lost = False
        #: When its queue's timeout ends it, on the clock of `time.monotonic()`; None: there is no timeout.
        self.deadline: float | None = None
        #: The correlation id and what the job carries, as they stand in its hash.
        self.correlation_json = correlation_json
        self.carried_json = carried_json
        self._report = report

    @property
    def correlation_id(self) -> str | None:
        """What `create_job(correlation_id=…)` was given; of a child, what its root was given."""
        try:
            text: object = None if self.correlation_json is None else from_json(self.correlation_json)
        except ValueError:  # edited by hand
            return None
        return text if isinstance(text, str) else None

    @property
    def carried(self) -> Mapping[str, str]:
        """The texts that middleware gave the job at its creation; of a child, those of its root.

        They are read where the flow has middleware, and empty elsewhere.
        """
        return carried_of(self.carried_json)

    @property
    def idempotency_key(self) -> str:
        """A key that all attempts of this job in this queue share: give it to targets that can drop repetitions."""
        return f"{self.id}:{self.visit}:{self.queue}"

    def progress(self, value: float, message: str = "") -> None:
        """Report how far the job is: `value` from 0 to 1, and what the function is doing.

        The last report is kept on the job, and written with the next turn of the worker.

        Raises:
            ValidationError: the value is no number between 0 and 1, or the message no text.
            LostLease: the attempt has lost its lease, or has ended.
        """
        if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= value <= 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(f"progress {value!r} is no number between 0 and 1")
        if not isinstance(message, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(f"progress(message={message!r}): give a text")
        self.pass_on(encode_value("progress", {"value": float(value), "message": writable(message)}), None)

    def log(self, text: str, level: LogLevel = "info", **meta: object) -> None:
        """Add a line to the job's log, of which the last 1,000 lines are kept; `flow.get_log` returns them.

        It is written with the next turn of the worker. When the attempt has ended, lines are still kept, marked as
        late, until the job's next attempt begins.

        Args:
            text: What happened; 4,096 characters of it are kept.
            level: "trace", "debug", "info", "warning" or "error".
            **meta: What else the line says, as JSON values by name; 4,096 bytes of it are kept.

        Raises:
            ValidationError: the text is none, there is no such level, or a value is not JSON.
            LostLease: the attempt has lost its lease, or another one has begun.
        """
        self.pass_on(b"", pack_line(text, level, meta, self.attempt))

    def stream(self, text: str) -> None:
        """Add to the text that the job streams, as a model's answer comes: `flow.stream`, `handle.stream` follow it.

        What is streamed in one tick of the event loop is one piece, and all that comes while a write is under way goes
        with the next one: a token costs no round trip. Of a job or run 1 MiB is kept, as long as it is kept itself, and
        the oldest goes first. The first piece of each try is marked, so that who reads begins anew.

        Raises:
            ValidationError: it is no text.
            LostLease: the attempt has lost its lease, or has ended.
            FlowsError: a workflow's function streams outside of a step: it runs again after each wait.
        """
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(f"stream({text!r}): give a text")
        if text:
            begins, self.streams = not getattr(self, "streams", False), True
            self.pass_on(b"", None, Streamed(writable(text), self._step(), self.attempt, begins))

    def pass_on(self, progress: bytes, line: str | None, streamed: Streamed | None = None) -> None:
        """Report progress, as JSON, a line, as `pack_line` makes it, or text that is streamed.

        Raises:
            LostLease: the attempt has lost its lease, or has ended and reports progress or streams.
            FlowsError: a workflow's function streams outside of a step.
        """
        if self.lost:
            raise LostLease(self.id)
        if streamed is None:
            self._report(self, progress, line)
        else:
            self._report(self, progress, line, streamed)

    def _step(self) -> str:
        """Return the step of the run that this is a try of; empty elsewhere."""
        return ""


def current_job() -> CurrentJob:
    """Return the attempt that runs in this context.

    Raises:
        FlowsError: no job runs here, or a batch of them.
    """
    current = _current.get()
    if current is None:
        raise FlowsError("no job runs here: call current_job() inside a worker function")
    if _batch.get() is not None:
        raise FlowsError("a batch of jobs runs here: call current_jobs(), which has one for each")
    return current


def current_jobs() -> list[CurrentJob]:
    """Return the attempts that run in this context, those of a batch in the order of its jobs.

    Raises:
        FlowsError: no job runs here.
    """
    batch = _batch.get()
    return [current_job()] if batch is None else list(batch)


def set_batch(jobs: list[CurrentJob]) -> Callable[[], None]:
    """Let `current_jobs()` return the attempts of a batch in this context, and return what undoes that.

    The first of them stands for the batch inside of flows.
    """
    current, batch = _current.set(jobs[0]), _batch.set(jobs)

    def undo() -> None:
        _current.reset(current)
        _batch.reset(batch)

    return undo


#: Returns the attempt that runs in this context, or None; of a batch, one that stands for it.
get_current: Final = _current.get
#: Returns the attempts of the batch that runs in this context, or None.
get_batch: Final = _batch.get
#: Lets `current_job()` return an attempt in this context; `reset_current` undoes that by the token that it returns.
set_current: Final = _current.set
#: Lets `current_job()` return what it returned before `set_current`.
reset_current: Final = _current.reset


def outside_of_jobs() -> Context:
    """Return a copy of this context without the job and the tracer's span in it, for what outlives them."""
    context = copy_context()
    context.run(leave_span)
    context.run(set_current, None)
    context.run(_batch.set, None)
    return context
