"""Judges one random run: nothing over a limit at any time, nobody late, every job done once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.faults.rules.exact import fullest, most_held, soonest
from tests.faults.rules.plan import Limit, Load, QueuePlan
from tests.faults.rules.record import Record

#: What of an interval may be lost where tokens are gathered in slices, and to whole milliseconds.
SLICES = 64


def faults(record: Record) -> Iterator[str]:
    """Yield a sentence for everything that must not be."""
    yield from _lost(record)
    yield from _over_windows(record)
    yield from _over_slots(record)
    yield from _while_held(record)


def _lost(record: Record) -> Iterator[str]:
    twice = {job_id: count for job_id, count in record.done.items() if count != 1}
    if twice:
        yield f"done more than once: {twice}"
    if len(record.done) != record.load.jobs:
        yield f"{len(record.done)} of {record.load.jobs} jobs are done"


def windows(load: Load) -> dict[str, tuple[Limit, list[QueuePlan]]]:
    """Return each limiter of a load, by its id, and the queues that name it."""
    found: dict[str, tuple[Limit, list[QueuePlan]]] = {}
    for queue in load.queues:
        for limit in queue.limits:
            found.setdefault(limit.id, (limit, []))[1].append(queue)
    return found


def _over_windows(record: Record) -> Iterator[str]:
    for limit, queues in windows(record.load).values():
        for group in groups(record) if limit.grouped else (None,):
            starts = _starts(record, queues, group, limit)
            most = fullest(starts, limit.window)
            if most > limit.tokens:
                yield f"limiter {limit.id}, group {group}: {most} of {limit.tokens} in {limit.window} ms"


def _starts(record: Record, queues: Iterable[QueuePlan], group: str | None, limit: Limit) -> list[tuple[int, int]]:
    found = [start for queue in queues for start in record.starts(queue.name, group)]
    return [(at, min(cost, limit.tokens)) for at, cost in found]


def groups(record: Record) -> list[str]:
    """Return the groups that a load has."""
    return sorted({job.group for job in record.jobs.values()})


def spans(record: Record, queue: str) -> list[tuple[int, int, int, str]]:
    """Return from when until when each claim held its slots, how many, and of which group."""
    begun: dict[str, int] = {}
    found: list[tuple[int, int, int, str]] = []
    for event in record.events:  # in the order in which they happened
        if event.queue != queue:
            continue
        if event.what == "claims":
            begun[event.job_id] = event.at
        elif event.what == "leaves":
            job = record.jobs[event.job_id]
            found.append((begun.pop(event.job_id), event.at, job.cost, job.group))
    return found


def _over_slots(record: Record) -> Iterator[str]:
    shared: dict[str, list[QueuePlan]] = {}
    for queue in record.load.queues:
        held = spans(record, queue.name)
        if queue.shared:
            shared.setdefault(queue.shared, []).append(queue)
        elif queue.slots:
            most = most_held((begin, end, min(cost, queue.slots)) for begin, end, cost, _ in held)
            if most > queue.slots:
                yield f"queue {queue.name}: {most} of {queue.slots} slots"
        if queue.slots_per_group:
            for group in groups(record):
                mine = [(begin, end, min(cost, queue.slots_per_group)) for begin, end, cost, g in held if g == group]
                if (most := most_held(mine)) > queue.slots_per_group:
                    yield f"queue {queue.name}, group {group}: {most} of {queue.slots_per_group} slots"
    for name, queues in shared.items():
        most = most_held(
            (b, e, min(c, queues[0].slots)) for queue in queues for b, e, c, _ in spans(record, queue.name)
        )
        if most > queues[0].slots:
            yield f"shared slots {name}: {most} of {queues[0].slots}"


def _while_held(record: Record) -> Iterator[str]:
    """A hold counts until it is over, or until another one of the same takes its place."""
    ends: dict[tuple[str, str | None], int] = {}
    for hold in sorted(record.load.holds, key=lambda hold: -hold.at):
        name, begin = (hold.queue, hold.group), record.begin + hold.at
        until = min(begin + hold.how_long, ends.get(name, begin + hold.how_long))
        ends[name] = begin
        for event in record.events:
            job = record.jobs[event.job_id]
            mine = event.queue == hold.queue and hold.group in {None, job.group}
            if mine and event.what == "claims" and begin < event.at < until:
                yield f"{event.job_id} is claimed at {event.at}, and held from {begin} until {until}"


def use(record: Record) -> float:
    """Return the soonest end that the windows allow, as a part of how long it took; 1 is the best.

    Of a load in which nothing but windows decides, and whose functions take no time that counts.
    """
    taken = max(at for at, _ in record.starts()) - record.begin
    return 1.0 if taken == 0 else max(_ideal(record, *each) for each in windows(record.load).values()) / taken


def _ideal(record: Record, limit: Limit, queues: list[QueuePlan]) -> int:
    """Return when the last start of a limiter could be, if they come in the order in which they came."""
    best, names = 0, {queue.name for queue in queues}
    for group in groups(record) if limit.grouped else (None,):
        mine = [
            (event.at, record.jobs[event.job_id])
            for event in record.events
            if event.what == "starts" and event.queue in names and group in {None, record.jobs[event.job_id].group}
        ]
        jobs = [job for _, job in sorted(mine, key=lambda start: start[0])]
        times = soonest([job.cost for job in jobs], limit.tokens, limit.window, [job.at for job in jobs])
        best = max([best, *times[-1:]])
    return best
