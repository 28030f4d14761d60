"""One attempt: a claimed job in its worker, with one state and the moves that it may make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flows.model.attempt_state import ATTEMPT_MOVES, AttemptState

if TYPE_CHECKING:
    import asyncio

    from flows.kernel.current import CurrentJob
    from flows.model.outcome import Outcome
    from flows.store.jobs.claimed import ClaimedJob

# Names of this module: a member of an enum takes ten times as long to look up, and each attempt moves three times.
READY, RUNNING, STOPPING, ENDED, REPORTED, ABANDONED, LOST = AttemptState
_MOVES: Final = dict(ATTEMPT_MOVES)
#: The outcome is not decided yet.
_OPEN: Final = frozenset({READY, RUNNING, STOPPING})


class Attempt:
    """One attempt at a claimed job.

    Attributes:
        claimed: The job as it was claimed.
        current: What `current_job()` returns in its function.
        state: Where the attempt is; `move` alone changes it.
        task: The lane in which its function runs; None where no function runs.
        stop_as: The outcome when its function stops because it was asked to; None: nothing is written.
        counts: Whether what the function returns or raises decides the outcome, and not `stop_as`.
        started: When its function began, by the monotonic clock.
    """

    __slots__ = ("claimed", "counts", "current", "started", "state", "stop_as", "task")

    def __init__(self, claimed: ClaimedJob, current: CurrentJob) -> None:
        self.claimed = claimed
        self.current = current
        self.state: AttemptState = READY
        self.task: asyncio.Task[None] | None = None
        self.stop_as: Outcome | None = None
        self.counts = True
        self.started = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the attempt is ready, running or stopping."""
        return self.state in _OPEN

    def move(self, to: AttemptState) -> None:
        """Move to another state.

        Raises:
            RuntimeError: the table has no such move, which is a fault of the kernel.
        """
        if to not in _MOVES[self.state]:
            raise RuntimeError(f"an attempt cannot move from {self.state} to {to}")
        self.state = to

    def stop(self, outcome: Outcome, *, final: bool = False) -> None:
        """Ask the function to stop; the attempt ends as `outcome` unless the function returns something else.

        Args:
            outcome: How the attempt ends when the function stops.
            final: What the function still returns does not count, and no later call changes the outcome.
        """
        if not self.counts or self.state not in {RUNNING, STOPPING}:
            return
        if self.state is RUNNING:
            self.move(STOPPING)
        self.stop_as, self.counts = outcome, not final
        self._cancel()

    def abandon(self) -> None:
        """Stop waiting for the function, which was asked to stop and did not."""
        self.move(ABANDONED)
        self.counts = False

    def lose(self) -> None:
        """Mark the attempt as lost and cancel its function; one that is reported or abandoned stays so."""
        if LOST in _MOVES[self.state]:
            self.end_unwritten()
            self._cancel()

    def end_unwritten(self) -> None:
        """End the attempt without an outcome: nothing may be written of it any more."""
        if self.state is not LOST:
            self.move(LOST)
        self.stop_as, self.counts, self.current.lost = None, False, True

    def _cancel(self) -> None:
        self.current.cancelled = True
        if self.task is not None:
            self.task.cancel()
