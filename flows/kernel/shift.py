"""One incarnation of a worker: from start to stop it takes turns, runs what they bring, and reports how it ended.

One turn is under way at a time. It takes along all that has ended since the last one and brings the next jobs, so
the batches grow with the load by themselves, and an idle worker answers at once.
"""

from __future__ import annotations

import asyncio
import os
import traceback
from typing import TYPE_CHECKING, Final, Protocol

from flows.errors import KeyConflict, StoreError, StoreFull, StoreUnavailable
from flows.kernel.attempt import Running
from flows.kernel.current import CurrentJob
from flows.kernel.lanes import Lanes
from flows.kernel.notes import Notes
from flows.kernel.pace import Pace
from flows.model.job import JobError
from flows.model.outcome import AwaitChildren, Cancel, Fail, Outcome, Release, Snooze
from flows.store.turns import first_batch, fits_one_script

if TYPE_CHECKING:
    from flows.kernel.runtime import Runtime
    from flows.store.turns import Claimed, Turn

#: While the server is full or away, a worker looks again after so many seconds.
_PAUSE: Final = 1.0
#: Jobs that were claimed ahead and did not begin within so many seconds are handed back.
_SITTING: Final = 0.5


class Runner(Protocol):
    """Makes attempts: of a worker function, or of a parent queue."""

    @property
    def fields(self) -> list[str]:
        """The fields of the hash that a claim has to bring."""
        ...

    async def run(self, running: Running) -> Outcome | None:
        """Make one attempt; never raises."""
        ...


