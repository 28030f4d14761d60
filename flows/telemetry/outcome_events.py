"""Emits what became of attempts, once the store has recorded them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, assert_never

from flows.model.outcome import (
    ALL_OUTCOMES,
    Advance,
    AwaitChildren,
    Cancel,
    ContinueAsNew,
    Fail,
    Finish,
    Release,
    Retry,
    Snooze,
    Suspend,
)
from flows.model.retries import Retries
from flows.telemetry.measured import Measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.flow_options import FlowOptions
    from flows.model.job import Job, JobError
    from flows.model.outcome import Outcome
    from flows.telemetry.events import Events

#: So much of an error's text stands in an event; the job has the rest.
_LONGEST_MESSAGE = 500


class Claimed(Protocol):
    """What is told of a job that was claimed."""

    id: str
    attempt: int
    rescues: int
    waited: int
    seconds: float | None


class Recorded(Protocol):
    """What is told of an attempt that the store has recorded."""

    @property
    def claimed(self) -> Claimed:
        """The job."""
        ...

    @property
    def outcome(self) -> Outcome:
        """How the attempt ended."""
        ...


def _rounded(claimed: Claimed) -> float | None:
    return None if claimed.seconds is None else round(claimed.seconds, 3)


class OutcomeEvents:
    """The events of the attempts of one flow."""

    def __init__(self, options: FlowOptions[Job, str], events: Events) -> None:
        self._events = events
        self._flow = options.name
        #: By queue, how many attempts its retries allow.
        self._most = {name: queue.retries.max_attempts for name, queue in options.walk() if queue.retries is not None}

    def emit(self, queue: str, ended: Sequence[Recorded], words: Sequence[str]) -> None:
        """Emit what became of the attempts that one turn recorded; `words` are its answers."""
        if not ended:
            return
        self._events.emit("job.recorded", queue=queue, count=len(ended))
        if self._events.attempts.wanted:
            self._measure(queue, ended, words)
        chatty = self._events.wants("job.done")
        for attempt, word in zip(ended, words, strict=True):
            # Nearly all attempts end by these two: what is not wanted of them costs one look at a class.
            if type(attempt.outcome) in _CAME_THROUGH and not chatty:
                continue
            if word == "ok":
                self._recorded(queue, attempt)
            elif word == "cancelled":
                self._events.emit("job.cancelled", queue=queue, job_id=attempt.claimed.id)
            elif word == "undoing":
                self._events.emit("job.undoing", queue=queue, job_id=attempt.claimed.id)

    def _measure(self, queue: str, ended: Sequence[Recorded], words: Sequence[str]) -> None:
        for attempt, word in zip(ended, words, strict=True):
            if word in _RECORDED:
                claimed, outcome = attempt.claimed, attempt.outcome
                row = ALL_OUTCOMES[Cancel if word == "cancelled" else type(outcome)]
                how = str(row.state) if row.ends else row.verb
                error = outcome.error.type if isinstance(outcome, Fail | Retry) else None
                measured = Measured(self._flow, queue, how, error, claimed.waited / 1000, _rounded(claimed))
                self._events.attempts.tell(measured)

    def _recorded(self, queue: str, attempt: Recorded) -> None:  # noqa: C901, PLR0911 - one per outcome
        emit, claimed, outcome = self._events.emit, attempt.claimed, attempt.outcome
        job_id = claimed.id
        match outcome:
            case Finish():
                return emit("job.done", queue=queue, job_id=job_id, attempt=claimed.attempt, seconds=_rounded(claimed))
            case Advance(to):
                return emit(
                    "job.advanced",
                    queue=queue,
                    job_id=job_id,
                    attempt=claimed.attempt,
                    seconds=_rounded(claimed),
                    next_queue=to,
                )
            case Fail(error):
                return emit("job.failed", **self._about(queue, claimed, retried=False), **_told(error))
            case Retry(delay_ms, error):
                about = self._about(queue, claimed, retried=True)
                return emit("job.retried", **about, after=delay_ms / 1000, **_told(error))
            case Snooze(delay_ms, until_ms, reason):
                when = {"after": delay_ms / 1000} if until_ms is None else {"until": until_ms / 1000}
                return emit("job.snoozed", queue=queue, job_id=job_id, **when, reason=reason)
            case AwaitChildren():
                return emit("job.fanned_out", queue=queue, job_id=job_id)
            case Cancel(reason):
                return emit("job.cancelled", queue=queue, job_id=job_id, reason=reason)
            case Release():
                return emit("job.released", queue=queue, job_id=job_id)
            case Suspend(due_ms):
                until = None if due_ms is None else due_ms / 1000
                return emit("run.suspended", queue=queue, job_id=job_id, until=until)
            case ContinueAsNew():
                return emit("run.continued", queue=queue, job_id=job_id)
        assert_never(outcome)

    def _about(self, queue: str, claimed: Claimed, *, retried: bool) -> dict[str, object]:
        """Return which job it was, and which attempt of how many; those whose worker died do not count."""
        attempt = max(1, claimed.attempt - claimed.rescues)
        most = self._most.get(queue)
        if most is None:  # a function can ask for a retry all the same, and then the default ones count
            most = Retries().max_attempts if retried or attempt > 1 else 1
        return {"queue": queue, "job_id": claimed.id, "attempt": attempt, "of": most}


#: Of these attempts something was recorded: their own outcome, or that they were cancelled.
_RECORDED = frozenset({"ok", "cancelled"})
_CAME_THROUGH = frozenset({Finish, Advance})


def _told(error: JobError) -> dict[str, str]:
    return {"error": error.type, "message": error.message[:_LONGEST_MESSAGE], "traceback": error.traceback}
