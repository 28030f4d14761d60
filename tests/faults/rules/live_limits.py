"""The limits of a storm as they are at each moment, and what was started under them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from tests.faults.rules.plan import Limit, Load, Planned, QueuePlan

#: Stands for all groups of which nothing else is set.
ALL: Final = ""


class LiveLimits:
    """What is set, as the operator sets it; each start is held against it at once."""

    def __init__(self, load: Load, groups: Sequence[str]) -> None:
        self.faults: list[str] = []
        self.queues: dict[str, QueuePlan] = {queue.name: queue for queue in load.queues}
        self.limits: dict[str, Limit] = {limit.id: limit for queue in load.queues for limit in queue.limits}
        self._groups = groups
        self._set: dict[tuple[str, str], tuple[int, int]] = {}
        #: Starts before that may be forgotten: they were when the interval was shorter.
        self._known_from: dict[tuple[str, str], int] = {}
        self._starts: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self.slots: dict[str, int] = {}
        self.per_group: dict[tuple[str, str], int] = {}

    def setting(self, limit: Limit, group: str) -> tuple[int, int]:
        """Return the reservoir and the interval that count for a group."""
        of_all = self._set.get((limit.id, ALL), (limit.reservoir, limit.interval))
        return self._set.get((limit.id, group), of_all)

    def change(self, limit: Limit, group: str, to: tuple[int, int] | None, now: int) -> None:
        """Note that a limit was changed, of a group or for all; None: it is as declared again."""
        for each in self._groups if limit.grouped and group == ALL else (group,):
            interval = self.setting(limit, each)[1]
            self._known_from[limit.id, each] = max(self._known_from.get((limit.id, each), 0), now - interval + 1)
        if to is None:
            self._set.pop((limit.id, group), None)
        else:
            self._set[limit.id, group] = to

    def start(self, queue: str, job: Planned, at: int) -> None:
        """Hold one start against all limits of its queue."""
        for limit in self.queues[queue].limits:
            group = job.group if limit.grouped else ALL
            if limit.grouped and not group:
                continue
            reservoir, interval = self.setting(limit, group)
            starts = self._starts.setdefault((limit.id, group), [])
            starts.append((at, min(job.cost, reservoir)))
            since = max(self._known_from.get((limit.id, group), 0), at - interval + 1)
            most = sum(cost for when, cost in starts if since <= when <= at)
            if most > reservoir:
                what = f"{most} of {reservoir} in {interval} ms until {at}"
                self.faults.append(f"limiter {limit.id}, group {group!r}: {what}")

    def look(self, queue: str, held: dict[str, int], groups: Iterable[str]) -> None:
        """Hold what is taken after a claim against what there is; nothing is claimed where it was made fewer."""
        plan = self.queues[queue]
        most = self.slots.get(plan.shared or queue, plan.slots)
        if plan.slots and held[""] > most:
            self.faults.append(f"queue {queue}: {held['']} of {most} slots are held")
        for group in groups:
            mine = self.per_group.get((queue, group), self.per_group.get((queue, ALL), plan.slots_per_group))
            if plan.slots_per_group and group and held[group] > mine:
                self.faults.append(f"queue {queue}, group {group}: {held[group]} of {mine} slots are held")
