"""Holds all that a ruled queue keeps against its jobs' hashes: places, ring, parked groups, slots, loads, counts.

All of it is read at one moment, by one script of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.faults.rules.plan import QueuePlan
from tests.faults.rules.ruled_world import GROUP, RuledWorld

_READ: Final = """
local answer = {}
for i = 1, #KEYS do
  local kind = redis.call('TYPE', KEYS[i]).ok
  local value = {}
  if kind == 'list' then value = redis.call('LRANGE', KEYS[i], 0, -1)
  elseif kind == 'zset' then value = redis.call('ZRANGE', KEYS[i], 0, -1, 'WITHSCORES')
  elseif kind == 'hash' then value = redis.call('HGETALL', KEYS[i]) end
  answer[i] = value
end
for i = 1, #ARGV do
  answer[#KEYS + i] = redis.call('HMGET', ARGV[i], '_status', '_queue', '_priority', '_cost', 'GROUP', 'n')
end
return answer
""".replace("GROUP", GROUP)


@dataclass(frozen=True)
class Hash:
    """What a job's hash says."""

    state: str
    queue: str
    priority: int
    cost: int
    group: str


@dataclass
class Found:
    """What a queue keeps."""

    lists: dict[tuple[int, str], list[str]]
    rings: dict[int, dict[str, float]]
    parked: dict[str, float]
    slots: dict[str, str]
    load: dict[str, int]
    fair: dict[str, str]
    processing: set[str]
    delayed: set[str]
    stale: dict[str, int]


class Audit:
    """Looks at all queues of a world, as often as it is asked."""

    def __init__(self, world: RuledWorld, groups: Iterable[str]) -> None:
        self._world = world
        #: As they stand in the hashes; '' is the list of no group.
        self._groups = ["", *(f'"{group}"' for group in groups if group)]

    def look(self, ids: Sequence[str]) -> tuple[dict[str, Found], dict[str, Hash]]:
        """Return what all queues keep, and what the hashes of these jobs say."""
        keys: list[str] = []
        for queue in self._world.queues.values():
            keys += self._keys(queue)
        names = [self._world.split(name) for name in ids]
        jobs = [self._world.keys.job(flow or "shop", job_id) for flow, job_id in names]
        send: Any = self._world.redis.eval
        answer = send(_READ, len(keys), *keys, *jobs)
        values = iter(answer)
        found = {name: self._found(queue, values) for name, queue in self._world.queues.items()}
        hashes = {job_id: _hash(fields) for job_id, fields in zip(ids, values, strict=True) if fields[5] is not None}
        return found, hashes

    def faults(self, ids: Sequence[str]) -> list[str]:
        """Return a sentence for everything that does not fit."""
        found, hashes = self.look(ids)
        return [fault for queue in self._world.queues.values() for fault in _faults(queue, found[queue.name], hashes)]

    def remains(self) -> list[str]:
        """Return what is left of queues that have no job any more."""
        found, _ = self.look([])
        left: list[str] = []
        for name, kept in found.items():
            each: dict[str, Any] = {
                "lists": {place: ids for place, ids in kept.lists.items() if ids},
                "parked": kept.parked,
                "slots": kept.slots,
                "load": kept.load,
                "processing": kept.processing,
                "delayed": kept.delayed,
                "rings": {band: ring for band, ring in kept.rings.items() if set(ring) - {""}},
                "fair": {field: n for field, n in kept.fair.items() if field[0] == "n" and int(n) != 0},
            }
            left += [f"queue {name} still has {what}: {value}" for what, value in each.items() if value]
        return left

    def _keys(self, queue: QueuePlan) -> list[str]:
        ns, name = self._world.namespace, queue.name
        keys: list[str] = []
        for band in range(1, queue.priorities + 1):
            keys.append(f"{ns}flows:ring:{name}/{band}")
            keys.append(f"{ns}queue:{name}:waiting" + (f":{band}" if band > 1 else ""))
            keys += [f"{ns}flows:group:{name}/{band}/{group}" for group in self._groups[1:]]
        keys += [f"{ns}flows:{kind}:{name}" for kind in ("parked", "slots", "load", "fair")]
        return [*keys, *(f"{ns}queue:{name}:{place}" for place in ("processing", "delayed", "stale"))]

    def _found(self, queue: QueuePlan, values: Iterator[list[str]]) -> Found:
        rings: dict[int, dict[str, float]] = {}
        lists: dict[tuple[int, str], list[str]] = {}
        for band in range(1, queue.priorities + 1):
            rings[band] = {group: float(score) for group, score in _pairs(next(values)).items()}
            for group in self._groups:
                lists[band, group] = next(values)
        parked, slots, load, fair, processing, delayed, stale = (_pairs(next(values)) for _ in range(7))
        return Found(
            lists,
            rings,
            {name: float(until) for name, until in parked.items()},
            slots,
            {group: int(held) for group, held in load.items()},
            fair,
            set(processing),
            set(delayed),
            {job_id: int(times) for job_id, times in stale.items()},
        )


def _pairs(flat: Sequence[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _hash(fields: Sequence[str | None]) -> Hash:
    state, queue, priority, cost, group, _ = fields
    return Hash(state or "waiting", queue or "pick", int(priority or 1), int(cost or 1), group or "")


def _faults(queue: QueuePlan, found: Found, hashes: dict[str, Hash]) -> Iterator[str]:
    mine = {job_id: job for job_id, job in hashes.items() if job.queue == queue.name}
    yield from _misplaced(queue, found, mine)
    yield from _lost_groups(queue, found)
    yield from _wrong_slots(queue, found, mine)


def _misplaced(queue: QueuePlan, found: Found, mine: dict[str, Hash]) -> Iterator[str]:
    """Each job stands once where its hash says, and every other id is known to be stale."""
    for state, there in (("processing", found.processing), ("delayed", found.delayed)):
        wanted = {job_id for job_id, job in mine.items() if job.state == state}
        if wanted != there:
            yield f"queue {queue.name}: {state} differs in {sorted(wanted ^ there)[:5]}"
    stands: Counter[tuple[int, str, str]] = Counter()
    for (band, group), ids in found.lists.items():
        stands.update((band, group, job_id) for job_id in ids)
    for job_id, job in mine.items():
        if job.state == "waiting":
            place = (min(max(job.priority, 1), queue.priorities), job.group if queue.grouped else "", job_id)
            if not stands[place]:
                others = [other for other in stands if other[2] == job_id]
                yield f"queue {queue.name}: {job_id} waits, and stands in {others} instead of {place}"
            stands[place] -= 1
    left: Counter[str] = Counter()
    for (_, _, job_id), times in stands.items():
        left[job_id] += times
    too_many = {job_id: n for job_id, n in left.items() if n > 0 and n != found.stale.get(job_id, 0)}
    if too_many:
        yield f"queue {queue.name}: ids stand where no job waits: {too_many}, and {found.stale} are stale"


def _lost_groups(queue: QueuePlan, found: Found) -> Iterator[str]:
    """A group that has jobs is in the ring of its priority or parked, and never both; and they are counted."""
    for (band, group), ids in found.lists.items():
        if group == "":
            continue
        in_ring, parked = group in found.rings[band], f"{band}/{group}" in found.parked
        if ids and in_ring == parked:
            yield f"queue {queue.name}: group {group} of priority {band} is {'both' if parked else 'lost'}"
    for band in range(1, queue.priorities + 1):
        there = sum(len(ids) for (of, group), ids in found.lists.items() if of == band and group)
        if int(found.fair.get(f"n{band}", 0)) != there:
            yield f"queue {queue.name}: n{band} is {found.fair.get(f'n{band}')}, and {there} stand there"


def _wrong_slots(queue: QueuePlan, found: Found, mine: dict[str, Hash]) -> Iterator[str]:
    """Slots are those of leases, and loads their sums; nothing is over what there is."""
    if strange := set(found.slots) - found.processing:
        yield f"queue {queue.name}: slots are held by {sorted(strange)[:5]}, which nobody runs"
    taken = {job_id: text.split(" ", 1) for job_id, text in found.slots.items()}
    sums: Counter[str] = Counter()
    for cost, group in taken.values():
        sums[""] += int(cost) - 1
        if group:
            sums[group] += int(cost)
    wanted = {group: held for group, held in sums.items() if held}
    if wanted != {group: held for group, held in found.load.items() if held}:
        yield f"queue {queue.name}: loads are {found.load}, and slots say {wanted}"
    if queue.slots_per_group and queue.grouped:
        missing = [i for i in found.processing if i in mine and mine[i].group and i not in found.slots]
        if missing:
            yield f"queue {queue.name}: {missing[:5]} run without a slot of their group"
