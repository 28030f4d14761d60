"""Keeps finished attempts until a turn reports them, in the order in which they ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.store.jobs.finished import MOST_JOBS, first_batch
from flows.telemetry.events import described

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.model.outcome import Outcome
    from flows.store.jobs.claimed import ClaimedJob
    from flows.store.jobs.finished import FinishedAttempt
    from flows.telemetry.events import Events


class Unreported:
    """The finished attempts of one worker.

    Args:
        pack: Turns a job and its outcome into what a turn reports.
        queue: The worker's queue.
        events: Where faults are emitted.
    """

    def __init__(self, pack: Callable[[ClaimedJob, Outcome], FinishedAttempt], queue: str, events: Events) -> None:
        self._pack = pack
        self._queue = queue
        self._events = events
        self._finished: list[FinishedAttempt] = []

    def __len__(self) -> int:
        return len(self._finished)

    def __contains__(self, claimed: ClaimedJob) -> bool:
        return any(one.claimed is claimed for one in self._finished)

    def add(self, claimed: ClaimedJob, outcome: Outcome) -> bool:
        """Keep an outcome for the next turn, and return False where it cannot be packed."""
        try:
            self._finished.append(self._pack(claimed, outcome))
        except Exception as error:  # noqa: BLE001 - a fault of ours: the lease runs out, and the job runs again
            self._events.emit("worker.crashed", queue=self._queue, **described(error))
            return False
        return True

    def take(self, most: int = MOST_JOBS) -> list[FinishedAttempt]:
        """Remove and return as many as one script takes, `most` of them; the others wait for the next turn."""
        number = first_batch(self._finished, most)
        taken, self._finished = self._finished[:number], self._finished[number:]
        return taken

    def put_back(self, taken: list[FinishedAttempt]) -> None:
        """Put back what `take` returned, where no turn has reported it."""
        self._finished = taken + self._finished
