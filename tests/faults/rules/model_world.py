"""Ruled queues once more, in plain Python: exact, and with each guard under a name by which it can be taken away.

It answers what `RuledWorld` answers, so that the same runs go over both. Without one of its guards the judge has to
find something: a judge that never does proves nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from tests.faults.rules.plan import Limit, Planned, QueuePlan
from tests.faults.rules.ruled_world import Answer, Call, Claimed

#: What may be taken away.
GUARDS = frozenset({"window", "group window", "slots", "group slots", "shared", "wake", "alarm", "once", "hold"})


@dataclass
class _Queue:
    plan: QueuePlan
    waiting: dict[tuple[int, str], deque[str]] = field(default_factory=dict)
    virtual: dict[tuple[int, str], float] = field(default_factory=dict)
    processing: dict[str, int] = field(default_factory=dict)
    delayed: dict[str, int] = field(default_factory=dict)
    answers: dict[str, tuple[int, Answer]] = field(default_factory=dict)
    held: dict[str | None, int] = field(default_factory=dict)
    alarm: tuple[float, str] = (0, "")
    wake: bool = False


class ModelWorld:
    """A world of ruled queues without a server."""

    def __init__(self, queues: Iterable[QueuePlan], without: str = "", lease: int = 30_000) -> None:
        assert not without or without in GUARDS
        self.queues = {queue.name: queue for queue in queues}
        self.now = 1_000_000
        self._without, self._lease = without, lease
        self._all = {name: _Queue(plan) for name, plan in self.queues.items()}
        self._jobs: dict[str, Planned] = {}
        self._fences: dict[str, int] = {}
        self._windows: dict[tuple[str, str], list[tuple[int, int]]] = {}

    # What the simulation calls

    def create(self, queue: str, jobs: Sequence[tuple[str, Planned]]) -> None:
        """Put new jobs behind the others."""
        for job_id, job in jobs:
            self._jobs[job_id] = job
            self._put(self._all[queue], job_id)

    def hold(self, queue: str, how_long: int, group: str | None) -> None:
        """Let nothing start for so long."""
        if self._without != "hold":
            held = self._all[queue].held
            held[group] = max(held.get(group, 0), self.now + how_long)

    def woken(self, queue: str) -> bool:
        """Take a wake-up."""
        there, self._all[queue].wake = self._all[queue].wake, False
        return there

    def in_processing(self, queue: str) -> dict[str, float]:
        """Return whose leases are held, and until when."""
        return dict(self._all[queue].processing)

    def rescue(self, queue: str) -> list[tuple[str, str]]:
        """Take back what workers have lost."""
        found = [job_id for job_id, until in self._all[queue].processing.items() if until <= self.now]
        for job_id in found:
            del self._all[queue].processing[job_id]
            self._put(self._all[queue], job_id, first=True)
        return [(job_id, "rescued") for job_id in found]

    def take_turn(self, queue: str, worker_id: str, call: Call) -> Answer:
        """Take one turn of a worker."""
        state = self._all[queue]
        number, before = state.answers.get(worker_id, (0, None))
        if number == call.number and before is not None and self._without != "once":
            return before
        words = [self._end(state, claimed, way) for claimed, way in call.ended]
        for job_id in [job_id for job_id, due in state.delayed.items() if due <= self.now]:
            del state.delayed[job_id]
            self._put(state, job_id)
        claimed: list[Claimed] = []
        while len(claimed) < call.want and (job_id := self._next(state)):
            claimed.append(self._claim(state, job_id))
        ready = self._ready_at(state)
        left = sum(map(len, state.waiting.values())) if ready <= self.now else 0
        due = self._alarm(state, worker_id, min(ready, *state.delayed.values(), inf)) if call.want > len(claimed) else 0
        self._wake_others(state, left, worker_id, full=len(claimed) == call.want)
        answer = Answer(words, claimed, left, due, ())
        state.answers[worker_id] = (call.number, answer)
        return answer

    # What it does

    def _put(self, state: _Queue, job_id: str, *, first: bool = False) -> None:
        job = self._jobs[job_id]
        place = (min(job.priority, state.plan.priorities), job.group if state.plan.grouped else "")
        ids = state.waiting.setdefault(place, deque())
        if not ids:
            floor = min((state.virtual[other] for other, there in state.waiting.items() if there), default=0.0)
            state.virtual[place] = max(state.virtual.get(place, 0.0), floor)
        (ids.appendleft if first else ids.append)(job_id)
        self._wake(state)

    def _wake(self, state: _Queue) -> None:
        state.wake = state.wake or self._without != "wake"

    def _wake_others(self, state: _Queue, left: int, worker_id: str, *, full: bool) -> None:
        if left or (full and state.alarm[1] == worker_id):
            state.alarm = (0, "")
            self._wake(state)

    def _end(self, state: _Queue, claimed: Claimed, way: Sequence[Any]) -> str:
        if claimed.id not in state.processing or self._fences[claimed.id] != claimed.fence:
            return "stale"
        del state.processing[claimed.id]
        if way[0] == "retry":
            state.delayed[claimed.id] = self.now + int(way[4])
        elif way[0] != "finish":
            self._put(state, claimed.id, first=True)
        for other in self._all.values():  # whoever shares the slot
            if other is not state and other.plan.shared:
                self._wake(other)
        return "ok"

    def _claim(self, state: _Queue, job_id: str) -> Claimed:
        job = self._jobs[job_id]
        for limit in state.plan.limits:
            window = self._windows.setdefault((limit.id, job.group if limit.grouped else ""), [])
            window.append((self.now, min(job.cost, limit.tokens)))
        state.processing[job_id] = self.now + self._lease
        self._fences[job_id] = self._fences.get(job_id, 0) + 1
        return Claimed(job_id, self._fences[job_id], 0, self.now)

    def _alarm(self, state: _Queue, worker_id: str, soonest: float) -> int:
        if soonest == inf or self._without == "alarm":
            return 0
        at, holder = state.alarm
        if holder != worker_id and self.now < at <= soonest:
            return 0
        state.alarm = (soonest, worker_id)
        return max(1, int(soonest) - self.now)

    # What may start

    def _next(self, state: _Queue) -> str | None:
        places = [place for place in state.waiting if self._place_ready(state, place) <= self.now]
        if not places:
            return None
        shares = state.plan.shares
        best = min(places, key=lambda place: (place[0], state.virtual[place]) if not shares else state.virtual[place])
        self._charge(state, best)
        return state.waiting[best].popleft()

    def _charge(self, state: _Queue, place: tuple[int, str]) -> None:
        plan, job = state.plan, self._jobs[state.waiting[place][0]]
        cost, share = (1, plan.shares[place[0] - 1]) if plan.shares else (job.cost, plan.group_shares.get(place[1], 1))
        state.virtual[place] += cost / share

    def _ready_at(self, state: _Queue) -> float:
        """Return when the next job may start; infinity where that needs a slot, or where none waits."""
        return min((self._place_ready(state, place) for place in state.waiting), default=inf)

    def _place_ready(self, state: _Queue, place: tuple[int, str]) -> float:
        if not state.waiting[place]:
            return inf
        job, plan = self._jobs[state.waiting[place][0]], state.plan
        times = [state.held.get(None, 0), state.held.get(job.group, 0)]
        times += [self._window_ready(limit, job) for limit in plan.limits]
        cost = job.cost
        if plan.shared and self._without != "shared":
            times.append(self._fits([q for q in self._all.values() if q.plan.shared == plan.shared], cost, plan.slots))
        if plan.slots and not plan.shared and self._without != "slots":
            times.append(self._fits([state], cost, plan.slots))
        if plan.slots_per_group and self._without != "group slots":
            times.append(self._fits([state], cost, plan.slots_per_group, job.group))
        return max(times, default=0)

    def _fits(self, states: list[_Queue], cost: int, most: int, group: str | None = None) -> float:
        jobs = [self._jobs[job_id] for state in states for job_id in state.processing]
        held = sum(min(job.cost, most) for job in jobs if group is None or job.group == group)
        return 0 if held + min(cost, most) <= most else inf

    def _window_ready(self, limit: Limit, job: Planned) -> float:
        if self._without == ("group window" if limit.grouped else "window"):
            return 0
        taken = self._windows.get((limit.id, job.group if limit.grouped else ""), [])
        held = sum(cost for at, cost in taken if at + limit.window > self.now)
        at = 0
        for begin, cost in taken:
            if held + min(job.cost, limit.tokens) <= limit.tokens:
                break
            if begin + limit.window > self.now:
                at, held = begin + limit.window, held - cost
        return at
