"""Creates jobs by keys in a storm, and says what each call has to answer: what the job of its key is just then.

A key has no state of its own, so this looks at the hash of the last job that was created by it, and at nothing else.
Some calls are sent twice, as a client does whose answer was lost: at once, or those of a debounce much later.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any, Final

from tests.faults.rules.plan import Planned
from tests.faults.rules.record import Record
from tests.faults.rules.ruled_world import RuledWorld, fields_of

_OPEN: Final = frozenset({"waiting", "delayed", "processing", "children"})
#: A kind of key and what it asks for, as `create.lua` takes it.
CONDITIONS: Final = (
    "key", "unique ended", "unique started", "unique 600", "debounce 150 0", "debounce 150 400",
)  # fmt: skip
_TEXTS: Final = ("k0", "k1")
#: A delayed job that was never claimed.
_NEVER_CLAIMED: Final = "0 - 0 0 0 "


class KeyedCalls:
    """Calls with keys, one at each `call`."""

    def __init__(self, world: RuledWorld, random: Random, record: Record) -> None:
        self._world, self._random, self._record = world, random, record
        #: By flow and the name of the key's list: the job that was created by it last.
        self._holders: dict[tuple[str, str], str] = {}
        #: A call whose answer was lost, and that answer.
        self._lost: tuple[tuple[Any, ...], list[str]] | None = None
        self.faults: list[str] = []

    def call(self, planned: Planned) -> str:
        """Create a job by some key, and note it where one was created; the answer's word."""
        if self._lost and self._random.random() < 0.3:
            self._send_again(*self._lost)
        number = len(self._record.jobs)
        name = self._world.name(number, f"pick-{number:05d}")
        condition = self._random.choice(CONDITIONS)
        return self._call(name, planned, condition, self._random.choice(_TEXTS))

    def free(self) -> list[str]:
        """Say which keys are not free although all jobs have ended; what is created for that is cancelled."""
        for number, ((flow, line), _holder) in enumerate(sorted(self._holders.items())):
            kind, _, text = line.partition(":")
            condition = {"#unique": "unique ended", "#debounce": "debounce 1 0"}.get(kind)
            if condition is None:
                continue  # such a key names its job as long as that is kept
            name = f"{flow}:free-{number}" if self._world.split("a:b")[0] else f"free-{number}"
            word = self._call(name, Planned(), condition, text)
            if word != "created":
                self.faults.append(f"{line} of {flow} is not free in the end: {word}")
            else:
                assert self._world.run("cancel", id=name, flow="shop", reason="enough")[0] == "cancelled"
        return self.faults

    def _call(self, name: str, planned: Planned, condition: str, text: str) -> str:
        world = self._world
        flow, job_id = world.split(name)
        line = f"#{condition.partition(' ')[0]}:{text}"
        wanted, due = self._wanted(flow, line, condition, planned)
        call = (flow, job_id, planned, condition, line, world.settings.new_call())
        for _ in range(self._random.choice((1, 1, 2))):
            word, *about = world.create_by_key(*call)
            if [word, *about] != wanted:
                self.faults.append(f"{condition} {text} for {name} answers {[word, *about]}, and not {wanted}")
        if due is not None:
            self._lost = call, wanted
        has = job_id if word == "created" else about[0]
        if word in {"created", "debounced"}:
            self._note(flow, line, name if word == "created" else world.joined(flow, has), planned)
        if due is not None:
            score: Any = world.redis.zscore(world.keys.delayed("pick"), world.joined(flow, has))
            if score != due:
                self.faults.append(f"{condition} {text}: {has} is due at {score}, and not at {due}")
        listed: Any = world.redis.lrange(world.keys.job(flow or "shop", line), 0, -1)
        if listed != [has]:
            self.faults.append(f"{line} names {listed}, and {has} has it")
        return str(word)

    def _send_again(self, call: tuple[Any, ...], answer: list[str]) -> None:
        """Send a call once more, long after; whatever has become of its job since, it does nothing."""
        before = self._seen(call)
        if (again := self._world.create_by_key(*call)) != answer:
            self.faults.append(f"{call} was answered {answer}, and then {again}")
        if (after := self._seen(call)) != before:
            self.faults.append(f"{call} is sent again, and {before} becomes {after}")
        self._lost = None

    def _seen(self, call: tuple[Any, ...]) -> object:
        world = self._world
        listed: Any = world.redis.lrange(world.keys.job(call[0] or "shop", call[4]), 0, -1)
        delayed: Any = world.redis.zrange(world.keys.delayed("pick"), 0, -1, withscores=True)
        return listed, delayed, [self._hash(world.joined(call[0], job_id)) for job_id in listed]

    def _note(self, flow: str, line: str, name: str, planned: Planned) -> None:
        self._holders[flow, line] = name
        self._record.jobs[name], self._record.queue_of[name] = planned, "pick"

    def _wanted(self, flow: str, line: str, condition: str, planned: Planned) -> tuple[list[str], int | None]:
        """Return what the call has to answer, and when its job is due then, of a debounce."""
        kind, *rule = condition.split(" ")
        holder = self._holders.get((flow, line))
        found: Any = self._hash(holder) if holder else {}
        held = [self._world.split(holder)[1]] if holder else []
        now = self._world.now
        if kind == "debounce":
            wait, longest = map(int, rule)
            mine = found.get("_status") == "delayed" and found.get("_queue") == "pick" and "_debounced" in found
            mine = mine and str(found.get("_attempt", "")).startswith(_NEVER_CLAIMED)
            first = int(found["_debounced"]) if mine else now
            due = min(now + wait, first + longest) if longest else now + wait
            return (["debounced", *held] if mine else ["created"]), due
        if not found:
            return ["created"], None
        if kind == "key":
            params = {name: value for name, value in fields_of(planned).items() if name[0] != "_"}
            same = all(found.get(name) == value for name, value in params.items())
            return ["existing" if same else "different", *held], None
        return (["duplicate", *held] if self._holds(rule[0], found) else ["created"]), None

    def _holds(self, rule: str, found: dict[str, str]) -> bool:
        state, queue = found.get("_status", "waiting"), found.get("_queue", "pick")
        if rule == "ended":
            return state in _OPEN
        if rule == "started":
            return state in {"waiting", "delayed"} and queue == "pick"
        return int(found.get("_unique", 0)) + int(rule) > self._world.now

    def _hash(self, name: str) -> dict[str, str]:
        flow, job_id = self._world.split(name)
        found: Any = self._world.redis.hgetall(self._world.keys.job(flow or "shop", job_id))
        return dict(found)


def any_planned(random: Random, planned: Planned) -> Planned:
    """Return a job like one that was planned, which comes now and goes first, so that keys find jobs of all states.

    Often its params are the same.
    """
    group, life = random.choice(("g0", planned.group)), random.choice((1, 400))
    return replace(planned, at=0, priority=1, group=group, life=life, cost=1)
