"""Says what of limits, groups and slots cannot be, in a keyspace at rest: the auditor asks it after each fault row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.keyspace import Snapshot


def rules_off(snapshot: Snapshot) -> Iterator[str]:
    """Yield a sentence for all that queues with rules keep and that does not agree with the rest."""
    yield from _groups_off(snapshot)
    yield from _slots_off(snapshot)


def _groups_off(snapshot: Snapshot) -> Iterator[str]:
    """A group that has ids is in its ring or parked; and ids in groups are counted."""
    there: Counter[tuple[str, str]] = Counter()
    for (kind, name), value in snapshot.rules.items():
        if kind != "group":
            continue
        queue, priority, group = name.split("/", 2)
        there[queue, f"n{priority}"] += len(value)
        in_ring = group in dict(snapshot.rules.get(("ring", f"{queue}/{priority}"), ()))
        parked = f"{priority}/{group}" in dict(snapshot.rules.get(("parked", queue), ()))
        if not (in_ring or parked):
            yield f"group {group} of {queue} has {len(value)} ids and its turn never comes"
        elif in_ring and parked:
            yield f"group {group} of {queue} is in the ring and parked"
    for (kind, queue), value in snapshot.rules.items():
        if kind == "fair":
            for name, count in value.items():
                if name[0] == "n" and int(count) != there[queue, name]:
                    yield f"flows:fair:{queue} counts {name} as {count}, and {there[queue, name]} stand there"


def _slots_off(snapshot: Snapshot) -> Iterator[str]:
    """Slots are those of leases, and loads their sums."""
    queues = {name for kind, name in snapshot.rules if kind in {"slots", "load"}}
    for queue in sorted(queues):
        slots, load = snapshot.rules.get(("slots", queue), {}), snapshot.rules.get(("load", queue), {})
        running = dict(snapshot.places.get((queue, "processing"), ()))
        sums: Counter[str] = Counter()
        for job_id, text in slots.items():
            cost, _, group = text.partition(" ")
            sums[""] += int(cost) - 1
            if group:
                sums[group] += int(cost)
            if job_id not in running:
                yield f"flows:slots:{queue} holds {job_id}, which nobody runs"
        wanted = {group: held for group, held in sums.items() if held}
        if wanted != {group: int(held) for group, held in load.items() if int(held)}:
            yield f"flows:load:{queue} is {load}, and {wanted} is held"
