"""The storm of the rules: queues with everything at once, while workers die and an operator changes all that can be.

Beside what is planned, jobs are created by keys; every third storm is of queues that two flows share.

After scripts, all that the queues keep is held against the hashes (`audit.py`), and each start against the limits as
they are at that moment. In the end everything is as declared, the rest is worked off, and nothing is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Final

from flows.store.client.scripts import Argument
from tests.faults.rules.audit import Audit, Hash
from tests.faults.rules.keyed_calls import KeyedCalls, any_planned
from tests.faults.rules.live_limits import LiveLimits
from tests.faults.rules.operations import Operator
from tests.faults.rules.plan import Accidents, Limit, Load, Planned, QueuePlan
from tests.faults.rules.ruled_world import Answer, Call, Claimed, RuledWorld
from tests.faults.rules.simulation import Simulation
from tests.faults.rules.virtual_worker import VirtualWorker
from tests.world import advance, fail, finish, release, retry, snooze

#: States in which a job is still to be worked on.
OPEN: Final = frozenset({"waiting", "delayed", "processing", "children"})
#: How many scripts an operator comes between, and how often it is looked at everything.
OPERATED: Final = 300
MOST_STEPS: Final = 6_000
GROUPS: Final = ("g0", "g1", "g2", "g3")


def storm_load(seed: int, jobs: int = 60) -> Load:
    """Return two queues, one behind the other, with rules of every kind."""
    random = Random(f"storm {seed}")  # noqa: S311 - a random load, no secret
    priorities = random.choice((1, 2, 3))
    shared = random.random() < 0.4
    queues = tuple(
        QueuePlan(
            name,
            tuple(_job(random, priorities) for _ in range(count)),
            priorities=priorities,
            shares=tuple(random.randint(1, 4) for _ in range(priorities)) if priorities > 1 and seed % 3 == 0 else (),
            grouped=random.random() < 0.8,
            limits=(),
            slots=random.choice((0, 4, 9)) if not shared else 6,
            slots_per_group=0,
            shared="gpu" if shared else "",
            room=random.choice((2, 8)),
        )
        for name, count in (("pick", jobs), ("pack", 0))
    )
    api = Limit("api", random.randint(3, 20), 1_000)
    queues = tuple(_limited(random, queue, api) for queue in queues)
    accidents = Accidents(killed=0.02, lost=0.04, stalled=0.01, delay=random.choice((0, 2)))
    lease = random.choice((1_500, 4_000))
    return Load("storm", seed, queues, accidents, lease=lease, shared=seed % 3 == 1)


def _job(random: Random, priorities: int) -> Planned:
    group = random.choice(("", *GROUPS))
    at = random.choice((0, random.randint(0, 3_000)))
    cost = random.choice((1, 1, 2, 3))
    return Planned(at, random.choice((1, 20, 300)), group, random.randint(1, priorities + 1), cost)


def _limited(random: Random, queue: QueuePlan, api: Limit) -> QueuePlan:
    limits: list[Limit] = []
    if random.random() < 0.7:
        limits.append(api)
    if queue.grouped and random.random() < 0.7:
        limits.append(Limit(f"{queue.name}:1", random.randint(3, 6), random.choice((100, 1_000)), grouped=True))
    per_group = random.choice((0, 3)) if queue.grouped else 0
    return QueuePlan(**{**vars(queue), "limits": tuple(limits), "slots_per_group": per_group})


class Storm(Simulation):
    """One seed."""

    world: RuledWorld

    def __init__(self, world: RuledWorld, load: Load) -> None:
        super().__init__(world, load)
        self._ways = self._any_way
        self._audit = Audit(world, GROUPS)
        self._limits = LiveLimits(load, GROUPS)
        self._operator = Operator(world, self.random, self._limits, GROUPS)
        self._keyed = KeyedCalls(world, self.random, self.record)
        self._claimed_in: dict[str, str] = {}
        self.steps = 0
        #: What became of jobs, as far as somebody was told: by `finish`, `fail`, or an operator.
        self.words: Counter[str] = Counter()

    def storm(self) -> list[str]:
        """Go on until all jobs have ended, and return what is wrong."""
        for queue in self.load.queues:
            for _ in range(queue.workers):
                self._add_worker(queue)
        while self.steps < MOST_STEPS:
            self.steps += 1
            self._happen()
            if self.steps < OPERATED and self.random.random() < 0.15:
                self._calls += 1
                self.words[self._operator.act(sorted(self.record.jobs))] += 1
            elif self.steps < OPERATED and self.random.random() < 0.2:
                self._call_by_key()
            elif self.steps == OPERATED:
                self._operator.undo()
            if not self._wake() and not self._act():
                self._go_on()
            wrong = self._audit.faults(sorted(self.record.jobs)) if self.random.random() < 0.3 else []
            wrong += [*self._limits.faults, *self._keyed.faults]
            if wrong:
                return [f"step {self.steps}: {fault}" for fault in wrong]
            if self.steps > OPERATED and self.steps % 20 == 0 and not self._coming and not self._open():
                break
        return [*self._audit.faults(sorted(self.record.jobs)), *self._left()]

    def _call_by_key(self) -> None:
        self._calls += 1
        planned = any_planned(self.random, self.random.choice(self.load.queues[0].jobs))
        self.words[f"by key: {self._keyed.call(planned)}"] += 1

    def _hashes(self) -> dict[str, Hash]:
        return self._audit.look(sorted(self.record.jobs))[1]

    def _open(self) -> list[str]:
        return [job_id for job_id, job in self._hashes().items() if job.state in OPEN]

    def _left(self) -> list[str]:
        """Return what is left at the end, where nothing may be, and what was done more than once or not at all."""
        hashes = self._hashes()
        wrong = [f"{job_id} is {job.state} in the end" for job_id, job in hashes.items() if job.state in OPEN]
        wrong += [f"{job_id} was done {times} times" for job_id, times in self.record.done.items() if times != 1]
        for job_id, job in hashes.items():
            if (job.state == "done") != (job_id in self.record.done):
                wrong.append(f"{job_id} is {job.state}, and was done {self.record.done.get(job_id, 0)} times")
        wrong += self._keyed.free()
        for queue in self.load.queues:  # one more turn each, in which emptied groups leave the ring
            for number in range(1, 6):
                self.world.now += 100_000
                self.world.take_turn(queue.name, "last", Call(number, [], 100, busy=False))
        return wrong + self._audit.remains()

    # What is different from a load

    def _new_name(self, job_id: str) -> str:
        return self.world.name(len(self.record.jobs), job_id)

    def _any_way(self, claimed: Claimed) -> list[Argument]:
        lot = self.random.random()
        if lot < 0.05:
            return release(claimed.id, claimed.fence)
        if lot < 0.1:
            return retry(claimed.id, claimed.fence, self.random.choice((1, 50, 700)))
        if lot < 0.13:
            return snooze(claimed.id, claimed.fence, 100)
        if lot < 0.17:
            return fail(claimed.id, claimed.fence)
        if lot < 0.4 and self.queue_of(claimed.id) == "pick":
            return advance(claimed.id, claimed.fence)
        return finish(claimed.id, claimed.fence)

    def queue_of(self, job_id: str) -> str:
        """Return the queue in which somebody has claimed the job last."""
        return self._claimed_in[job_id]

    def _note(self, worker: VirtualWorker, call: Call, answer: Answer) -> None:
        super()._note(worker, call, answer)
        for job in answer.claimed:
            self._claimed_in[job.id] = worker.queue
            self._limits.start(worker.queue, self.record.jobs[job.id], job.start)
        if answer.claimed:
            groups = {self.record.jobs[job.id].group for job in answer.claimed}
            self._limits.look(worker.queue, self._kept(worker.queue), groups)

    def _check_again(self, call: Call, answer: Answer) -> None:
        assert {job.id for job in answer.claimed} <= {*call.brought}, "sent again, a turn answers another"

    def _kept(self, queue: str) -> dict[str, int]:
        """Return how many slots are held, of each group and ('') of the queue, with those that it shares."""
        plan = self.world.queues[queue]
        sharing = [q for q in self.world.queues.values() if plan.shared and q.shared == plan.shared] or [plan]
        held: Counter[str] = Counter()
        for each in sharing:
            held[""] += len(self.world.in_processing(each.name)) + self.world.loads(each.name).get("", 0)
        mine = self.world.loads(queue)
        held.update({group: mine.get(f'"{group}"', 0) for group in GROUPS})
        return held

    def _ended(self, queue: str, claimed: Claimed, way: list[Argument], word: str) -> None:
        if word == "ok" and self.world.ends(queue, claimed.id, str(way[0])):
            self.record.done[claimed.id] = self.record.done.get(claimed.id, 0) + 1
        self.words[word] += 1

    def _rescue(self) -> None:
        self._calls += 1
        for queue in self.load.queues:
            for _, word in self.world.rescue(queue.name):
                self.words[word] += 1
                self.record.rescued += 1
        left: Iterable[float] = [t for q in self.load.queues for t in self.world.in_processing(q.name).values()]
        self._rescue_at = self.world.now + self.load.lease // 6 if left else None
