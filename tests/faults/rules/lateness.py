"""Says for how long something could have started and nothing did, by what an exact queue would allow.

It never asks for too much: of jobs with costs the dearest that waits has to fit. What a limiter may lose of each start
is no lateness: a millisecond, since time is counted in whole ones, and a slice of its interval.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import inf

from tests.faults.rules.judge import SLICES
from tests.faults.rules.plan import Limit, QueuePlan
from tests.faults.rules.record import Event, Record


class _Queue:
    """What waits and what runs in one queue."""

    def __init__(self, plan: QueuePlan) -> None:
        self.plan = plan
        self.waiting: dict[str, dict[str, int]] = {}
        self.running: dict[str, tuple[str, int]] = {}
        slowest = max((limit.interval for limit in plan.limits), default=0)
        self.slack = 2 + slowest // SLICES
        self.since: float = inf
        self.late = 0


class Lateness:
    """Goes over a record once."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._queues = {queue.name: _Queue(queue) for queue in record.load.queues}
        self._windows: dict[tuple[str, str], list[tuple[int, int]]] = {}
        #: When each job starts that a claim has brought: its start is noted next.
        self._start_of = {event.number - 1: event.at for event in record.events if event.what == "starts"}
        self._delay = 2 * record.load.accidents.delay

    def total(self) -> int:
        """Return the sum over all queues, in milliseconds."""
        events = sorted(self._record.events)
        for event, after in zip(events, [*events[1:], None], strict=True):
            self._apply(event)
            if after is not None and after.at > event.at:
                self._look_between(event.at, after.at)
        return sum(queue.late for queue in self._queues.values())

    def _look_between(self, now: int, after: int) -> None:
        holds = (self._record.begin + hold.at for hold in self._record.load.holds)
        times = [now, *sorted(time for time in holds if now < time < after), after]
        for begin, end in pairwise(times):
            for queue in self._queues.values():
                self._look(queue, begin, end)

    def _apply(self, event: Event) -> None:
        queue, job = self._queues[event.queue], self._record.jobs[event.job_id]
        group = job.group if queue.plan.grouped else ""
        if event.what == "waits":
            queue.waiting.setdefault(group, {})[event.job_id] = job.cost
        elif event.what == "claims":
            queue.waiting[group].pop(event.job_id)
            queue.running[event.job_id] = group, job.cost
            for other in self._queues.values():
                other.since = inf
            start = self._start_of[event.number]
            for limit in queue.plan.limits:  # tokens are gone from here on, though they may be of a later time
                taken = self._windows.setdefault((limit.id, group if limit.grouped else ""), [])
                taken.append((start, min(job.cost, limit.tokens)))
        elif event.what == "leaves":
            queue.running.pop(event.job_id)

    def _look(self, queue: _Queue, now: int, after: int) -> None:
        """Add what is late between two times, in which nothing happens."""
        ready = max(now, self._ready(queue, now))
        if ready >= after:
            queue.since = inf
            return
        queue.since = min(queue.since, ready)
        begin = max(now, queue.since + queue.slack + self._delay)
        for excused_from, until in self._record.excused:
            if excused_from <= begin < until:
                begin = until
        queue.late += max(0, int(after - begin))

    def _ready(self, queue: _Queue, now: int) -> float:
        """Return when the next job of a queue could start; infinity where that needs something to happen first."""
        plan = queue.plan
        costs = [cost for jobs in queue.waiting.values() for cost in jobs.values()]
        if not costs or len(queue.running) >= plan.workers * plan.room:
            return inf
        whole = [self._window_ready(limit, "", max(costs), now) for limit in plan.limits if not limit.grouped]
        whole += [self._held_until(plan.name, None, now)]
        if plan.slots:
            sharing = [q for q in self._queues.values() if plan.shared and q.plan.shared == plan.shared] or [queue]
            whole.append(_fits(sharing, max(costs), plan.slots))
        return max(*whole, min(self._group_ready(queue, group, now) for group, jobs in queue.waiting.items() if jobs))

    def _group_ready(self, queue: _Queue, group: str, now: int) -> float:
        cost, plan = max(queue.waiting[group].values()), queue.plan
        times = [self._window_ready(limit, group, cost, now) for limit in plan.limits if limit.grouped]
        times.append(self._held_until(plan.name, group, now) if group else 0)
        if plan.slots_per_group:
            times.append(_fits([queue], cost, plan.slots_per_group, group))
        return max(times)

    def _held_until(self, queue: str, group: str | None, now: int) -> float:
        begin = self._record.begin
        holds = [hold for hold in self._record.load.holds if (hold.queue, hold.group) == (queue, group)]
        return max((begin + hold.at + hold.how_long for hold in holds if begin + hold.at <= now), default=0)

    def _window_ready(self, limit: Limit, group: str, cost: int, now: int) -> float:
        taken = self._windows.get((limit.id, group), [])
        while taken and taken[0][0] + limit.window <= now:
            taken.pop(0)
        over = sum(each for _, each in taken) + min(cost, limit.tokens) - limit.tokens
        ready: float = taken[-1][0] if taken else 0
        for at, each in taken:
            if over <= 0:
                break
            ready, over = max(ready, at + limit.window), over - each
        return ready


def _fits(queues: list[_Queue], cost: int, most: int, group: str | None = None) -> float:
    running = [held for queue in queues for held in queue.running.values()]
    held = sum(min(each, most) for name, each in running if group is None or name == group)
    return 0 if held + min(cost, most) <= most else inf


def shares_off(record: Record, queue: QueuePlan) -> list[str]:
    """Return where a priority or a group got more or less than its share, while all of them had jobs waiting.

    No two may be apart by more than one job of each, which is the bound of start-time fair queueing. Of a load whose
    jobs all wait from the start, in which nothing but the shares decides.
    """
    by_share = bool(queue.shares)
    left: Counter[float | str] = Counter()
    dearest: Counter[float | str] = Counter()
    for job in queue.jobs:
        left[kind := job.priority if by_share else job.group] += 1
        dearest[kind] = max(dearest[kind], 1 if by_share else job.cost)
    given: Counter[float | str] = Counter()
    wrong: list[str] = []
    for job_id in record.order(queue.name):
        job = record.jobs[job_id]
        kind = job.priority if by_share else job.group
        given[kind] += 1 if by_share else job.cost
        left[kind] -= 1
        if not all(left.values()):
            break
        share = {k: queue.shares[int(k) - 1] if by_share else queue.group_shares.get(str(k), 1) for k in left}
        had = sorted((given[k] / share[k], dearest[k] / share[k], str(k)) for k in left)
        (least, one, name), (most, other, more) = had[0], had[-1]
        if most - least > one + other + 1e-9:
            wrong.append(f"after {sum(given.values())}: {name} has {least:.2f}, and {more} has {most:.2f}")
    return wrong


def out_of_order(record: Record, queue: QueuePlan) -> list[str]:
    """Return the jobs of a queue with strict priorities that were claimed while a more important one waited."""
    waiting: Counter[int] = Counter()
    wrong: list[str] = []
    for event in sorted(record.events):
        if event.queue != queue.name:
            continue
        priority = min(record.jobs[event.job_id].priority, queue.priorities)
        if event.what == "waits":
            waiting[priority] += 1
        elif event.what == "claims":
            waiting[priority] -= 1
            if any(count for other, count in waiting.items() if other < priority):
                wrong.append(event.job_id)
    return wrong
