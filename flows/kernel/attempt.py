"""One attempt: a claimed job that is being worked on, and why it shall stop, if it shall."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from flows.kernel.current import CurrentJob
    from flows.model.outcome import Outcome
    from flows.store.claimed import ClaimedJob


class Attempt:
    """A claimed job that is being worked on, and why it shall stop, if it shall."""

    __slots__ = ("claimed", "current", "decided", "reported", "stop_as", "task")

    def __init__(self, claimed: ClaimedJob, current: CurrentJob) -> None:
        self.claimed = claimed
        self.current = current
        self.task: asyncio.Task[None] | None = None
        self.stop_as: Outcome | None = None
        #: Whether what the function still returns counts no more, and whether the end was reported without it.
        self.decided = self.reported = False

    def stop(self, outcome: Outcome | None, *, decided: bool = False) -> None:
        """End the attempt: cancel its coroutine; `outcome` is how, None where nothing may be written any more."""
        lost = outcome is None
        if self.current.lost or (self.decided and not lost):
            return
        self.current.cancelled, self.current.lost = True, lost
        self.stop_as, self.decided = outcome, decided or lost
        if self.task is not None:
            self.task.cancel()
