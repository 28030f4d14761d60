"""A flow whose queue `pick` has rules: jobs that wait there, turns of its workers, and when what they claim starts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from redis import Redis

from flows.model.limits.limiter import Limiter
from flows.model.limits.rules import Rules
from flows.store.client.scripts import Argument
from flows.store.jobs.claimed import START_IN
from tests.world import World

#: The field of jobs by which queues group.
GROUP: Final = "tenant"


@dataclass(frozen=True)
class Started:
    """A job that a turn has claimed, and when it starts."""

    id: str
    fence: int
    at: int


@dataclass(frozen=True)
class Turn:
    """What a turn of a ruled queue has answered."""

    words: list[str]
    jobs: list[Started]
    left: int
    due: int
    dropped: list[int]
    raw: list[list[Any]]

    @property
    def ids(self) -> list[str]:
        """The ids of the jobs, in their order."""
        return [job.id for job in self.jobs]


class Ruled(World):
    """The flow `shop` with rules for `pick`, and for other queues where they are given."""

    def __init__(self, redis: Redis, namespace: str, *limiters: Limiter, **rules: Any) -> None:
        """Begin with these rules of `pick`; `others` are those of other queues."""
        others = rules.pop("others", {})
        super().__init__(redis, namespace, rules={"pick": Rules(limiters=limiters, **rules), **others})

    def wait(
        self, *ids: str, group: str | None = None, priority: int = 1, cost: int = 1, queue: str = "pick", **fields: str
    ) -> None:
        """Create jobs that wait in a queue."""
        fields = {"a": "1", **fields}
        if group is not None:
            fields[GROUP] = json.dumps(group)
        if priority != 1:
            fields["_priority"] = str(priority)
        if cost != 1:
            fields["_cost"] = str(cost)
        if queue != "pick":
            fields |= {"_status": "waiting", "_queue": queue}
        pairs = [part for pair in fields.items() for part in pair]
        for start in range(0, len(ids), 100):
            rest: list[Argument] = []
            for job_id in ids[start : start + 100]:
                rest += [job_id, "", len(pairs), *pairs]
            self.run("create", *rest, queue=queue, delay_ms=0, until_ms=-1, lookup_ttl=self.settings.ttl_ms)

    def take(self, want: int = 100, ended: Iterable[list[Argument]] = (), **named: Argument) -> Turn:
        """Take one turn of a worker."""
        attempts = [*ended]
        rest = [part for attempt in attempts for part in attempt]
        named = {"number": next(self._numbers), "busy": 0, "field_names": "a", **named}
        answer: Any = self.run("turn", *rest, want=want, ended=len(attempts), **named)
        jobs: list[list[Any]] = answer[1]
        started = [Started(job[0], job[1], self.now + job[START_IN]) for job in jobs]
        return Turn(answer[0], started, answer[2], answer[3], answer[4], jobs)

    def window(self, name: str) -> list[float]:
        """Return what a window holds, of a limiter or as `<limiter>/<group>`: pairs of a time and tokens."""
        limiter, _, group = name.partition("/")
        read = "redis.call('HGET', KEYS[1], ARGV[1])" if group else "redis.call('GET', KEYS[1])"
        code = f"local t = {read} return t and cjson.encode(cmsgpack.unpack(t)) or '[]'"
        found: Any = self.redis.eval(code, 1, self.key("windows" if group else "window", limiter), group)
        return list(json.loads(found))

    def starts(self, until: int, want: int = 100) -> list[int]:
        """Claim as soon as the alarm says, until no job is left or so many ms are over; return when each job starts."""
        found: list[int] = []
        end = self.now + until
        while self.now <= end:
            turn = self.take(want)
            found += [job.at for job in turn.jobs]
            if turn.left:
                continue
            if not turn.due:
                break
            self.now += turn.due
        return found


def fullest(starts: Iterable[int], interval: int) -> int:
    """Return how many starts the fullest window of this length has, wherever it begins."""
    ordered = sorted(starts)
    return max((sum(begin <= start < begin + interval for start in ordered) for begin in ordered), default=0)
