"""Drives the real scripts of ruled queues from the first job to the last, on a clock of its own.

Nothing sleeps: time goes to whatever is next, a job's end, an alarm, a new job, a hold, a rescue. A run in which jobs
are left and nothing is next has lost a wake-up or a job.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final, Protocol

from tests.faults.rules.plan import Load, Planned, QueuePlan
from tests.faults.rules.record import Record
from tests.faults.rules.ruled_world import Answer, Call, Claimed
from tests.faults.rules.virtual_worker import POLL, VirtualWorker, mixed
from tests.world import Argument

#: More turns than these at one time, or in all for each job, go round and round.
MOST_AT_ONCE: Final = 500
MOST_BY_JOB: Final = 60


class Worldly(Protocol):
    """Ruled queues at a time that the caller owns, on a server or in Python."""

    now: int
    queues: dict[str, QueuePlan]

    def create(self, queue: str, jobs: Sequence[tuple[str, Planned]]) -> None:
        """Create jobs that wait from now on."""

    def take_turn(self, queue: str, worker_id: str, call: Call) -> Answer:
        """Take one turn of a worker."""

    def rescue(self, queue: str) -> list[tuple[str, str]]:
        """Take back what workers have lost; a word for each id."""

    def hold(self, queue: str, how_long: int, group: str | None) -> None:
        """Let nothing of the queue or the group start for so many milliseconds."""

    def woken(self, queue: str) -> bool:
        """Take a wake-up, if there is one."""

    def in_processing(self, queue: str) -> dict[str, float]:
        """Return whose leases are held, and until when."""


class Stranded(AssertionError):
    """Jobs are left, and nothing will ever happen."""


class Simulation:
    """One random run."""

    def __init__(self, world: Worldly, load: Load) -> None:
        self.world, self.load = world, load
        self.random = Random(load.seed)  # noqa: S311 - what happens, no secret
        self.record = Record(load, world.now)
        self.workers: list[VirtualWorker] = []
        self._names = 0
        accidents = load.accidents
        self._ways: Callable[[Claimed], list[Argument]] = mixed(self.random, accidents.released, accidents.retried)
        self._coming = sorted(
            ((job.at, queue.name, number, job) for queue in load.queues for number, job in enumerate(queue.jobs)),
            key=lambda coming: coming[:3],
        )
        self._holds = sorted(load.holds, key=lambda hold: hold.at)
        self._rescue_at: int | None = None
        self._at_once = 0
        #: How many scripts were sent, and after how many of them a queue's wake-up was looked for last.
        self._calls = 0
        self._looked: dict[str, int] = {}

    def run(self) -> Record:
        """Run until all jobs have ended."""
        for queue in self.load.queues:
            for _ in range(queue.workers):
                self._add_worker(queue)
        while len(self.record.done) < self.load.jobs:
            self._happen()
            if not self._wake() and not self._act():
                self._go_on()
        return self.record

    # What happens by itself

    def _happen(self) -> None:
        now = self.world.now - self.record.begin
        while self._coming and self._coming[0][0] <= now:
            self._create()
        while self._holds and self._holds[0].at <= now:
            hold = self._holds.pop(0)
            self._calls += 1
            self.world.hold(hold.queue, hold.how_long, hold.group)
        if self._rescue_at is not None and self.world.now >= self._rescue_at:
            self._rescue()

    def _create(self) -> None:
        at, queue, *_ = self._coming[0]
        batch: list[tuple[str, Planned]] = []
        while self._coming and self._coming[0][:2] == (at, queue) and len(batch) < 200:
            job = self._coming.pop(0)[3]
            job_id = self._new_name(f"{queue}-{len(self.record.jobs):05d}")
            self.record.jobs[job_id], self.record.queue_of[job_id] = job, queue
            self.record.add(self.world.now, "waits", queue, job_id)
            batch.append((job_id, job))
        self._calls += 1
        self.world.create(queue, batch)

    def _new_name(self, job_id: str) -> str:
        return job_id

    def _rescue(self) -> None:
        self._calls += 1
        for queue in self.load.queues:
            for job_id, word in self.world.rescue(queue.name):
                assert word == "rescued", (job_id, word)
                self.record.rescued += 1
                self.record.add(self.world.now, "leaves", queue.name, job_id)
                self.record.add(self.world.now, "waits", queue.name, job_id)
        left = [until for queue in self.load.queues for until in self.world.in_processing(queue.name).values()]
        self._rescue_at = self.world.now + self.load.lease // 6 if left else None

    # What workers do

    def _wake(self) -> bool:
        """Hand a wake-up to one of those who listen."""
        for queue in self.load.queues:
            if self._looked.get(queue.name) == self._calls:
                continue  # nobody has rung since
            listening = [worker for worker in self.workers if worker.queue == queue.name and worker.listens]
            if not listening:
                continue
            if not self.world.woken(queue.name):
                self._looked[queue.name] = self._calls
            else:
                self.random.choice(listening).wake(self.world.now + self.random.randint(0, self.load.accidents.delay))
                return True
        return False

    def _act(self) -> bool:
        """Let one worker act whose time has come."""
        ready = [worker for worker in self.workers if _before(worker.next_at(), self.world.now)]
        if not ready:
            return False
        worker, lot, accidents = self.random.choice(ready), self.random.random(), self.load.accidents
        if lot < accidents.killed:
            self._kill(worker)
        elif lot < accidents.killed + accidents.stalled:
            worker.stalled_until, worker.listens = self.world.now + self.load.lease * 2, False
            self._replace(worker)
        else:
            self._turn(worker, lost=self.random.random() < accidents.lost)
        return True

    def _kill(self, worker: VirtualWorker) -> None:
        self.record.kills += 1
        self.workers.remove(worker)
        self._replace(worker)
        if worker.lost is None and self.random.random() < 0.7:
            call = worker.call(self.world.now, self._ways)  # it dies after it has sent its turn
            if call is not None:
                self._note(worker, call, self._take(worker, call))

    def _turn(self, worker: VirtualWorker, *, lost: bool) -> None:
        call = worker.call(self.world.now, self._ways)
        if call is None:
            return
        again = worker.lost is call and bool(call.ended or call.brought)  # what has done nothing is not kept
        answer = self._take(worker, call)
        self.record.turns += 1
        self._at_once += 1
        assert self._at_once < MOST_AT_ONCE, "workers go round and round at one time"
        polls = (self.world.now - self.record.begin) // POLL * len(self.workers)
        assert self.record.turns < MOST_BY_JOB * self.load.jobs + 1000 + 2 * polls, "workers go round and round"
        if again:
            self._check_again(call, answer)
        else:
            self._note(worker, call, answer)
        if lost and worker.lost is None:
            self.record.lost += 1
            worker.lost = call
            late = self.random.choice((1, 20, 300))
            worker.awake_at = self.world.now + late
            self._excuse(late + 10)
            return
        worker.answered(self.world.now, call, answer)

    def _take(self, worker: VirtualWorker, call: Call) -> Answer:
        self._calls += 1
        return self.world.take_turn(worker.queue, worker.worker_id, call)

    def _check_again(self, call: Call, answer: Answer) -> None:
        """A turn that is sent again answers the same, as long as its leases hold."""
        ids = [job.id for job in answer.claimed]
        kept = self.world.now < call.sent_at + self.load.lease
        assert ids == call.brought if kept else {*ids} <= {*call.brought}, "sent again, a turn answers another"

    def _note(self, worker: VirtualWorker, call: Call, answer: Answer) -> None:
        """Note what a turn has changed, whoever hears of it."""
        now, queue = self.world.now, worker.queue
        self.record.idle_turns += not (call.ended or answer.claimed)
        for (claimed, way), word in zip(call.ended, answer.words, strict=True):
            self._ended(queue, claimed, way, word)
        call.sent_at = now
        call.brought = [job.id for job in answer.claimed]
        for job in answer.claimed:
            assert job.start >= now
            self.record.add(now, "claims", queue, job.id)
            self.record.add(job.start, "starts", queue, job.id)

    def _ended(self, queue: str, claimed: Claimed, way: list[Argument], word: str) -> None:
        """Note how an attempt ended; of one whose lease was lost, nothing is written."""
        if word == "stale":
            return
        assert word == "ok", (claimed, word)
        now = self.world.now
        self.record.add(now, "leaves", queue, claimed.id)
        if way[0] == "finish":
            self.record.done[claimed.id] = self.record.done.get(claimed.id, 0) + 1
            self.record.add(now, "ends", queue, claimed.id)
        else:
            self.record.add(now + (int(way[4]) if way[0] == "retry" else 0), "waits", queue, claimed.id)

    def _go_on(self) -> None:
        """Let the clock go to what is next."""
        self._at_once = 0
        times = [time for worker in self.workers if (time := worker.next_at()) is not None]
        times += [self.record.begin + coming[0] for coming in self._coming[:1]]
        times += [self.record.begin + hold.at for hold in self._holds[:1]]
        times += [self._rescue_at] if self._rescue_at is not None else []
        if not times:
            raise Stranded(f"{self.load.jobs - len(self.record.done)} jobs are left, and nobody will wake")
        self.world.now = max(self.world.now + 1, min(times))

    # Who works

    def _add_worker(self, queue: QueuePlan) -> None:
        self._names += 1
        lives = self._lives
        polls = POLL * queue.workers if self.load.accidents else 0  # one of all of them, each POLL
        name = f"w{self._names}"
        self.workers.append(
            VirtualWorker(queue.name, name, queue.room, lives, self.random, polls, awake_at=self.world.now)
        )

    def _replace(self, worker: VirtualWorker) -> None:
        """Let another worker come in its place."""
        self._excuse(POLL)
        soonest = self.world.now + self.load.lease  # until which it may hold jobs that nobody reports
        self._rescue_at = min(self._rescue_at or soonest, soonest)
        self._add_worker(self.world.queues[worker.queue])

    def _excuse(self, how_long: int) -> None:
        self.record.excused.append((self.world.now, self.world.now + how_long))

    def _lives(self, job_id: str) -> int:
        return self.record.jobs[job_id].life


def _before(time: int | None, now: int) -> bool:
    return time is not None and time <= now
