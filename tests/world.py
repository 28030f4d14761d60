"""The whole state of a flow in plain dicts: seed it, call one script, compare the snapshot.

The flow is `shop`; its queues are pick → pack → ship, and `pack` has the child queues `pack:label` and `pack:box`.
Ids are short and time is a number: scripts take `now`, so a test owns it.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field, replace
from typing import Any, Final

from redis import Redis
from redis.exceptions import NoScriptError

from flows.model.outcome import VERBS
from flows.store.client.scripts import Argument
from flows.store.jobs.flow_settings import FlowSettings
from flows.store.keys.jobs import JobKeys
from tests.answer_shapes import mismatch
from tests.attempt_field import shown, stored
from tests.outcomes import ended
from tests.possible import impossible

#: The time of the first call, in milliseconds.
NOW: Final = 1_000_000
HOUR: Final = 3_600_000
#: All queues of the flow, as it declares them.
QUEUES: Final = ("pick", "pack", "pack:label", "pack:box", "ship")
#: How long a job lives on its way, and after it is done, failed or cancelled.
TTL: Final = 24 * HOUR
KEPT: Final = (1 * HOUR, 2 * HOUR, 3 * HOUR)
LEASE: Final = 30_000
#: What the server's clock may have taken from a TTL before a test looks at it.
SLOW: Final = 30_000

#: The kinds of keys: how the rest of the key begins or ends, what a snapshot calls it, its type.
PLACES: Final = {
    "waiting": "list",
    "processing": "zset",
    "delayed": "zset",
    "children": "zset",
    "meta": "hash",
    "stale": "hash",
}
KINDS: Final = {
    "pending": "set",
    "parents": "hash",
    "building": "list",
    "cancelling": "hash",
    "reconcile": "hash",
    "prune": "zset",
    "log": "list",
    "names": "hash",
    "history": "hash",
    "queues": "hash",
    "flow": "hash",
    "settings": "string",
    "process": "string",
    "processes": "zset",
    "workers": "zset",
    "stats": "hash",
    "wake": "zset",
    "timer": "string",
    "call": "string",
    "ended": "hash",
    "endings": "stream",
    "errors": "stream",
    "error_types": "set",
    "group": "list",
    "ring": "zset",
    "parked": "zset",
    "fair": "hash",
    "shares": "hash",
    "limit": "hash",
    "window": "string",
    "windows": "hash",
    "slots": "hash",
    "load": "hash",
    "sharing": "hash",
    "next": "list",
    "event": "stream",
    "waiters": "hash",
    "sent": "string",
    "sending": "hash",
    "forking": "hash",
    "kept": "zset",
    "schedules": "zset",
    "schedule": "hash",
    "fired": "hash",
    "declared": "hash",
    "tree": "hash",
    "treetasks": "hash",
    "treeresults": "hash",
    "treelog": "hash",
    "treekey": "string",
    "treedirty": "zset",
    "treeapps": "hash",
    "treerows": "hash",
    "trees": "zset",
    "treesworking": "zset",
}

#: What a test seldom compares: wake-ups, answers of last calls, how far the reconciler has come and what it has to look
#: at, what has ended, and what processes say of themselves.
UNSEEN: Final = frozenset(
    {
        "wake",
        "timer",
        "call",
        "reconcile",
        "prune",
        "ended",
        "flow",
        "settings",
        "process",
        "processes",
        "workers",
        "stats",
    }
)
#: Of the counts in `meta`, those that every snapshot shows: the others rise with all that scripts do.
_SEEN_COUNTS: Final = frozenset(
    {"owner", "flows", "expired", "malformed", "misplaced", "paused", "paused_at", "paused_note", "rules"}
)

State = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Job:
    """One job as a turn gave it out."""

    id: str
    fence: int
    attempt: int = 1
    visit: int = 0
    rescues: int = 0
    waited: int = field(default=0, compare=False)
    correlation_id: str | None = None
    values: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What a turn answered."""

    words: list[str]
    claimed: list[Job]
    left: int
    due: int

    @property
    def ids(self) -> list[str]:
        """The ids of the claimed jobs."""
        return [job.id for job in self.claimed]


