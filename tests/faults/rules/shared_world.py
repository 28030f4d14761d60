"""The same ruled queues, which two flows share: a job is known by its member, `<flow>:<id>`, wherever it stands.

Jobs of `shop` go from `pick` to `pack`, those of `farm` are done in `pick`. Whoever calls a script that is of no job is
now the one flow, now the other; a worker is of one flow, and takes the jobs of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from redis import Redis

from flows.store.client.scripts import Argument
from tests.faults.rules.plan import Load, Planned, QueuePlan
from tests.faults.rules.ruled_world import RuledWorld

#: What each flow says of its queues: where its jobs go next, and what is added to their priorities.
_NEXT: Final = {"shop": {"pick": ("pack", -1), "pack": ("-", 0)}, "farm": {"pick": ("-", 0), "pack": ("-", 0)}}
FLOWS: Final = tuple(_NEXT)


class SharedWorld(RuledWorld):
    """Two flows below one namespace."""

    def __init__(self, redis: Redis, namespace: str, queues: Iterable[QueuePlan], **settings: Any) -> None:
        """Begin with nothing but what both flows say of the queues."""
        plans = {queue.name: queue for queue in queues}
        lines = {flow: _lines(flow, plans) for flow in FLOWS}
        super().__init__(redis, namespace, plans.values(), shared=lines["shop"], **settings)
        self._of = {flow: replace(self.settings, flow=flow, shared=lines[flow]) for flow in FLOWS}
        for flow in FLOWS:
            redis.set(self.keys.settings(flow), self._of[flow].packed)
        for name in plans:
            redis.hset(self.keys.meta(name), "flows", " ".join(FLOWS))

    def run(self, script: str, *rest: Argument, **named: Argument) -> Any:
        """Call a script as the flow of its job or of its worker does, or else as one of the two."""
        flow, job_id = self.split(str(named.get("id", "")))
        if "worker_id" in named:
            flow = FLOWS[sum(map(ord, str(named["worker_id"]))) % 2]
        elif not flow:
            flow = str(named.get("flow", FLOWS[self.scripts % 2]))
        self.settings = self._of[flow]
        if "id" in named:
            named |= {"id": job_id, "flow": flow}
        return super().run(script, *rest, **named)

    def create(self, queue: str, jobs: Sequence[tuple[str, Planned]]) -> None:
        """Create the jobs of each flow by a call of its own."""
        for flow in FLOWS:
            of = [(self.split(name)[1], job) for name, job in jobs if self.split(name)[0] == flow]
            if of:
                self._create(queue, of, flow)

    def split(self, name: str) -> tuple[str, str]:
        """Return the flow of a job, and its id."""
        flow, _, job_id = name.rpartition(":")
        return flow, job_id

    def name(self, number: int, job_id: str) -> str:
        """Return what a new job is called: every other one is of the other flow."""
        return f"{FLOWS[number % 2]}:{job_id}"

    def ends(self, queue: str, name: str, verb: str) -> bool:
        """Whether a job is done that ended so: its own flow says it, and not the worker."""
        return verb in {"finish", "advance"} and _NEXT[self.split(name)[0]][queue][0] == "-"


def world_of(redis: Redis, namespace: str, load: Load) -> RuledWorld:
    """Return the world in which a load is to run."""
    return (SharedWorld if load.shared else RuledWorld)(redis, namespace, load.queues, lease_ms=load.lease)


def _lines(flow: str, plans: dict[str, QueuePlan]) -> dict[str, str]:
    lines: dict[str, str] = {}
    for name, (to, diff) in _NEXT[flow].items():
        most = plans[to].priorities if to in plans and plans[to].priorities > 1 else 8
        lines[name] = f"= {name} {to} {diff} {most}"
    return lines
