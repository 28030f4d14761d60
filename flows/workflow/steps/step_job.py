"""What `current_job()` is inside of a step's function: the run's attempt, with the step's own key and deadline."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from flows.kernel.current import CurrentJob

if TYPE_CHECKING:
    from flows.store.streams.text_piece import Streamed


def _of_attempt(name: str) -> Any:
    """Return a property that is the attempt's."""
    return property(attrgetter(f"attempt_job.{name}"))


class StepJob(CurrentJob):
    """One try of a step's function; it is asked to stop, and reports, as the run's attempt.

    Args:
        attempt: The run's attempt.
        step: The step's name.
        deadline: When the step's timeout ends the try, by `time.monotonic()`; None: it has none.
    """

    __slots__ = ("attempt_job", "step")

    def __init__(self, attempt: CurrentJob, step: str, deadline: float | None = None) -> None:
        # What it shares with the attempt is read there: most steps ask for nothing of it.
        self.attempt_job = attempt
        self.step = step
        ends = attempt.deadline
        self.deadline = ends if deadline is None or (ends is not None and ends < deadline) else deadline

    id = _of_attempt("id")
    member = _of_attempt("member")
    queue = _of_attempt("queue")
    attempt = _of_attempt("attempt")
    fence = _of_attempt("fence")
    visit = _of_attempt("visit")
    correlation_json = _of_attempt("correlation_json")
    carried_json = _of_attempt("carried_json")

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

    def pass_on(self, progress: bytes, line: str | None, streamed: Streamed | None = None) -> None:
        """Report progress, as JSON, a line, or text that is streamed, as the attempt does.

        Raises:
            LostLease: the attempt has lost its lease, or has ended and reports progress or streams.
        """
        self.attempt_job.pass_on(progress, line, streamed)

    def _step(self) -> str:
        return self.step