class World:
    """One flow below one namespace."""

    def __init__(self, redis: Redis, namespace: str, **settings: Any) -> None:
        """Use the usual settings, or others."""
        self.redis = redis
        self.namespace = namespace
        self.keys = JobKeys(namespace)
        self.settings = replace(
            FlowSettings("shop", "pick", self.keys, TTL, KEPT, LEASE, max_crashes=3, max_payload=1 << 20), **settings
        )
        self.now = NOW
        self._numbers = itertools.count(1)

    # What is there

    def seed(self, **state: dict[str, Any]) -> None:
        """Write a state that has the shape of a snapshot; jobs get the TTL of jobs that are on their way.

        A job that no transition can leave so is refused: a test about damage says so by `seed_damaged`.
        """
        for name, value in state.get("jobs", {}).items():
            wrong = [*impossible(value)] if isinstance(value, dict) else []
            assert not wrong, f"job {name} cannot be: {'; '.join(wrong)}"
        self.seed_damaged(**state)

    def seed_damaged(self, **state: dict[str, Any]) -> None:
        """Write a state that somebody has edited, or that was lost by half, as `seed` writes one."""
        for kind, entries in state.items():
            for name, value in entries.items():
                self._write(
                    self.key(kind, name), stored(value) if kind == "jobs" and isinstance(value, dict) else value
                )
                if kind == "jobs" and self.settings.ttl_ms:
                    self.redis.pexpire(self.key(kind, name), self.settings.ttl_ms)

    def snapshot(self, *, unseen: frozenset[str] = UNSEEN, counts: bool = False) -> State:
        """Return everything below the namespace; jobs are named `<flow>:<id>`, and what is empty is left out."""
        found: State = {}
        keys = sorted(self.redis.scan_iter(f"{self.namespace}*", count=10_000))
        types = self._together("type", keys)
        for key, type_, value in zip(keys, types, self._together_read(keys, types), strict=True):
            kind, name = self._kind(key, type_)
            if kind == "meta" and isinstance(value, dict) and not counts:
                value = {name: count for name, count in value.items() if name in _SEEN_COUNTS}  # noqa: PLW2901
            if kind not in unseen and value:
                found.setdefault(kind, {})[name] = shown(value) if kind == "jobs" and isinstance(value, dict) else value
        return found

    def job(self, name: str) -> dict[str, str]:
        """Return a job's hash, the user's fields and the kernel's."""
        found: Any = self.redis.hgetall(self.key("jobs", name))
        return shown(found)

    def edit(self, name: str, **fields: object) -> None:
        """Write some fields of a job's hash by hand."""
        self.redis.hset(self.key("jobs", name), mapping=stored({**self.job(name), **fields}))

    def key(self, kind: str, name: str) -> str:
        """Return the key of an entry of a snapshot."""
        if kind in {"jobs", "settled", "lookups"}:
            return f"{self.namespace}job:{name}"
        if kind == "streams":
            return f"{self.namespace}job:{name}:stream"
        if kind in PLACES:
            queue, _, priority = name.partition("/")
            return f"{self.namespace}queue:{queue}:{kind}{priority and ':'}{priority}"
        if kind in {"names", "history", "schedules", "treeapps", "treerows"}:
            return f"{self.namespace}flows:{kind}"
        return f"{self.namespace}flows:{kind}:{name}"

    def life(self, kind: str, name: str) -> int:
        """Return the TTL of an entry in milliseconds; -1: none, -2: it is not there."""
        left: Any = self.redis.pttl(self.key(kind, name))
        return int(left)

    def lives(self, kind: str, name: str, ttl_ms: int) -> bool:
        """Whether an entry was just given this TTL."""
        most = ttl_ms + (ttl_ms // 64 if ttl_ms == TTL else 0)  # what has just come to a queue gets more
        return ttl_ms - SLOW < self.life(kind, name) <= most

    # What is done

    def run(self, script: str, *rest: Argument, **named: Argument) -> Any:
        """Call a script by its name; what is not named has its usual value."""
        loaded = self.settings.script(script, str(named.get("queue", "pick")))
        if script != "turn":  # each call is a new one; a turn has a number besides
            named.setdefault("call", self.settings.new_call())
        if script == "renew":
            named.setdefault("number", 0)  # of no turn
        command = loaded.command({**self._usual(**named), **named}, rest)
        send: Any = self.redis.execute_command
        try:
            answer = send(*command)
        except NoScriptError:
            answer = send(*loaded.in_full(command))
        assert mismatch(loaded.returns, loaded.words, answer) == "", script
        return answer

    def turn(self, *attempts: list[Argument], want: int = 0, fields: tuple[str, ...] = (), **named: Argument) -> Answer:
        """Call `turn` with the next number, or the `number` that is named."""
        named = {"number": next(self._numbers), "busy": 0, **named}
        rest = [*itertools.chain(*attempts)]
        words, claimed, left, due, _dropped = self.run(
            "turn", *rest, want=want, field_names=" ".join(fields), ended=len(attempts), **named
        )
        return Answer(words, [Job(*job[:7], tuple(job[7:])) for job in claimed], left, due)

    def claim(self, want: int = 1, **named: Argument) -> list[Job]:
        """Claim jobs of a queue."""
        return self.turn(want=want, **named).claimed

    def report(self, *attempts: list[Argument], **named: Argument) -> list[str]:
        """End attempts by `report`; a word for each."""
        words: list[str] = self.run("report", *itertools.chain(*attempts), ended=len(attempts), **named)
        return words

    def reconcile(self, **named: Argument) -> list[tuple[str, str, str]]:
        """Make one whole pass of the reconciler in no time; what was repaired: queue, id and word."""
        found: list[tuple[str, str, str]] = []
        goes_on = 1
        while goes_on:
            self.redis.hdel(self.keys.reconcile("shop"), "at")
            _wait, goes_on, repairs = self.run("reconcile", *QUEUES, **named)
            found += [(queue, job_id, word) for queue, job_id, word in repairs]
        return found

    def _usual(self, **named: Argument) -> dict[str, Argument]:
        queue, worker_id = str(named.get("queue", "pick")), str(named.get("worker_id", "w1"))
        flow = str(named.get("flow", self.settings.flow_of(queue)))
        times = {f"{name}_ms": int(named[name]) for name in ("ttl", "lease") if name in named}
        return {
            **replace(self.settings, **times).named(flow),
            "now": self.now,
            "queue": queue,
            "worker_id": worker_id,
            "waiting": self.keys.waiting(queue),
            "processing": self.keys.processing(queue),
            "delayed": self.keys.delayed(queue),
            "call": self.keys.call(worker_id),
            "building": self.keys.building(flow, str(named.get("id", ""))),
            "cancelling": self.keys.cancelling("shop"),
            "until_ms": 1 << 53,
            "condition": "",
            "number": 0,
            "history": self.keys.history(),
            "names": self.keys.names(),
            "flow_settings": self.keys.settings(str(named.get("owner", "shop"))),
            "shared": "",
            "queues": self.keys.queues("shop"),
            "reconcile": self.keys.reconcile("shop"),
            "most_lines": 1000,
            "most_bytes": 1 << 20,
            "states": "",
            "ended_before": 0,
            "layouts": "",
        }

    def _kind(self, key: str, type_: str) -> tuple[str, str]:
        first, _, name = key.removeprefix(self.namespace).partition(":")
        if first == "job":
            if type_ == "list":
                return "lookups", name
            if type_ == "stream":
                return "streams", name.removesuffix(":stream")
            return ("settled" if ":children:" in name else "jobs"), name
        if first == "queue":
            banded = re.fullmatch(r"(.+):waiting:(\d+)", name)
            if banded:  # that of a priority is called `<queue>/<priority>`
                return "waiting", f"{banded[1]}/{banded[2]}"
            queue, _, place = name.rpartition(":")
            return (place, queue) if place in PLACES else ("other", key)
        kind, _, name = name.partition(":")
        return (kind, name) if first == "flows" and kind in KINDS else ("other", key)

    def _together(self, command: str, keys: list[str]) -> list[Any]:
        with self.redis.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.execute_command(command, key)
            return list(pipeline.execute())

    def _together_read(self, keys: list[str], types: list[str]) -> list[Any]:
        with self.redis.pipeline(transaction=False) as pipeline:
            for key, type_ in zip(keys, types, strict=True):
                name = key.removeprefix(self.namespace)
                match type_:
                    case "hash":
                        # The windows of groups are packed, as are those of queues and the answers of last calls.
                        (pipeline.hkeys if name.startswith("flows:windows:") else pipeline.hgetall)(key)
                    case "list":
                        pipeline.lrange(key, 0, -1)
                    case "set":
                        pipeline.smembers(key)
                    case "stream":
                        pipeline.xlen(key)
                    case "zset":
                        pipeline.zrange(key, 0, -1, withscores=True)
                    case _:
                        packed = name.startswith(("flows:call:", "flows:window:"))
                        (pipeline.exists if packed else pipeline.get)(key)
            found: list[Any] = pipeline.execute()
        return [
            {member: _whole(score) for member, score in value} if type_ == "zset" else value
            for value, type_ in zip(found, types, strict=True)
        ]

    def _is_sorted_set(self, key: str, place: str) -> bool:
        first, kind = key.removeprefix(self.namespace).split(":")[:2]
        return (PLACES.get(place) if first == "queue" else KINDS.get(kind) if first == "flows" else "") == "zset"

    def _write(self, key: str, value: Any) -> None:
        place = key.removeprefix(self.namespace).rpartition(":")[2]
        if isinstance(value, str):
            self.redis.set(key, value)
        elif isinstance(value, list):
            self.redis.rpush(key, *value)
        elif isinstance(value, set):
            self.redis.sadd(key, *value)
        elif self._is_sorted_set(key, place):
            self.redis.zadd(key, value)
        else:
            self.redis.hset(key, mapping=value)


def _whole(score: float) -> float:
    return int(score) if score.is_integer() else score


def processing(queue: str = "pick", **fields: str) -> dict[str, str]:
    """Return the hash of a job that worker `w1` has, with the fence 1, on its first attempt."""
    mine = {"_status": "processing", "_queue": queue, "_fence": "1", "_worker": "w1", "_attempts": "1"}
    return {**mine, **fields}


def line(verb: str, attempt: int = 1, *, queue: str = "pick", at: int = NOW, more: str = "") -> str:
    """Return a line of a job's history, as worker `w1` leaves it; `more` is members that the verb adds."""
    begin = f'{{"queue":"{queue}","attempt":{attempt},"worker":"w1","at":{at},"verb":"{verb}"'
    return begin + (f",{more}" if more else "") + "}"


def attempt(verb: str, job_id: str, fence: int, *arguments: Argument) -> list[Argument]:
    """Return one ended attempt, as turn and report read it."""
    return [verb, job_id, fence, len(arguments), *arguments]


def finish(job_id: str, fence: int = 1, result: str = "", **fields: str) -> list[Argument]:
    """The job is done; `result` is for its parent."""
    return attempt("finish", job_id, fence, result, *itertools.chain(*fields.items()))


def advance(job_id: str, fence: int = 1, to: str = "pack", **fields: str) -> list[Argument]:
    """The job goes to another queue."""
    return attempt("advance", job_id, fence, to, *itertools.chain(*fields.items()))


def fail(job_id: str, fence: int = 1, error: str = '{"type":"E"}') -> list[Argument]:
    """The job has failed."""
    return attempt("fail", job_id, fence, error)


def retry(job_id: str, fence: int = 1, delay_ms: int = 5000, error: str = '{"type":"E"}') -> list[Argument]:
    """The attempt failed and is made again."""
    return attempt("retry", job_id, fence, delay_ms, error, error)


def snooze(job_id: str, fence: int = 1, delay_ms: int = 5000, until_ms: int = 0) -> list[Argument]:
    """The job comes back later."""
    return attempt("snooze", job_id, fence, delay_ms, until_ms, '"later"')


def release(job_id: str, fence: int = 1) -> list[Argument]:
    """The worker stops."""
    return attempt("release", job_id, fence)


def cancel(job_id: str, fence: int = 1, reason: str = "why") -> list[Argument]:
    """The attempt ends as cancelled."""
    return attempt("cancel", job_id, fence, reason)


def await_children(  # noqa: PLR0913, PLR0917 - as many as the transition takes
    job_id: str,
    fence: int = 1,
    children: tuple[tuple[str, str], ...] = (),
    to: str = "",
    policy: str = "continue",
    result: str = "",
    **fields: str,
) -> list[Argument]:
    """The job waits for its children, each a child's queue and its id, and goes on to the queue `to` or is done."""
    arguments = [to, policy, result, *_counted(fields), *packed(children)]
    return attempt("await_children", job_id, fence, *arguments)


def packed(children: tuple[tuple[str, str], ...]) -> list[Argument]:
    """Return children as the scripts read them; each has the field `n`, its id as JSON."""
    arguments: list[Argument] = [len(children)]
    for child, child_id in children:
        arguments += (child, child_id, 2, "n", f'"{child_id}"')
    return arguments


def _counted(fields: dict[str, str]) -> list[Argument]:
    return [len(fields) * 2, *itertools.chain(*fields.items())]


#: Each way in which an attempt can end, as a worker of `pick` would report it of its job `1`.
ENDINGS: Final = {verb: ended(verb, "1") for verb in VERBS}
