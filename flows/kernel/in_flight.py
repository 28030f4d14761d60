"""Keeps the jobs that one worker has in flight: those that are ready, running, or ended but not reported."""

from __future__ import annotations

import asyncio
import time
from itertools import chain
from typing import TYPE_CHECKING, Final

from flows.errors import HostUnable, LostLease
from flows.kernel.attempt import ABANDONED, ENDED, READY, REPORTED, RUNNING, Attempt
from flows.kernel.current import CurrentJob, get_current
from flows.kernel.deadlines import GRACE, Deadlines
from flows.kernel.fleet.tally import QueueTally
from flows.kernel.lanes import Lanes
from flows.kernel.unreported import Unreported
from flows.model.outcome import AwaitChildren, Cancel, Fail, Outcome, Release, Retry, Snooze

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.kernel.attempt_runner import Runner
    from flows.kernel.progress import Progress
    from flows.kernel.unable import Rest
    from flows.store.jobs.claimed import ClaimedJob
    from flows.store.jobs.finished import FinishedAttempt
    from flows.store.streams.text_piece import Streamed
    from flows.telemetry.events import Events

_FAILURES: Final = frozenset({Fail, Retry})


class InFlight:
    """The jobs that one worker has in flight.

    Args:
        queue: The worker's queue.
        runner: Makes the attempts.
        concurrency: How many run at once.
        progress: Keeps what the functions report.
        events: Where events are emitted.
        rest: Begins when the host is unable to begin a function, and ends when one has ended.
        before_end: Creates children and holds what an outcome asks for, and returns the outcome that is left.
        pack: Turns a job and its outcome into what a turn reports.
        wake: Wakes the worker loop; called whenever an attempt has ended.
        tally: Counts how long jobs waited and ran.
    """

    def __init__(  # noqa: PLR0917 - its surroundings, given once
        self,
        queue: str,
        runner: Runner,
        concurrency: int,
        progress: Progress,
        events: Events,
        rest: Rest,
        before_end: Callable[[Attempt, AwaitChildren | Snooze], Awaitable[Outcome | None]],
        pack: Callable[[ClaimedJob, Outcome], FinishedAttempt],
        wake: Callable[[], None],
        tally: QueueTally | None = None,
    ) -> None:
        self._queue = queue
        self._tally = tally or QueueTally()
        self._runner = runner
        self._progress = progress
        self._events = events
        self._rest = rest
        self._before_end = before_end
        self._wake = wake
        self.lanes = Lanes(concurrency, self._run)
        self._deadlines = Deadlines(runner.timeout, self._overdue, self._overrun)
        self._start_clock = runner.clock(self._deadlines.watch)
        #: The attempts whose leases are renewed, by job id.
        self._held: dict[str, Attempt] = {}
        self.unreported = Unreported(pack, queue, events)
        #: How many functions still run though they were asked to stop; once closed, with the jobs that stay unreported.
        self.left_behind = 0

    @property
    def busy(self) -> bool:
        """Whether any attempt is ready or running, without those that were abandoned."""
        return bool(self.lanes.ready) or any(attempt.state is not ABANDONED for attempt in self.lanes.running)

    @property
    def running(self) -> int:
        """How many attempts run, without those that were abandoned."""
        return sum(attempt.state is not ABANDONED for attempt in self.lanes.running)

    @property
    def runs_here(self) -> bool:
        """Whether whoever asks runs in one of the attempts, or in a task or thread that one has started."""
        current = get_current()
        return current is not None and any(
            attempt.current is current
            for attempt in tuple(self.lanes.running)  # at once: a thread may ask
        )

    @property
    def isolated(self) -> bool:
        """Whether an isolated job is in flight, beside which nothing may run."""
        lanes = self.lanes
        return any(attempt.claimed.isolated for attempt in chain(lanes.running, lanes.ready))

    def accept(self, claimed: list[ClaimedJob]) -> None:
        """Start attempts for claimed jobs, as lanes become free."""
        attempts: list[Attempt] = []
        for job in claimed:
            older = self._held.get(job.id)
            if older is not None:
                self._lose(older)  # its lease has run out, and the renewer has not noticed yet
            current = CurrentJob(
                job.id, self._queue, job.attempt, job.fence, job.visit, self.report, job.correlation_id
            )
            if job.flow:
                current.member = job.member.decode()
            self._held[job.id] = attempt = Attempt(job, current)
            attempts.append(attempt)
        self.lanes.offer(attempts)

    def report(self, current: CurrentJob, progress: bytes, line: str | None, streamed: Streamed | None = None) -> None:
        """Keep what a function reports, from whatever thread; of an attempt that has ended, lines alone.

        Raises:
            LostLease: the attempt has ended and reports progress or streams, or its worker has stopped.
            FlowsError: a workflow's function streams outside of a step.
        """
        if progress or streamed is not None:
            attempt = self._held.get(current.id)
            if attempt is None or attempt.current is not current or not attempt.is_open:
                what = "its progress" if progress else "what it streams"
                raise LostLease(current.id, f"has ended: {what} counts no more")
        if streamed is None:
            self._progress.take(current, progress, line)
        else:
            self._progress.stream(current, streamed)

    def leases(self) -> list[tuple[str, int]]:
        """Return how each job whose lease is to be renewed stands in the queue, and its fence; called from a thread."""
        return [
            (attempt.claimed.member.decode(), attempt.claimed.fence)
            for attempt in list(self._held.values())
            if not self._deadlines.has_hung(attempt)
        ]

    def running_since(self) -> list[tuple[str, float]]:
        """Return the id of each job that takes a lane, and since when; called from the renewer's thread."""
        # At once, as they are now: a lane adds its attempt just before that is running.
        return [(attempt.claimed.id, attempt.started) for attempt in tuple(self.lanes.running) if attempt.started]

    def lease_answered(self, job_id: str, fence: int, word: str) -> None:
        """Stop the attempt whose lease is lost, or cancel the one whose job shall be cancelled."""
        attempt = self._held.get(job_id.rpartition(":")[2])
        # Where it has ended, its turn is under way or comes next, and that turn's own answer counts.
        if attempt is None or attempt.claimed.fence != fence or not attempt.is_open:
            return
        if word != "cancel":
            self._events.emit("job.lost", queue=self._queue, job_id=job_id, word=word)
            self._lose(attempt)
        elif attempt.state is READY:
            self.lanes.ready.remove(attempt)
            self._end(attempt, Cancel())
        elif attempt.state is RUNNING:  # the word comes with every renewal, and counts once
            attempt.stop(Cancel())

    def release_ready(self) -> None:
        """Release the jobs whose attempts have not started."""
        for attempt in self.lanes.take_ready():
            self._end(attempt, Release())

    def release_running(self) -> None:
        """Ask running functions to stop; each job is released when its function ends, or after GRACE seconds."""
        asked = tuple(
            attempt
            for attempt in self.lanes.running
            if attempt.state is not ABANDONED and not isinstance(attempt.stop_as, Release)
        )
        for attempt in asked:
            attempt.stop(Release())
        if asked:
            asyncio.get_running_loop().call_later(GRACE, self._abandon, asked)

    def reported(self, finished: list[FinishedAttempt]) -> None:
        """Drop the jobs that were reported, unless they were claimed anew meanwhile; count how long they took."""
        ran = [one.claimed for one in finished if one.claimed.seconds is not None]
        failed = len([one for one in finished if type(one.outcome) in _FAILURES])
        self._tally.count([claimed.waited for claimed in ran], [claimed.seconds or 0.0 for claimed in ran], failed)
        for one in finished:
            claimed = one.claimed
            held = self._held.get(claimed.id)
            if held is not None and held.claimed is claimed:
                del self._held[claimed.id]
                if held.state is ENDED:  # and not abandoned
                    held.move(REPORTED)

    def lose_strays(self) -> None:
        """Drop each job that is neither ready nor running nor unreported: its lease runs out, and it runs again."""
        for attempt in tuple(self._held.values()):
            in_lanes = attempt in self.lanes.running or attempt in self.lanes.ready
            if not in_lanes and attempt.claimed not in self.unreported:
                self._lose(attempt)

    async def close(self) -> None:
        """Close the lanes; jobs that are neither reported nor released by now are rescued when their leases run out."""
        self._deadlines.close()
        for attempt in tuple(self._held.values()):
            self.left_behind += attempt.state is not ABANDONED
            self._lose(attempt)
        await self.lanes.close(GRACE)

    async def _run(self, attempt: Attempt) -> None:
        """Run one attempt in a lane and keep its outcome for the next turn."""
        claimed = attempt.claimed
        attempt.move(RUNNING)
        if claimed.start_at and not await self._begins(attempt):
            return
        self._start_clock(attempt)
        attempt.started = started = time.monotonic()
        try:
            outcome = await self._runner.run(attempt)
        except HostUnable as error:
            outcome = Release()
            self._rest.begin(error)
            self.release_ready()
        else:
            if self._rest.seconds:
                self._rest.end()
            claimed.seconds = time.monotonic() - started
        if attempt.current.deadline is not None:
            self._deadlines.forget(attempt)
        if isinstance(outcome, (AwaitChildren, Snooze)) and attempt.counts:
            outcome = await self._before_end(attempt, outcome)
        if attempt.counts:
            self._end(attempt, outcome)
        elif attempt.state is not ABANDONED:
            self._end(attempt, attempt.stop_as)
        else:
            self.left_behind -= 1
            self._wake()

    async def _begins(self, attempt: Attempt) -> bool:
        """Wait until an attempt may start; return False where it has ended before that."""
        try:
            await asyncio.sleep(attempt.claimed.start_at - time.monotonic())
        except asyncio.CancelledError:
            # Its function has not begun: where nobody asked it to stop, another worker may take the job.
            self._end(attempt, attempt.stop_as if attempt.current.cancelled else Release())
            return False
        return True

    def _end(self, attempt: Attempt, outcome: Outcome | None) -> None:
        """End an attempt with its outcome; None where nothing may be written."""
        if outcome is not None and self.unreported.add(attempt.claimed, outcome):
            attempt.move(ENDED)
        else:
            self._forget(attempt)
            attempt.end_unwritten()
        self._wake()

    def _lose(self, attempt: Attempt) -> None:
        """Drop an attempt whose lease is lost, and stop its function."""
        self._forget(attempt)
        if attempt.state is READY and attempt in self.lanes.ready:
            self.lanes.ready.remove(attempt)
        attempt.lose()

    def _forget(self, attempt: Attempt) -> None:
        if self._held.get(attempt.claimed.id) is attempt:
            del self._held[attempt.claimed.id]

    def _overdue(self, attempt: Attempt) -> None:
        self._events.emit("job.timed_out", queue=self._queue, job_id=attempt.claimed.id)
        attempt.stop(self._runner.timed_out(attempt), final=True)

    def _overrun(self, attempt: Attempt) -> None:
        """Report an attempt whose function does not stop; its lane stays taken until the function returns."""
        self._abandon((attempt,))

    def _abandon(self, attempts: tuple[Attempt, ...]) -> None:
        for attempt in attempts:
            if attempt not in self.lanes.running or attempt.state is ABANDONED:
                continue
            self.left_behind += 1
            self._events.emit("job.overruns", queue=self._queue, job_id=attempt.claimed.id)
            attempt.abandon()
            if attempt.stop_as is None or not self.unreported.add(attempt.claimed, attempt.stop_as):
                self._forget(attempt)
            self._wake()
