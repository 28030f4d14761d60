"""An operator in a storm: limits, slots, shares, pauses, holds, and single jobs, one of them at each call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from flows.store.client.scripts import Argument
from tests.faults.rules.live_limits import ALL, LiveLimits
from tests.faults.rules.plan import Limit
from tests.faults.rules.ruled_world import RuledWorld


class Operator:
    """Does what an operator may do, and notes it for those who judge."""

    def __init__(self, world: RuledWorld, random: Random, limits: LiveLimits, groups: Sequence[str]) -> None:
        self._world, self._random, self._limits, self._groups = world, random, limits, groups
        self._actions: list[Callable[[str], str]] = [
            *[self._one("cancel", reason="enough", states="", ended_before=0)] * 2,
            self._one("delete", states="", ended_before=0),
            *[self._one("retry_job", states="", ended_before=0)] * 2,
            self._one("move", states="", ended_before=0, target="pack"),
            self._one("move", states="", ended_before=0, target="pick"),
            *[self._set_priority] * 3,
        ]
        self._rules: list[Callable[[], str]] = [
            *[self._set_limit] * 3,
            *[self._set_slots] * 2,
            self._set_group_slots,
            self._set_share,
            self._pause,
            self._resume,
            self._hold,
            self._reconcile,
            self._forget_scripts,
        ]

    def act(self, job_ids: Sequence[str]) -> str:
        """Do one thing, and return what it was."""
        if job_ids and self._random.random() < 0.5:
            return self._random.choice(self._actions)(self._random.choice(job_ids))
        return self._random.choice(self._rules)()

    def undo(self) -> None:
        """Let everything be as it was declared."""
        for queue in self._world.queues:
            self._world.run("pause", queue=queue, until_ms=0, note="")
        for limit in self._limits.limits.values():
            for group in (ALL, *self._groups):
                self._change(limit, group, None)
        for queue in self._world.queues.values():
            self._limits.slots.pop(queue.shared or queue.name, None)
            self._world.set_slots(queue.name, None)
            for group in (ALL, *self._groups):
                self._limits.per_group.pop((queue.name, group), None)
                self._world.set_group_slots(queue.name, None, group)

    # Single jobs

    def _one(self, script: str, **named: Argument) -> Callable[[str], str]:
        def act(job_id: str) -> str:
            answer = self._world.run(script, id=job_id, flow="shop", **named)
            word = answer if isinstance(answer, str) else answer[0]
            return f"{script}: {word}"

        return act

    def _set_priority(self, job_id: str) -> str:
        return f"set_priority: {self._world.set_priority(job_id, self._random.randint(1, 4))}"

    # Rules

    def _queue(self) -> str:
        return self._random.choice(sorted(self._world.queues))

    def _set_limit(self) -> str:
        if not self._limits.limits:
            return "nothing to limit"
        limit = self._random.choice(sorted(self._limits.limits.values(), key=lambda limit: limit.id))
        group = self._random.choice((ALL, *self._groups)) if limit.grouped else ALL
        new = (self._random.randint(1, 12), self._random.choice((100, 400, 1_000, 2_000)))
        self._change(limit, group, None if self._random.random() < 0.3 else new)
        return "set_limit"

    def _change(self, limit: Limit, group: str, to: tuple[int, int] | None) -> None:
        self._limits.change(limit, group, to, self._world.now)
        for queue in self._world.queues.values():
            if limit in queue.limits:
                return self._world.set_limit(queue.name, limit.id, to, group)
        return None

    def _set_slots(self) -> str:
        queue = self._world.queues[self._queue()]
        if not queue.slots:
            return "no slots"
        slots = self._random.choice((None, 1, 3, 6, 12))
        if slots is None:
            self._limits.slots.pop(queue.shared or queue.name, None)
        else:
            self._limits.slots[queue.shared or queue.name] = slots
        self._world.set_slots(queue.name, slots)
        return "set_concurrency"

    def _set_group_slots(self) -> str:
        queue = self._world.queues[self._queue()]
        if not queue.slots_per_group:
            return "no slots"
        group = self._random.choice((ALL, *self._groups))
        slots = self._random.choice((None, 1, 2, 5))
        if slots is None:
            self._limits.per_group.pop((queue.name, group), None)
        else:
            self._limits.per_group[queue.name, group] = slots
        self._world.set_group_slots(queue.name, slots, group)
        return "set_concurrency of a group"

    def _set_share(self) -> str:
        self._world.set_share(self._queue(), self._random.choice(self._groups), self._random.choice((0.1, 1, 3, 10)))
        return "set_share"

    def _pause(self) -> str:
        until: Argument = self._random.choice(("inf", self._world.now + 700))
        return f"pause: {self._world.run('pause', queue=self._queue(), until_ms=until, note='')}"

    def _resume(self) -> str:
        return f"pause: {self._world.run('pause', queue=self._queue(), until_ms=0, note='')}"

    def _hold(self) -> str:
        queue = self._queue()
        group = self._random.choice((None, *self._groups)) if self._world.queues[queue].grouped else None
        self._world.hold(queue, self._random.randint(1, 900), group)
        return "hold"

    def _reconcile(self) -> str:
        return f"reconcile: {len(self._world.reconcile())}"

    def _forget_scripts(self) -> str:
        self._world.redis.script_flush()
        return "script flush"
