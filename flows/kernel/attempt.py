"""One attempt: a claimed job in its worker, with one state and the moves that it may make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.model.attempt_state import ATTEMPT_MOVES, AttemptState

if TYPE_CHECKING:
    import asyncio

    from flows.kernel.current import CurrentJob
    from flows.model.outcome import Outcome
    from flows.store.jobs.claimed import ClaimedJob

#: The outcome is not decided yet.
_OPEN = frozenset({AttemptState.READY, AttemptState.RUNNING, AttemptState.STOPPING})


class Attempt:
    """One attempt at a claimed job.

    Attributes:
        claimed: The job as it was claimed.
        current: What `current_job()` returns in its function.
        state: Where the attempt is; only the methods below move it.
        task: The lane in which its function runs; None where no function runs.
        stop_as: The outcome when its function stops because it was asked to; None: nothing is written.
    """

    __slots__ = ("_final", "claimed", "current", "state", "stop_as", "task")

    def __init__(self, claimed: ClaimedJob, current: CurrentJob) -> None:
        self.claimed = claimed
        self.current = current
        self.state = AttemptState.READY
        self.task: asyncio.Task[None] | None = None
        self.stop_as: Outcome | None = None
        self._final = False

    @property
    def is_open(self) -> bool:
        """Whether the attempt is ready, running or stopping."""
        return self.state in _OPEN

    @property
    def counts(self) -> bool:
        """Whether what the function returns or raises decides the outcome, and not `stop_as`."""
        return self.is_open and not self._final

    def run(self) -> None:
        """Mark the attempt as running: its function starts."""
        self._move(AttemptState.RUNNING)

    def stop(self, outcome: Outcome, *, final: bool = False) -> None:
        """Ask the function to stop; the attempt ends as `outcome` unless the function returns something else.

        Args:
            outcome: How the attempt ends when the function stops.
            final: What the function still returns does not count, and no later call changes the outcome.
        """
        if self._final or self.state not in {AttemptState.RUNNING, AttemptState.STOPPING}:
            return
        if self.state is AttemptState.RUNNING:
            self._move(AttemptState.STOPPING)
        self.stop_as, self._final = outcome, final
        self._cancel()

    def end(self) -> None:
        """Mark the attempt as ended: its outcome is known."""
        self._move(AttemptState.ENDED)

    def report(self) -> None:
        """Mark the attempt as reported: the store has answered for it; one that is abandoned or lost stays so."""
        if self.state is AttemptState.ENDED:
            self._move(AttemptState.REPORTED)

    def abandon(self) -> None:
        """Stop waiting for the function, which was asked to stop and did not."""
        self._move(AttemptState.ABANDONED)
        self.current.lost = True

    def lose(self) -> None:
        """Mark the attempt as lost and cancel its function; one that is reported or abandoned stays so."""
        if AttemptState.LOST in ATTEMPT_MOVES[self.state]:
            self.end_unwritten()
            self._cancel()

    def end_unwritten(self) -> None:
        """End the attempt without an outcome: nothing may be written of it any more."""
        if self.state is not AttemptState.LOST:
            self._move(AttemptState.LOST)
        self.stop_as = None
        self.current.lost = True

    def _cancel(self) -> None:
        self.current.cancelled = True
        if self.task is not None:
            self.task.cancel()

    def _move(self, to: AttemptState) -> None:
        """Move to another state.

        Raises:
            RuntimeError: the table has no such move, which is a fault of the kernel.
        """
        if to not in ATTEMPT_MOVES[self.state]:
            raise RuntimeError(f"an attempt cannot move from {self.state} to {to}")
        self.state = to