class Shift:
    """The work of one incarnation; what an earlier one still tries to write is a stranger's."""

    def __init__(self, runtime: Runtime, queue: str, runner: Runner, concurrency: int) -> None:
        self.queue = queue
        self.incarnation = os.urandom(8).hex()
        self._runtime = runtime
        self._runner = runner
        self._turns = runtime.turns(queue, self.incarnation, runner.fields)
        self._lanes = Lanes(concurrency, self._attempt)
        self._pace = Pace(concurrency)
        self._notes = Notes(runtime, queue, self.incarnation)
        self._kick = asyncio.Event()
        self._stopping = False
        self._held: dict[str, Running] = {}
        self._ended: list[tuple[Claimed, Outcome]] = []

    async def work(self) -> None:
        """Take turns until told to end, then finish what is in hand."""
        try:
            while not self._stopping:
                try:
                    await self._one_turn()
                except Exception as error:  # noqa: BLE001 - a fault of ours must not leave the queue without a worker
                    trace = "".join(traceback.format_exception(error))
                    self._runtime.events.emit("worker.crashed", queue=self.queue, error=trace)
                    self._let_go()
                    await self._wait(_PAUSE)
            self._give_back_ready()
            while self._lanes.busy or self._ended:
                self._kick.clear()
                if self._ended:
                    await self._report()
                else:
                    await self._kick.wait()
        finally:
            await self._lanes.close()
            self._held.clear()

    def end(self) -> None:
        """Take no more jobs."""
        self._stopping = True
        self._kick.set()

    def hand_back(self) -> None:
        """Cancel what still runs; those jobs go back at once, without using up an attempt."""
        for job in tuple(self._lanes.running):
            job.stop(Release())

    def held(self) -> list[tuple[str, int]]:
        """The (id, fence) of each job whose lease it holds."""
        return [(job.claimed.id, job.claimed.fence) for job in list(self._held.values())]

    def lease_answered(self, job_id: str, fence: int, word: str) -> None:
        """Act on a lease that is lost, or on a job that shall be cancelled."""
        job = self._held.get(job_id)
        if job is None or job.claimed.fence != fence:
            return
        running, ready = job in self._lanes.running, job in self._lanes.ready
        if not (running or ready):
            # It has ended, and its turn is under way: that turn's own answer counts.
            return
        if word == "cancel" and running:
            job.stop(Cancel())
            return
        if ready:
            self._lanes.ready.remove(job)
        if word == "cancel":
            self._ended.append((job.claimed, Cancel()))
            self._kick.set()
            return
        self._runtime.events.emit("job.lost", queue=self.queue, job_id=job_id, word=word)
        del self._held[job_id]
        if running:
            job.stop(None)

    async def _one_turn(self) -> None:
        self._kick.clear()
        want = self._want()
        if not want and not self._ended:
            await self._wait(None)
            return
        ended = self._next_ended()
        await self._write_notes()
        turn: Turn | None
        try:
            turn = await self._turns.turn(ended, want, busy=self._lanes.busy)
        except StoreUnavailable as error:
            turn = await self._repeat(error)
            if turn is None:
                self._ended = ended + self._ended
                return
        except StoreError as error:
            # Refused before anything was written: what has ended can still be reported without claiming.
            name = "store.full" if isinstance(error, StoreFull) else "store.refused"
            self._runtime.events.emit(name, queue=self.queue, error=str(error))
            self._ended = ended + self._ended
            await self._report()
            await self._wait(_PAUSE)
            return
        self._recorded(ended, turn.words)
        if turn.expired or turn.malformed:
            self._tell_dropped(turn)
        self._pace.ended(len(ended))
        if turn.claimed:
            self._accept(turn.claimed)
        elif turn.left and self._lanes.busy:
            # The next job is to run alone: listening would only ring this worker again and again.
            await self._wait(None)
        elif not self._ended:
            await self._idle(turn.next_due_ms)

    def _tell_dropped(self, turn: Turn) -> None:
        for name, count in (("job.expired", turn.expired), ("job.malformed", turn.malformed)):
            if count:
                self._runtime.events.emit(name, queue=self.queue, count=count)

    async def _repeat(self, error: StoreError) -> Turn | None:
        """Send the turn again until it is answered: with the same number it is one and the same turn."""
        while not self._stopping:
            self._runtime.events.emit("store.unavailable", queue=self.queue, error=str(error))
            await self._wait(_PAUSE)
            try:
                return await self._turns.repeat()
            except StoreUnavailable as again:
                error = again
        return None

    async def _report(self) -> None:
        """Report what has ended, and claim nothing."""
        ended = self._next_ended()
        if not ended:
            return
        await self._write_notes()
        try:
            self._recorded(ended, await self._turns.settle(ended))
        except StoreError as error:
            # The leases run out and the jobs are run again elsewhere: at least once is what is promised.
            self._forget(ended)
            self._runtime.events.emit("store.unavailable", queue=self.queue, error=str(error))

    async def _write_notes(self) -> None:
        """Write what functions told; that it cannot be written is no reason not to report them."""
        try:
            await self._notes.write()
        except StoreError as error:
            self._runtime.events.emit("store.unavailable", queue=self.queue, error=f"notes were lost: {error}")

    def _want(self) -> int:
        """How many jobs to claim now: what the lanes will begin soon, and nothing beside a job that runs alone."""
        if any(job.claimed.alone for job in self._lanes.running) or any(job.claimed.alone for job in self._lanes.ready):
            return 0
        return self._pace.room(len(self._lanes.running), len(self._lanes.ready))

    def _accept(self, claimed: list[Claimed]) -> None:
        self._runtime.events.emit("job.claimed", queue=self.queue, count=len(claimed))
        jobs = [
            Running(job, CurrentJob(job.id, self.queue, job.attempt, job.fence, job.visit, self._notes.take))
            for job in claimed
        ]
        for job in jobs:
            self._held[job.claimed.id] = job
        self._lanes.offer(jobs)

    async def _attempt(self, job: Running) -> None:
        """Run one job in a lane and keep its outcome for the next turn."""
        outcome = await self._runner.run(job)
        if isinstance(outcome, AwaitChildren) and job.claimed.correlation_id is not None:
            for child in outcome.children:
                child.fields["_correlation_id"] = job.claimed.correlation_id
        if isinstance(outcome, AwaitChildren) and not fits_one_script(outcome.children):
            outcome = await self._create_children(job, outcome)
        if outcome is not None:
            self._ended.append((job.claimed, outcome))
        else:
            self._held.pop(job.claimed.id, None)
        self._kick.set()

    async def _create_children(self, job: Running, outcome: AwaitChildren) -> Outcome | None:
        try:
            if await self._turns.create_children(job.claimed, outcome.children) != "ok":
                return None
        except asyncio.CancelledError:
            return job.stop_as
        except KeyConflict as error:
            claimed = job.claimed
            conflict = JobError(type="KeyConflict", message=str(error), queue=self.queue, attempt=claimed.attempt)
            return Fail(conflict)
        except StoreError as error:
            # That is not the job's fault: after a pause, the next attempt goes on where this one stopped.
            self._runtime.events.emit("store.unavailable", queue=self.queue, error=str(error))
            return Snooze(int(_PAUSE * 1000))
        return AwaitChildren([], outcome.next_queue, outcome.fields, outcome.on_child_failure)

    def _recorded(self, ended: list[tuple[Claimed, Outcome]], words: list[str]) -> None:
        self._forget(ended)
        for (claimed, _outcome), word in zip(ended, words, strict=True):
            if word not in {"ok", "cancelled"}:
                self._runtime.events.emit("job.lost", queue=self.queue, job_id=claimed.id, word=word)
        self._runtime.tell_outcomes(self.queue, ended, words)

    def _let_go(self) -> None:
        """Hold no job that neither runs nor is ready nor has ended: its lease runs out and it is run again."""
        ended = [claimed for claimed, _outcome in self._ended]
        for job in tuple(self._held.values()):
            if not (job in self._lanes.running or job in self._lanes.ready or job.claimed in ended):
                del self._held[job.claimed.id]

    def _next_ended(self) -> list[tuple[Claimed, Outcome]]:
        """Take as many ended attempts as one script takes; the others wait for the next turn."""
        number = first_batch(self._ended)
        ended, self._ended = self._ended[:number], self._ended[number:]
        return ended

    def _forget(self, ended: list[tuple[Claimed, Outcome]]) -> None:
        """Hold these jobs no longer, unless they were claimed anew meanwhile."""
        for claimed, _outcome in ended:
            held = self._held.get(claimed.id)
            if held is not None and held.claimed is claimed:
                del self._held[claimed.id]

    async def _idle(self, next_due_ms: int) -> None:
        """Wait for a ring, for the next due time, or for an attempt to end."""
        bell = self._runtime.doorbell
        bell.listen(self.queue, self._kick.set)
        try:
            await self._wait(next_due_ms / 1000 if next_due_ms else None)
        finally:
            bell.forget(self.queue, self._kick.set)

    async def _wait(self, seconds: float | None) -> None:
        """Wait until kicked; jobs that were claimed ahead and do not begin meanwhile are handed back."""
        while True:
            begun = self._lanes.started
            limit = _SITTING if self._lanes.ready else seconds
            try:
                async with asyncio.timeout(limit):
                    await self._kick.wait()
            except TimeoutError:
                if self._lanes.ready and self._lanes.started == begun and self._lanes.running:
                    self._give_back_ready()
                    return
                if limit == seconds:
                    return
            else:
                return

    def _give_back_ready(self) -> None:
        self._ended += [(job.claimed, Release()) for job in self._lanes.take_back()]
        self._pace.slow()
