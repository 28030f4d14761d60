"""The scripts of ruled queues, called one by one at a time that the caller owns."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from redis import Redis

from flows.model.limits.limiter import Limiter
from flows.model.limits.rules import Rules
from flows.store.client.scripts import Argument
from flows.store.jobs.claimed import START_IN
from tests.faults.rules.plan import Planned, QueuePlan
from tests.world import World

#: The field of a job by which queues group.
GROUP: Final = "tenant"
#: The server keeps a turn's answer for a minute by its own clock; on a busy machine a run may take longer for a second
#: of its time. So long after a turn its answer is kept for good.
_KEPT_AFTER: Final = 15.0


@dataclass(frozen=True)
class Claimed:
    """One job as a turn gave it out, with the time at which it may start."""

    id: str
    fence: int
    rescues: int
    start: int


@dataclass
class Call:
    """A turn that is sent: each attempt that it reports, as it was claimed and as it ended."""

    number: int
    ended: list[tuple[Claimed, list[Argument]]]
    want: int
    busy: bool
    sent_at: int = 0
    brought: list[str] = field(default_factory=list)
    """The ids that it has claimed, whoever heard of it."""


@dataclass(frozen=True)
class Answer:
    """What a turn answered."""

    words: list[str]
    claimed: list[Claimed]
    left: int
    due: int
    raw: tuple[Any, ...]


class RuledWorld(World):
    """One flow with ruled queues below one namespace; `now` is the only clock."""

    def __init__(self, redis: Redis, namespace: str, queues: Iterable[QueuePlan], **settings: Any) -> None:
        """Begin with nothing; the queues are of the flow `shop`, whose first queue is `pick`."""
        self.queues = {queue.name: queue for queue in queues}
        super().__init__(redis, namespace, rules=self._rules(), **settings)
        self.scripts = 0
        self._called: set[str] = set()
        self._kept_at = time.monotonic()
        for queue in self.queues.values():
            for group, share in queue.group_shares.items():
                self.set_share(queue.name, group, share)

    def run(self, script: str, *rest: Argument, **named: Argument) -> Any:
        """Call a script by its name; what is not named has its usual value."""
        self.scripts += 1
        return super().run(script, *rest, **named)

    def rule_by(self, queue: QueuePlan) -> None:
        """Let other rules hold for a queue from the next script on, as a deploy does."""
        self.queues[queue.name] = queue
        self.settings = replace(self.settings, rules=self._rules())

    def _rules(self) -> dict[str, Rules]:
        return {name: rules for name, queue in self.queues.items() if not (rules := rules_of(queue)).plain}

    # What clients and workers do

    def create(self, queue: str, jobs: Sequence[tuple[str, Planned]]) -> None:
        """Create jobs that wait in a queue from now on."""
        self._create(queue, jobs, "shop")

    def _create(self, queue: str, jobs: Sequence[tuple[str, Planned]], flow: str) -> None:
        rest: list[Argument] = []
        for job_id, job in jobs:
            fields = fields_of(job)
            if queue != "pick":
                fields |= {"_status": "waiting", "_queue": queue}
            rest += [job_id, "", 2 * len(fields), *(part for pair in fields.items() for part in pair)]
        named: dict[str, Argument] = {"delay_ms": 0, "until_ms": -1, "lookup_ttl": self.settings.ttl_ms}
        answers = self.run("create", *rest, queue=queue, flow=flow, **named)
        assert [answer[0] for answer in answers] == ["created"] * len(jobs), answers

    def create_by_key(  # noqa: PLR0913, PLR0917 - all that a call says
        self, flow: str, job_id: str, job: Planned, condition: str, line: str, call: str
    ) -> list[str]:
        """Create a job by the key of a lookup line, as `pick`'s flow does it; a word, and the job that has the key."""
        fields = {**fields_of(job), "_lookups": line}
        rest: list[Argument] = [job_id, line, 2 * len(fields), *(part for pair in fields.items() for part in pair)]
        named: dict[str, Argument] = {"delay_ms": 0, "until_ms": -1, "lookup_ttl": self.settings.ttl_ms, "call": call}
        [answer] = self.run("create", *rest, queue="pick", flow=flow or "shop", condition=condition, **named)
        return [str(part) for part in answer]

    # What jobs are called: here by their ids

    def name(self, number: int, job_id: str) -> str:  # noqa: ARG002 - others go by it
        """Return what a new job is called."""
        return job_id

    def split(self, name: str) -> tuple[str, str]:
        """Return the flow of a job, where its name says it, and its id."""
        return "", name

    def joined(self, flow: str, job_id: str) -> str:
        """Return what a job is called."""
        return f"{flow}:{job_id}" if flow else job_id

    def ends(self, queue: str, name: str, verb: str) -> bool:  # noqa: ARG002 - others go by them
        """Whether a job is done that ended so."""
        return verb == "finish"

    def take_turn(self, queue: str, worker_id: str, call: Call) -> Answer:
        """Take one turn of a worker."""
        rest = [part for _, attempt in call.ended for part in attempt]
        named: dict[str, Argument] = {"queue": queue, "worker_id": worker_id, "number": call.number}
        named |= {"want": call.want, "busy": int(call.busy), "ended": len(call.ended), "field_names": "n"}
        raw = self.run("turn", *rest, **named)
        self._keep_answers(worker_id)
        words, jobs, left, due, _dropped = raw
        claimed = [Claimed(job[0], job[1], job[4], self.now + int(job[START_IN] or 0)) for job in jobs]
        return Answer(words, claimed, left, due, tuple(raw))

    def _keep_answers(self, worker_id: str) -> None:
        self._called.add(worker_id)
        if time.monotonic() - self._kept_at > _KEPT_AFTER:
            for each in self._called:
                self.redis.persist(self.keys.call(each))
            self._called.clear()
            self._kept_at = time.monotonic()

    def rescue(self, queue: str) -> list[tuple[str, str]]:
        """Take back what workers have lost; a word for each id."""
        return [(job_id, word) for job_id, word in self.run("rescue", queue=queue)]

    def hold(self, queue: str, how_long: int, group: str | None) -> None:
        """Let nothing of the queue or the group start for so many milliseconds."""
        named: dict[str, Argument] = {"id": "", "field": GROUP, "priorities": self.queues[queue].priorities}
        named |= {"scope": "queue", "group": ""} if group is None else {"scope": "group", "group": text(group)}
        assert self.run("hold", queue=queue, delay_ms=how_long, until_ms=0, **named) == "held"

    def set_limit(self, queue: str, limit_id: str, to: tuple[int, int] | None, group: str) -> None:
        """Let a limiter have other values, for a group or for all (''); None: as it is declared again."""
        name = text(group)
        value = "" if to is None else f"{to[0]}/{to[1]}"
        self._set("limit", limit_id, {f"live:{name}": value, "live:": "1"} if group else {"live": value}, queue, name)

    def set_slots(self, queue: str, most: int | None) -> None:
        """Let a queue have more or fewer slots, or all queues that share them; None: as it is declared again."""
        shared, value = self.queues[queue].shared, "" if most is None else str(most)
        if shared:
            self._set("sharing", shared, {"": value}, queue, "")
        else:
            self._set("fair", queue, {"slots": value}, queue, "")

    def set_group_slots(self, queue: str, most: int | None, group: str) -> None:
        """Let a group have more or fewer slots, or all (''); None: as it is declared again."""
        name, value = text(group), "" if most is None else str(most)
        fields = {f"slots_per_group:{name}": value, "slots_per_group:": "1"} if group else {"slots_per_group": value}
        self._set("fair", queue, fields, queue, name)

    def set_share(self, queue: str, group: str, share: float) -> None:
        """Give a group more or less than the others get."""
        self._set("shares", queue, {text(group): f"{share:g}"}, queue, text(group))

    def _set(self, kind: str, name: str, fields: dict[str, str], queue: str, group: str) -> None:
        rest = [2 * len(fields), *(part for pair in fields.items() for part in pair), queue, group]
        assert self.run("set_live", *rest, hash_kind=kind, hash_name=name) == "set"

    def set_priority(self, job_id: str, priority: int) -> str:
        """Give a job another priority; a word."""
        word: str = self.run("set_priority", id=job_id, flow="shop", priority=priority)
        return word

    def loads(self, queue: str) -> dict[str, int]:
        """Return what each group holds of the slots, and of '' what jobs hold beyond one each."""
        found: Any = self.redis.hgetall(f"{self.namespace}flows:load:{queue}")
        return {group: int(held) for group, held in found.items()}

    def woken(self, queue: str) -> bool:
        """Take a wake-up of a queue, if there is one."""
        return bool(self.redis.zpopmin(self.keys.wake(queue)))

    def in_processing(self, queue: str) -> dict[str, float]:
        """Return whose leases are held in a queue, and until when."""
        found: Any = self.redis.zrange(self.keys.processing(queue), 0, -1, withscores=True)
        return dict(found)


def text(group: str) -> str:
    """Return a group as it stands in hashes and keys; '' stands for all of them."""
    return f'"{group}"' if group else ""


def rules_of(queue: QueuePlan) -> Rules:
    """Return the rules of a queue, as its options mean them."""
    limiters = [
        Limiter(
            limit.reservoir,
            timedelta(milliseconds=limit.interval),
            group_key=GROUP if limit.grouped else None,
            id=None if ":" in limit.id else limit.id,
            smooth=limit.smooth,
        )
        for limit in queue.limits
    ]
    return Rules(
        queue.priorities,
        queue.shares,
        GROUP if queue.grouped else None,
        queue.slots,
        queue.slots_per_group,
        queue.shared or None,
        limiters=tuple(limiters),
    )


def fields_of(job: Planned) -> dict[str, str]:
    """Return the fields of a job's hash, as they are written when it is created."""
    fields = {"n": "1"}
    if job.group:
        fields[GROUP] = f'"{job.group}"'
    if job.priority != 1:
        fields["_priority"] = str(job.priority)
    if job.cost != 1:
        fields["_cost"] = str(job.cost)
    return fields
