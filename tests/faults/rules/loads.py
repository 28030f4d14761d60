"""Random loads: a kind of limiter and a seed make one, the same each time.

Half of them have all jobs from the start or soon, no accidents and short functions: of those it is measured how much of
the limit is used. The others have whatever befalls workers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final

from tests.faults.rules.plan import Accidents, Hold, Limit, Load, Planned, QueuePlan

Maker = Callable[[Random], tuple[QueuePlan, ...]]

INTERVALS: Final = (20, 100, 150, 333, 1_000, 1_000, 5_000, 60_000)
#: As many jobs are enough to fill a window several times.
MOST_JOBS: Final = 160


def make(kind: str, seed: int) -> Load:
    """Return the load of a kind with this seed."""
    random = Random(f"{kind} {seed}")  # noqa: S311 - random loads, not secrets
    queues = KINDS[kind](random)
    holds: tuple[Hold, ...] = ()
    if seed % 2:
        queues = tuple(_loosened(queue, random) for queue in queues)
    elif seed % 4:
        queues = tuple(_begun(queue, random) for queue in queues)
    if kind == "hold":
        holds = _holds(random, queues)
    accidents = _accidents(random) if seed % 2 else Accidents()
    lease = random.choice((2_000, 30_000))
    return Load(kind, seed, queues, accidents, holds, lease, measured=not seed % 2)


def _accidents(random: Random) -> Accidents:
    return Accidents(
        killed=random.choice((0, 0.01, 0.04)),
        lost=random.choice((0, 0.03, 0.1)),
        stalled=random.choice((0, 0, 0.01)),
        released=random.choice((0, 0.05)),
        retried=random.choice((0, 0.05)),
        delay=random.choice((0, 3)),
    )


def _loosened(queue: QueuePlan, random: Random) -> QueuePlan:
    """Let jobs come one by one and run for longer, with few workers or little room, and intervals of some seconds."""
    span = random.choice((0, 100, 2_000))
    longest = random.choice((1, 30, 400))
    jobs = tuple(replace(job, at=random.randint(0, span), life=random.randint(1, longest)) for job in queue.jobs)
    limits = tuple(replace(limit, interval=min(limit.interval, 3_000)) for limit in queue.limits)
    return replace(queue, jobs=jobs, limits=limits, workers=random.randint(1, 6), room=random.choice((1, 5, 20)))


def _begun(queue: QueuePlan, random: Random) -> QueuePlan:
    """Let a first handful of jobs come at times of their own, so that tokens come back one by one from then on."""
    if not queue.limits:
        return queue
    longest = max(limit.interval for limit in queue.limits)
    first = min(len(queue.jobs) // 3, max(limit.reservoir for limit in queue.limits))
    times = sorted(random.randrange(longest) for _ in range(first))
    times += [longest] * (len(queue.jobs) - first)
    return replace(queue, jobs=tuple(replace(job, at=at) for job, at in zip(queue.jobs, times, strict=True)))


def _limit(random: Random, name: str, *, most: int = 40, grouped: bool = False, smooth: bool = False) -> Limit:
    reservoir = random.randint(1, most)
    interval = random.choice(INTERVALS)
    if smooth:
        interval = reservoir * random.choice((20, 50, 100, 333))
    return Limit(name, reservoir, interval, grouped, smooth)


def _jobs(  # noqa: PLR0913 - what jobs are, each by its name
    random: Random,
    count: int,
    *,
    groups: int = 0,
    priorities: int = 1,
    costs: tuple[int, ...] = (1,),
    life: int = 1,
) -> tuple[Planned, ...]:
    """Return jobs of random groups, the first of which has half of all."""

    def group() -> str:
        return f"g{0 if random.random() < 0.3 else random.randrange(groups)}" if groups else ""

    return tuple(
        Planned(0, random.randint(1, life), group(), random.randint(1, priorities), random.choice(costs))
        for _ in range(count)
    )


def _count(limit: Limit, random: Random, groups: int = 1) -> int:
    """Return how many jobs fill a window of each group a few times."""
    return max(8, min(MOST_JOBS, limit.reservoir * groups * random.randint(3, 8)))


def _queue_limit(random: Random) -> tuple[QueuePlan, ...]:
    limit = _limit(random, "pick:1")
    return (QueuePlan("pick", _jobs(random, _count(limit, random)), limits=(limit,)),)


def _group_limit(random: Random) -> tuple[QueuePlan, ...]:
    groups = random.randint(1, 12)
    limit = _limit(random, "pick:1", most=10, grouped=True)
    jobs = _jobs(random, _count(limit, random, groups), groups=groups)
    return (QueuePlan("pick", jobs, grouped=True, limits=(limit,)),)


def _smooth(random: Random) -> tuple[QueuePlan, ...]:
    grouped = random.random() < 0.4
    limit = _limit(random, "pick:1", most=20, grouped=grouped, smooth=True)
    jobs = _jobs(random, random.randint(10, 60), groups=4 if grouped else 0)
    return (QueuePlan("pick", jobs, grouped=grouped, limits=(limit,)),)


def _slots(random: Random) -> tuple[QueuePlan, ...]:
    jobs = _jobs(random, random.randint(20, MOST_JOBS), life=random.choice((1, 20, 300)))
    return (QueuePlan("pick", jobs, slots=random.randint(1, 12)),)


def _group_slots(random: Random) -> tuple[QueuePlan, ...]:
    jobs = _jobs(random, random.randint(20, MOST_JOBS), groups=random.randint(1, 8), life=random.choice((1, 20, 300)))
    whole = random.choice((0, 0, 3, 9))
    return (QueuePlan("pick", jobs, grouped=True, slots=whole, slots_per_group=random.randint(1, 4)),)


def _shared_slots(random: Random) -> tuple[QueuePlan, ...]:
    most = random.randint(1, 8)
    life = random.choice((1, 20, 300))
    return tuple(
        QueuePlan(name, _jobs(random, random.randint(10, MOST_JOBS // 2), life=life), slots=most, shared="gpu")
        for name in ("pick", "pack", "ship")[: random.randint(2, 3)]
    )


def _shared_limit(random: Random) -> tuple[QueuePlan, ...]:
    limit = _limit(random, "api", most=20)
    return tuple(
        QueuePlan(name, _jobs(random, _count(limit, random) // 2), limits=(limit,)) for name in ("pick", "pack")
    )


def _costs(random: Random) -> tuple[QueuePlan, ...]:
    """Tokens by cost, and starts besides; and slots by cost."""
    lot = random.random()
    costs = random.choice(((1, 2, 5), (1, 1, 1, 20), (3,), (1, 100)))
    if lot < 0.3:
        jobs = _jobs(random, random.randint(20, 100), costs=costs, life=30)
        return (QueuePlan("pick", jobs, slots=random.randint(1, 12)),)
    grouped = lot < 0.6
    limit = replace(_limit(random, "pick:1", grouped=grouped), reservoir=random.randint(5, 40))
    jobs = _jobs(random, random.randint(20, 100), groups=4 if grouped else 0, costs=costs)
    return (QueuePlan("pick", jobs, grouped=grouped, limits=(limit,)),)


def _hold(random: Random) -> tuple[QueuePlan, ...]:
    return random.choice((_queue_limit, _group_limit, _group_slots))(random)


def _holds(random: Random, queues: tuple[QueuePlan, ...]) -> tuple[Hold, ...]:
    queue = queues[0]
    names = sorted({job.group for job in queue.jobs})
    longest = max(limit.interval for limit in queue.limits) if queue.limits else 500
    holds: list[Hold] = []
    for _ in range(random.randint(1, 4)):
        group = random.choice(names) if queue.grouped and random.random() < 0.7 else None
        holds.append(Hold(random.randint(0, 3 * longest), queue.name, random.randint(1, 2 * longest), group))
    return tuple(holds)


def _strict(random: Random) -> tuple[QueuePlan, ...]:
    priorities = random.randint(2, 8)
    groups = random.choice((0, 0, 5))
    limit = _limit(random, "pick:1", most=20)
    jobs = _jobs(random, _count(limit, random), priorities=priorities, groups=groups)
    return (QueuePlan("pick", jobs, priorities, grouped=groups > 0, limits=(limit,) if random.random() < 0.7 else ()),)


def _by_share(random: Random) -> tuple[QueuePlan, ...]:
    priorities = random.randint(2, 5)
    shares = tuple(random.choice((1, 2, 3, 5, 8, 0.5)) for _ in range(priorities))
    limit = _limit(random, "pick:1", most=20)
    jobs = _jobs(random, MOST_JOBS, priorities=priorities)
    return (QueuePlan("pick", jobs, priorities, shares, limits=(limit,)),)


def _fair_groups(random: Random) -> tuple[QueuePlan, ...]:
    groups = random.randint(2, 9)
    limit = _limit(random, "pick:1", most=20)
    jobs = _jobs(random, MOST_JOBS, groups=groups, costs=random.choice(((1,), (1, 2, 4))))
    shares = {f"g{n}": random.choice((0.5, 1, 2, 5)) for n in range(groups)} if random.random() < 0.6 else {}
    limits = (replace(limit, reservoir=limit.reservoir + 4),)
    return (QueuePlan("pick", jobs, grouped=True, limits=limits, group_shares=shares),)


def _mixed(random: Random) -> tuple[QueuePlan, ...]:
    """All at once, in one queue or in two that share a limiter."""
    shared = _limit(random, "api", most=40)
    return tuple(_mixed_queue(random, name, shared) for name in ("pick", "pack")[: random.randint(1, 2)])


def _mixed_queue(random: Random, name: str, shared: Limit) -> QueuePlan:
    priorities, life = random.randint(1, 3), random.choice((1, 100))
    groups, by_share = random.randint(2, 8), priorities > 1 and random.random() < 0.5
    return QueuePlan(
        name,
        _jobs(random, random.randint(20, 80), groups=groups, priorities=priorities, costs=(1, 1, 2), life=life),
        priorities=priorities,
        shares=tuple(random.randint(1, 5) for _ in range(priorities)) if by_share else (),
        grouped=True,
        limits=(shared, _limit(random, f"{name}:1", most=10, grouped=True)),
        slots=random.choice((0, 6)),
        slots_per_group=random.choice((0, 2, 4)),
        workers=random.randint(1, 4),
    )


#: Every kind of limiter.
KINDS: Final[dict[str, Maker]] = {
    "queue limit": _queue_limit,
    "group limit": _group_limit,
    "smooth": _smooth,
    "slots": _slots,
    "group slots": _group_slots,
    "shared slots": _shared_slots,
    "shared limit": _shared_limit,
    "costs": _costs,
    "hold": _hold,
    "strict priorities": _strict,
    "priorities by share": _by_share,
    "fair groups": _fair_groups,
    "mixed": _mixed,
}
