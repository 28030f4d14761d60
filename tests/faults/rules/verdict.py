"""One random run from its first job to the sentences of all judges."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from redis import RedisError

from tests.faults.rules.judge import faults, use
from tests.faults.rules.lateness import Lateness, out_of_order, shares_off
from tests.faults.rules.plan import Load
from tests.faults.rules.record import Record
from tests.faults.rules.simulation import Simulation, Worldly

#: How much of what the windows allow has to be used, from intervals of so many milliseconds on.
LEAST_USE: Final = ((1_000, 0.98), (100, 0.95))
#: So many lanes take all that a limit gives out.
ROOMY: Final = 60


@dataclass
class Verdict:
    """What is wrong with a run, and what was seen of it."""

    problems: list[str]
    seen: dict[str, int] = field(default_factory=dict)
    use: float | None = None
    """How much of what the limits allow was used; None where that was not measured."""


def judged(world: Worldly, load: Load) -> Verdict:
    """Run a load in a world."""
    simulation = Simulation(world, load)
    try:
        record = simulation.run()
    except (AssertionError, RedisError) as error:
        return Verdict([f"{type(error).__name__}: {error}"])
    wrong = [*faults(record), *_late(record), *_unfair(record), *_unused(record), *_unordered(record)]
    seen = {"jobs": len(record.jobs), "turns": record.turns, "kills": record.kills, "lost answers": record.lost}
    return Verdict(wrong, seen, use(record) if _is_measured(record) else None)


def problems(world: Worldly, load: Load) -> list[str]:
    """Run a load in a world, and return a sentence for everything that must not be."""
    return judged(world, load).problems


def _late(record: Record) -> list[str]:
    if record.load.accidents:
        return []
    late = Lateness(record).total()
    return [f"something could have started for {late} ms in which nothing did"] if late else []


def _unfair(record: Record) -> list[str]:
    load = record.load
    if not load.measured or any(job.at for queue in load.queues for job in queue.jobs):
        return []
    [queue, *_] = load.queues
    if load.kind == "priorities by share" or (load.kind == "fair groups" and queue.grouped):
        return shares_off(record, queue)[:3]
    return []


def _is_measured(record: Record) -> bool:
    load = record.load
    limited = all(queue.limits and not (queue.slots or queue.slots_per_group) for queue in load.queues)
    short = all(job.life == 1 for queue in load.queues for job in queue.jobs)
    roomy = all(queue.workers * queue.room >= ROOMY for queue in load.queues)
    return load.measured and limited and short and roomy and not load.holds and _shortest(load) >= LEAST_USE[-1][0]


def _shortest(load: Load) -> int:
    return min(limit.window for queue in load.queues for limit in queue.limits)


def _unused(record: Record) -> list[str]:
    if not _is_measured(record):
        return []
    least = next(part for interval, part in LEAST_USE if _shortest(record.load) >= interval)
    used = use(record)
    return [f"{used:.3f} of what the limit allows is used, and {least} has to be"] if used < least else []


def _unordered(record: Record) -> list[str]:
    """Strict priorities, where nothing else decides."""
    queues = [q for q in record.load.queues if q.priorities > 1 and not (q.grouped or q.shares)]
    wrong = [job_id for queue in queues for job_id in out_of_order(record, queue)]
    return [f"claimed while more important jobs waited: {wrong[:5]}"] if wrong else []
