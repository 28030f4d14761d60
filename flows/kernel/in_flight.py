"""What one worker has in flight: jobs that are ready, that run, and that have ended but are not reported."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flows.kernel.attempt import Attempt
from flows.kernel.current import CurrentJob
from flows.kernel.deadlines import GRACE, Deadlines
from flows.kernel.lanes import Lanes
from flows.kernel.unreported import Unreported
from flows.model.attempt_state import AttemptState
from flows.model.outcome import AwaitChildren, Cancel, Outcome, Release

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.kernel.attempt_runner import Runner
    from flows.kernel.progress import Progress
    from flows.store.jobs.claimed import ClaimedJob
    from flows.store.jobs.finished import FinishedAttempt
    from flows.telemetry.events import Events


class InFlight:
    """The jobs in flight; `wake` tells the worker that there is something to do.

    Args:
        queue: The worker's queue.
        runner: Makes the attempts.
        concurrency: How many run at once.
        progress: Takes what the functions report.
        events: Takes what happens.
        fan_out: Creates the children that an attempt asks for, and returns the outcome that is left.
        pack: Makes of an outcome what a turn reports.
        wake: Called whenever an attempt has ended.
    """

    def __init__(  # noqa: PLR0917 - its surroundings, given once
        self,
        queue: str,
        runner: Runner,
        concurrency: int,
        progress: Progress,
        events: Events,
        fan_out: Callable[[Attempt, AwaitChildren], Awaitable[Outcome | None]],
        pack: Callable[[ClaimedJob, Outcome], FinishedAttempt],
        wake: Callable[[], None],
    ) -> None:
        self._queue = queue
        self._runner = runner
        self._progress = progress
        self._events = events
        self._fan_out = fan_out
        self._wake = wake
        self.lanes = Lanes(concurrency, self._run)
        self._deadlines = Deadlines(runner.timeout, self._overdue, self._overrun)
        #: By job id; whose leases are renewed.
        self._held: dict[str, Attempt] = {}
        self.unreported = Unreported(pack, queue, events)
        #: How many functions run on although they were asked to stop; once closed, also how many jobs stay unreported.
        self.left_behind = 0

    @property
    def busy(self) -> bool:
        """Whether anything is ready or runs that is still waited for."""
        return bool(self.lanes.ready) or any(
            attempt.state is not AttemptState.ABANDONED for attempt in self.lanes.running
        )

    @property
    def isolated(self) -> bool:
        """Whether a job is in flight beside which nothing may run."""
        lanes = self.lanes
        return any(attempt.claimed.isolated for attempt in (*lanes.running, *lanes.ready))

    def accept(self, claimed: list[ClaimedJob]) -> None:
        """Run what was claimed."""
        attempts: list[Attempt] = []
        for job in claimed:
            older = self._held.get(job.id)
            if older is not None:
                self._lose(older)  # its lease has ended before anyone said so
            current = CurrentJob(job.id, self._queue, job.attempt, job.fence, job.visit, self._progress.take)
            self._held[job.id] = attempt = Attempt(job, current)
            attempts.append(attempt)
        self.lanes.offer(attempts)

    def leases(self) -> list[tuple[str, int]]:
        """Return the (id, fence) of each job whose lease is to be kept; called from the renewer's thread."""
        return [
            (attempt.claimed.id, attempt.claimed.fence)
            for attempt in list(self._held.values())
            if not self._deadlines.has_hung(attempt)
        ]

    def lease_answered(self, job_id: str, fence: int, word: str) -> None:
        """Act on a lease that is lost, or on a job that shall be cancelled."""
        attempt = self._held.get(job_id)
        # Where it has ended, its turn is under way or comes next, and that turn's own answer counts.
        if attempt is None or attempt.claimed.fence != fence or not attempt.is_open:
            return
        if word != "cancel":
            self._events.emit("job.lost", queue=self._queue, job_id=job_id, word=word)
            self._lose(attempt)
        elif attempt.state is AttemptState.READY:
            self.lanes.ready.remove(attempt)
            self._end(attempt, Cancel())
        elif attempt.state is AttemptState.RUNNING:  # the word comes with every renewal, and counts once
            attempt.stop(Cancel())

    def release_ready(self) -> None:
        """Release what has not begun."""
        for attempt in self.lanes.take_back():
            self._end(attempt, Release())

    def release_running(self) -> None:
        """Stop what runs: those jobs are released as soon as their functions end, or after a grace without them."""
        asked = tuple(
            attempt
            for attempt in self.lanes.running
            if attempt.state is not AttemptState.ABANDONED and not isinstance(attempt.stop_as, Release)
        )
        for attempt in asked:
            attempt.stop(Release())
        if asked:
            asyncio.get_running_loop().call_later(GRACE, self._abandon, asked)

    def reported(self, finished: list[FinishedAttempt]) -> None:
        """Hold these jobs no longer, unless they were claimed anew meanwhile."""
        for one in finished:
            held = self._held.get(one.claimed.id)
            if held is not None and held.claimed is one.claimed:
                del self._held[one.claimed.id]
                held.report()

    def lose_strays(self) -> None:
        """Hold no job that neither runs nor is ready nor is to be reported: its lease runs out and it runs again."""
        for attempt in tuple(self._held.values()):
            in_lanes = attempt in self.lanes.running or attempt in self.lanes.ready
            if not in_lanes and attempt.claimed not in self.unreported:
                self._lose(attempt)

    async def close(self) -> None:
        """End the lanes; the leases of what was neither reported nor released by now run out."""
        self._deadlines.close()
        for attempt in tuple(self._held.values()):
            self.left_behind += attempt.state is not AttemptState.ABANDONED
            self._lose(attempt)
        await self.lanes.close(GRACE)

    async def _run(self, attempt: Attempt) -> None:
        """Run one attempt in a lane and keep its outcome for the next turn."""
        attempt.run()
        self._deadlines.begin(attempt)
        outcome = await self._runner.run(attempt)
        self._deadlines.end(attempt)
        if isinstance(outcome, AwaitChildren) and attempt.counts:
            outcome = await self._fan_out(attempt, outcome)
        if attempt.state is AttemptState.ABANDONED:
            self.left_behind -= 1
            self._wake()
        else:
            self._end(attempt, outcome if attempt.counts else attempt.stop_as)

    def _end(self, attempt: Attempt, outcome: Outcome | None) -> None:
        """Let an attempt end with an outcome, or without one where nothing may be written."""
        if outcome is not None and self.unreported.add(attempt.claimed, outcome):
            attempt.end()
        else:
            self._forget(attempt)
            attempt.end_unwritten()
        self._wake()

    def _lose(self, attempt: Attempt) -> None:
        """Stop what is lost, and hold it no longer."""
        self._forget(attempt)
        if attempt.state is AttemptState.READY and attempt in self.lanes.ready:
            self.lanes.ready.remove(attempt)
        attempt.lose()

    def _forget(self, attempt: Attempt) -> None:
        if self._held.get(attempt.claimed.id) is attempt:
            del self._held[attempt.claimed.id]

    def _overdue(self, attempt: Attempt) -> None:
        self._events.emit("job.timed_out", queue=self._queue, job_id=attempt.claimed.id)
        attempt.stop(self._runner.timed_out(attempt), final=True)

    def _overrun(self, attempt: Attempt) -> None:
        """Report an attempt whose function does not stop: its lane is taken until it returns."""
        self._abandon((attempt,))

    def _abandon(self, attempts: tuple[Attempt, ...]) -> None:
        for attempt in attempts:
            if attempt not in self.lanes.running or attempt.state is AttemptState.ABANDONED:
                continue
            self.left_behind += 1
            self._events.emit("job.overruns", queue=self._queue, job_id=attempt.claimed.id)
            attempt.abandon()
            if attempt.stop_as is None or not self.unreported.add(attempt.claimed, attempt.stop_as):
                self._forget(attempt)
            self._wake()
