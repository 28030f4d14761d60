"""What one worker has in flight: jobs that are ready, that run, and that have ended but are not reported."""

from __future__ import annotations

import asyncio
from traceback import format_exception
from typing import TYPE_CHECKING, Protocol

from flows.kernel.attempt import Attempt
from flows.kernel.current import CurrentJob
from flows.kernel.deadlines import GRACE, Deadlines
from flows.kernel.lanes import Lanes
from flows.model.outcome import AwaitChildren, Cancel, Outcome, Release
from flows.store.finished import first_batch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.kernel.notes import Notes
    from flows.store.claimed import ClaimedJob
    from flows.store.finished import FinishedAttempt
    from flows.telemetry.events import Events


class Runner(Protocol):
    """Makes attempts: of a worker function, or of a parent queue."""

    timeout: float | None

    @property
    def fields(self) -> list[str]:
        """The fields of the hash that a claim has to bring."""
        ...

    async def run(self, attempt: Attempt) -> Outcome | None:
        """Make one attempt; never raises."""
        ...

    def timed_out(self, attempt: Attempt) -> Outcome:
        """How an attempt ends that ran for too long."""
        ...


class InFlight:
    """The jobs in flight; `wake` tells the worker that there is something to do.

    Args:
        queue: The worker's queue.
        runner: Makes the attempts.
        concurrency: How many run at once.
        notes: Takes what the functions tell.
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
        notes: Notes,
        events: Events,
        fan_out: Callable[[Attempt, AwaitChildren], Awaitable[Outcome | None]],
        pack: Callable[[ClaimedJob, Outcome], FinishedAttempt],
        wake: Callable[[], None],
    ) -> None:
        self._queue = queue
        self._runner = runner
        self._notes = notes
        self._events = events
        self._fan_out = fan_out
        self._pack = pack
        self._wake = wake
        self.lanes = Lanes(concurrency, self._attempt)
        self._deadlines = Deadlines(runner.timeout, self._overdue, self._overrun)
        #: By job id; whose leases are renewed.
        self._held: dict[str, Attempt] = {}
        self._ended: list[FinishedAttempt] = []
        #: How many functions run on after they were told to end; once closed, also how many jobs were not reported.
        self.left_behind = 0

    @property
    def ended(self) -> int:
        """How many attempts are to be reported."""
        return len(self._ended)

    @property
    def busy(self) -> bool:
        """Whether anything is ready or runs that is still waited for."""
        return bool(self.lanes.ready) or any(not job.reported for job in self.lanes.running)

    @property
    def alone(self) -> bool:
        """Whether a job is in flight beside which nothing may run."""
        lanes = self.lanes
        return any(job.claimed.alone for job in lanes.running) or any(job.claimed.alone for job in lanes.ready)

    def accept(self, claimed: list[ClaimedJob]) -> None:
        """Run what was claimed."""
        jobs: list[Attempt] = []
        for one in claimed:
            older = self._held.get(one.id)
            if older is not None:
                self._drop(older)  # its lease has ended before anyone told
            current = CurrentJob(one.id, self._queue, one.attempt, one.fence, one.visit, self._notes.take)
            self._held[one.id] = job = Attempt(one, current)
            jobs.append(job)
        self.lanes.offer(jobs)

    def leases(self) -> list[tuple[str, int]]:
        """Return the (id, fence) of each job whose lease is to be kept; called from the renewer's thread."""
        return [
            (job.claimed.id, job.claimed.fence) for job in list(self._held.values()) if not self._deadlines.let_go(job)
        ]

    def lease_answered(self, job_id: str, fence: int, word: str) -> None:
        """Act on a lease that is lost, or on a job that shall be cancelled."""
        job = self._held.get(job_id)
        if job is None or job.claimed.fence != fence or job.reported:
            return
        running, ready = job in self.lanes.running, job in self.lanes.ready
        if not (running or ready):
            return  # it has ended, and its turn is under way: that turn's own answer counts
        if word != "cancel":
            self._events.emit("job.lost", queue=self._queue, job_id=job_id, word=word)
            self._drop(job)
        elif running:
            if not job.current.cancelled:  # the word comes with every renewal, and telling twice disturbs its end
                job.stop(Cancel())
        else:
            self.lanes.ready.remove(job)
            self._end(job, Cancel())

    def hand_back(self) -> None:
        """Tell what still runs to end; those jobs go back at once, without using up an attempt."""
        told = tuple(job for job in self.lanes.running if not (job.reported or isinstance(job.stop_as, Release)))
        for job in told:
            job.stop(Release())
        if told:
            asyncio.get_running_loop().call_later(GRACE, self._leave_behind, told)

    def give_back_ready(self) -> None:
        """Hand back what has not begun."""
        for job in self.lanes.take_back():
            self._end(job, Release())

    def next_ended(self) -> list[FinishedAttempt]:
        """Take as many ended attempts as one script takes; the others wait for the next turn."""
        number = first_batch(self._ended)
        ended, self._ended = self._ended[:number], self._ended[number:]
        return ended

    def not_reported(self, ended: list[FinishedAttempt]) -> None:
        """Take these back: they are to be reported again."""
        self._ended = ended + self._ended

    def forget(self, ended: list[FinishedAttempt]) -> None:
        """Hold these jobs no longer, unless they were claimed anew meanwhile."""
        for attempt in ended:
            claimed = attempt.claimed
            held = self._held.get(claimed.id)
            if held is not None and held.claimed is claimed:
                del self._held[claimed.id]

    def let_go(self) -> None:
        """Hold no job that neither runs nor is ready nor has ended: its lease runs out and it is run again."""
        ended = [attempt.claimed for attempt in self._ended]
        for job in tuple(self._held.values()):
            if not (job in self.lanes.running or job in self.lanes.ready or job.claimed in ended):
                del self._held[job.claimed.id]

    async def close(self) -> None:
        """End the lanes; the leases of what was neither reported nor handed back by now run out."""
        self._deadlines.close()
        for job in tuple(self._held.values()):
            self.left_behind += not job.reported
            self._drop(job)
        await self.lanes.close(GRACE)

    async def _attempt(self, job: Attempt) -> None:
        """Run one job in a lane and keep its outcome for the next turn."""
        self._deadlines.begin(job)
        outcome = await self._runner.run(job)
        self._deadlines.end(job)
        if isinstance(outcome, AwaitChildren) and not job.decided:
            outcome = await self._fan_out(job, outcome)
        if job.reported:
            self.left_behind -= 1
            self._wake()
        else:
            self._end(job, job.stop_as if job.decided else outcome)

    def _end(self, job: Attempt, outcome: Outcome | None) -> None:
        if outcome is not None:
            try:
                self._ended.append(self._pack(job.claimed, outcome))
            except Exception as error:  # noqa: BLE001 - a fault of ours: the lease runs out, and the job is run again
                self._events.emit("worker.crashed", queue=self._queue, error="".join(format_exception(error)))
                outcome = None
        if outcome is None and self._held.get(job.claimed.id) is job:
            del self._held[job.claimed.id]
        self._wake()

    def _drop(self, job: Attempt) -> None:
        """The lease of this job is lost."""
        if self._held.get(job.claimed.id) is job:
            del self._held[job.claimed.id]
        if job in self.lanes.ready:
            self.lanes.ready.remove(job)
        job.stop(None)

    def _overdue(self, job: Attempt) -> None:
        self._events.emit("job.timed_out", queue=self._queue, job_id=job.claimed.id)
        job.stop(self._runner.timed_out(job), decided=True)

    def _overrun(self, job: Attempt) -> None:
        """The function does not end: its job goes on without it, and its lane is taken until it returns."""
        self._leave_behind((job,))

    def _leave_behind(self, jobs: tuple[Attempt, ...]) -> None:
        for job in jobs:
            if job in self.lanes.running and not job.reported:
                job.reported = job.decided = job.current.lost = True
                self.left_behind += 1
                self._events.emit("job.overruns", queue=self._queue, job_id=job.claimed.id)
                self._end(job, job.stop_as)
