"""What `current_job()` is inside of a step's function: the run's attempt, with the step's own key and deadline."""

from __future__ import annotations

from flows.kernel.current import CurrentJob


class StepJob(CurrentJob):
    """One try of a step's function; it is asked to stop, and reports, as the run's attempt.

    Args:
        attempt: The run's attempt.
        step: The step's name.
        deadline: When the step's timeout ends the try, by `time.monotonic()`; None: it has none.
    """

    __slots__ = ("attempt_job", "step")

    def __init__(self, attempt: CurrentJob, step: str, deadline: float | None) -> None:
        self.attempt_job = attempt
        self.step = step
        self.id, self.member, self.queue = attempt.id, attempt.member, attempt.queue
        self.attempt, self.fence, self.visit = attempt.attempt, attempt.fence, attempt.visit
        self.correlation_json, self.carried_json = attempt.correlation_json, attempt.carried_json
        ends = [one for one in (deadline, attempt.deadline) if one is not None]
        self.deadline = min(ends, default=None)
        self._report = _pass_on

    @property
    def cancelled(self) -> bool:  # type: ignore[override]
        """Whether the try shall end: the run was cancelled, its lease is lost, or the worker stops."""
        return self.attempt_job.cancelled

    @property
    def lost(self) -> bool:  # type: ignore[override]
        """Whether the run's lease is lost: another attempt has the run, or will."""
        return self.attempt_job.lost

    @property
    def idempotency_key(self) -> str:
        """A key that all tries of this step share, in all attempts at its run: `<run>:<step>`."""
        return f"{self.id}:{self.step}"


def _pass_on(job: CurrentJob, progress: bytes, line: str | None) -> None:
    if isinstance(job, StepJob):
        job.attempt_job.pass_on(progress, line)
