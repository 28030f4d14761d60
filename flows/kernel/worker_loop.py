"""The loop of one worker: takes turns from start to stop, which report ended attempts and bring the next jobs.

One turn is under way at a time. It reports all that has ended since the last one and brings the next jobs, so the
batches grow with the load by themselves, and an idle worker answers at once. The answer of a turn is applied when the
next one has been sent, so that the server works meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from flows.kernel.in_flight import InFlight
from flows.kernel.limits.before_end import BeforeEnd
from flows.kernel.prefetch import Prefetch
from flows.kernel.progress import Progress
from flows.kernel.turn_sender import TurnSender
from flows.kernel.unable import Rest
from flows.store.jobs.turns import NO_TURN, new_worker_id
from flows.telemetry.events import described
from flows.telemetry.failpoints import failpoint

if TYPE_CHECKING:
    from flows.kernel.attempt_runner import Runner
    from flows.kernel.limits.process_slots import ProcessSlots
    from flows.kernel.runtime import Runtime
    from flows.store.jobs.finished import FinishedAttempt

#: Jobs that were claimed ahead and have not started within so many seconds are released.
_SITTING: Final = 0.5


class WorkerLoop:
    """The work of a worker from start to stop, under an id of its own: the store refuses writes of earlier ones."""

    def __init__(
        self, runtime: Runtime, queue: str, runner: Runner, concurrency: int, slots: ProcessSlots | None = None
    ) -> None:
        self.queue, self.concurrency = queue, concurrency
        self.worker_id = runner.worker_id = new_worker_id()
        self._runtime = runtime
        session = runtime.session
        self._wakeups = session.wakeups
        self._turns = session.turns(queue, self.worker_id, runner.fields)
        self._prefetch = Prefetch(concurrency, ahead=self._turns.may_prefetch)
        self._tally = session.heartbeat.tally(queue)
        self._progress = Progress(session, runtime.events, queue, self.worker_id)
        self._woken = asyncio.Event()
        self.stopping = asyncio.Event()
        #: What the last turn has reported, and its answer, until that is applied.
        self._reported: list[FinishedAttempt] = []
        self._answer = NO_TURN
        #: The answer that is just being applied: events are emitted meanwhile, and listeners may block.
        self._applied = NO_TURN
        #: A fault of flows itself that was not emitted yet.
        self._fault: Exception | None = None
        self._rest = Rest(queue, runtime.events)
        #: Which it shares with other workers of this process, and how many jobs it asks for just now.
        self._slots, self._asking = slots, 0
        self._in_flight = InFlight(
            queue,
            runner,
            concurrency,
            self._progress,
            runtime.events,
            self._rest,
            BeforeEnd(session, self._turns, runtime.events).run,
            self._turns.finished,
            self._woken.set,
            self._tally,
        )
        self._sender = TurnSender(runtime, self._turns, self._in_flight, self._progress, self.stopping)

    async def run(self) -> None:
        """Take turns until `stop` is called, then finish what is in flight."""
        if self._slots is not None:
            self._slots.add(self)
        try:
            await self._sender.begin()
            while not self.stopping.is_set():
                try:
                    await self._one_turn()
                except Exception as error:  # noqa: BLE001 - a fault of ours must not leave the queue without a worker
                    self._fault = error
                if self._emit_fault():
                    await self._sender.pause()
            self._try_apply_answer()
            if self._turns.early:
                await self._take_early()
            self._emit_fault()
            self._release_ready()
            while self._in_flight.busy or self._in_flight.unreported:
                self._woken.clear()
                if self._in_flight.unreported:
                    await self._sender.report()
                else:
                    await self._woken.wait()
            await self._progress.try_write()
            await self._sender.leave()
        finally:
            await self._in_flight.close()
            self._progress.close()
            if self._slots is not None:
                self._slots.remove(self)

    def stop(self) -> None:
        """Stop claiming; `run` returns when what is in flight has ended."""
        self.stopping.set()
        self._woken.set()

    @property
    def runs_here(self) -> bool:
        """Whether whoever asks runs in one of its attempts."""
        return self._in_flight.runs_here

    def release_running(self) -> None:
        """Cancel functions that still run and release their jobs at once, without using up an attempt."""
        self._in_flight.release_running()

    @property
    def running(self) -> int:
        """How many functions run that were not given up."""
        return self._in_flight.running

    @property
    def left(self) -> int:
        """How many attempts could not be reported, and how many functions still run though they were asked to stop."""
        return self._sender.unreported + self._in_flight.left_behind

    @property
    def released(self) -> int:
        """How many jobs were handed back since `stop`."""
        return self._sender.released

    @property
    def idle(self) -> bool:
        """Whether everything that it has claimed has ended and is reported, and its events are told."""
        return not (self._in_flight.busy or self._in_flight.unreported or self._reported or self._answer.jobs)

    def under_way(self) -> int:
        """Return the number of the turn whose answer was not read yet; 0: there is none."""
        return self._turns.under_way

    def held(self) -> list[tuple[str, int]]:
        """Return the (id, fence) of each job whose lease this worker loop holds, those to be taken up included."""
        coming = [*self._answer.leases, *self._applied.leases]  # first, since they go from there to those in flight
        return list(dict.fromkeys([*coming, *self._in_flight.leases()]))

    def running_since(self) -> list[tuple[str, float]]:
        """Return the id of each job that runs, and since when by the monotonic clock."""
        return self._in_flight.running_since()

    def lease_answered(self, job_id: str, fence: int, word: str) -> None:
        """Stop the attempt whose lease is lost, or cancel the one whose job shall be cancelled."""
        self._in_flight.lease_answered(job_id, fence, word)

    async def _one_turn(self) -> None:
        self._woken.clear()
        if not self._in_flight.unreported:
            self._apply_answer()
        if self._slots is not None:
            self._slots.freed(self)  # what has ended since the last turn
        rest = self._rest.left
        want = 0 if rest else self._want()
        early = self._turns.early
        if not want and not early and not self._in_flight.unreported:
            await self._wait(rest or None)
            return
        finished = [] if early else self._in_flight.unreported.take(self._turns.most)
        busy = self._in_flight.lanes.busy or bool(self._answer.jobs)
        asyncio.get_running_loop().call_soon(self._try_apply_answer)
        self._tally.asked = time.monotonic()
        turn = await self._sender.send(finished, want, busy=busy)
        self._asking = 0
        if turn is None:
            return
        self._prefetch.ended(len(finished))
        self._reported, self._answer = finished, turn
        if self._slots is not None:
            self._slots.freed(self)  # what was asked for and did not come
        if self._fault or (turn.jobs and (turn.left or len(turn.jobs) >= min(want, self._turns.most))):
            return
        # The queue is empty: the jobs that came start at once, and their end or a wake-up starts the next turn.
        self._apply_answer()
        if turn.claimed and not turn.claimed[-1].start_at:
            await asyncio.sleep(0)  # a function that never suspends has ended then, and to listen costs commands
        if turn.left and self._in_flight.lanes.busy:
            await self._wait(None)  # the next job is to be isolated: listening would wake this worker again and again
        elif not self._in_flight.unreported and not self._rest.left:
            await self._idle(turn.next_due_ms)

    def _apply_answer(self) -> None:
        """Drop the attempts that the last turn has reported, and start the jobs that it has brought."""
        finished, turn = self._reported, self._answer
        self._applied = turn
        self._reported, self._answer = [], NO_TURN
        emit = self._runtime.events.emit
        self._sender.answered(finished, turn.words)
        for name, count in (("job.expired", turn.expired), ("job.malformed", turn.malformed)):
            if count:
                emit(name, queue=self.queue, count=count)
        if turn.claimed:
            failpoint("after-claim-reply")
            emit("job.claimed", queue=self.queue, count=len(turn.claimed))
            self._in_flight.accept(turn.claimed)
        self._applied = NO_TURN

    def _try_apply_answer(self) -> None:
        """Apply the last answer, and keep an exception: it is emitted when the turn under way was answered."""
        try:
            self._apply_answer()
        except Exception as error:  # noqa: BLE001 - whatever it is
            self._fault = error

    def _emit_fault(self) -> bool:
        """Emit the fault that was kept, drop the jobs that it has stranded, and return whether there was one."""
        error, self._fault = self._fault, None
        if error is None:
            return False
        self._runtime.events.emit("worker.crashed", queue=self.queue, **described(error))
        self._in_flight.lose_strays()
        return True

    def _want(self) -> int:
        """Return how many jobs to claim now: what the lanes will start soon, and nothing beside an isolated job."""
        lanes, coming = self._in_flight.lanes, self._answer
        if self._in_flight.isolated or coming.isolated:
            return 0
        room = self._prefetch.room(len(lanes.running), len(lanes.ready) + len(coming.jobs))
        room = min(room, 1) if self._rest.seconds else room  # after a rest one job is enough for a try
        if self._slots is not None and not self._turns.early:
            room = self._asking = self._slots.room(self, room)
        return room

    @property
    def slots_taken(self) -> int:
        """How many jobs it has in flight, with those that it has just asked for."""
        lanes = self._in_flight.lanes
        return len(lanes.running) + len(lanes.ready) + len(self._answer.jobs) + self._asking

    def wake(self) -> None:
        """Look again whether there is something to claim."""
        self._woken.set()

    async def _idle(self, next_due_ms: int) -> None:
        """Wait for a wake-up, for the next due time, or for an attempt to end."""
        self._wakeups.listen(self.queue, self._claim_early)
        try:
            await self._wait(next_due_ms / 1000 if next_due_ms else None)
        finally:
            self._wakeups.forget(self.queue, self._claim_early)

    def _claim_early(self) -> None:
        """Send the next turn as soon as a wake-up is read; this worker's task takes its answer when it runs."""
        try:
            lanes = self._in_flight.lanes
            if not (self.stopping.is_set() or self._turns.early or self._in_flight.unreported or self._rest.left):
                want = self._want()
                if want:
                    failpoint("before-turn-send")
                    self._turns.send_early(want, busy=lanes.busy)
                elif self._slots is not None:
                    self._wakeups.pass_on(self.queue)  # another process may have room
        except Exception as error:  # noqa: BLE001 - it is called by what reads the connection, which must go on
            self._fault = error
        self._woken.set()

    async def _take_early(self) -> None:
        """Take up what a turn has claimed that was sent just before this worker was to stop."""
        turn = await self._sender.send([], 0, busy=False)
        if turn is not None:
            self._reported, self._answer = [], turn
            self._try_apply_answer()

    async def _wait(self, seconds: float | None) -> None:
        """Wait until woken, or so many seconds; release jobs that were claimed ahead and do not start meanwhile."""
        while True:
            lanes = self._in_flight.lanes
            started = lanes.started
            limit = _SITTING if lanes.ready else seconds
            if limit is None:  # mostly, and a timeout would cost as much again
                await self._woken.wait()
                return
            try:
                async with asyncio.timeout(limit):
                    await self._woken.wait()
            except TimeoutError:
                if lanes.ready and lanes.started == started and (lanes.running or limit == _SITTING):
                    self._release_ready()
                    return
                if limit == seconds:
                    return
            else:
                return

    def _release_ready(self) -> None:
        self._in_flight.release_ready()
        self._prefetch.slow()
