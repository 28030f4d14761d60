"""Reads everything below a namespace with plain commands, and sorts it by what docs/key_names.md says it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import redis

from flows import FlowOptions
from flows.model.state import TERMINAL
from flows.pipeline.bulk.action import bulk_name
from tests.attempt_field import shown

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs" / "key_names.md"
#: A row of the table: the key in backticks, its type, what it holds.
_ROW: Final = re.compile(r"^\| `([^`]+)` \| (\w+) \|", re.MULTILINE)
_PLACES: Final = ("waiting", "processing", "delayed", "children")
#: What is kept of queues with rules.
_RULES: Final = ("group", "ring", "parked", "fair", "slots", "load")
_MANY: Final = 500


@dataclass(frozen=True)
class Seen:
    """One job as its hash says it is; `life` is its time to live in milliseconds, -1 where it has none."""

    flow: str
    id: str
    first: str
    life: int
    fields: dict[str, str]

    @property
    def name(self) -> str:
        """`<flow>:<id>`."""
        return f"{self.flow}:{self.id}"

    @property
    def status(self) -> str:
        """Its state; one that was never claimed waits."""
        return self.fields.get("_status", "waiting")

    @property
    def queue(self) -> str:
        """Its queue."""
        return self.fields.get("_queue", self.first)

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.status in TERMINAL

    @property
    def fence(self) -> int:
        """How often it was claimed."""
        return _number(self.fields.get("_fence"))

    @property
    def visit(self) -> int:
        """How many queues it has left."""
        return _number(self.fields.get("_visit"))

    def value(self, name: str) -> Any:
        """Return a field of the user's, decoded; None where there is none, or what somebody has edited."""
        with suppress(ValueError, RecursionError):
            return json.loads(self.fields.get(name, "null"))

    def children(self) -> list[str]:
        """Return the names of the children that it was given, in all of its queues."""
        lists = [self.value(name) for name in self.fields if re.fullmatch("children:.+:jobs", name)]
        keys = [key for listed in lists if isinstance(listed, list) for key in listed]
        return [str(key).partition("job:")[2] for key in keys]


def _number(text: str | None) -> int:
    """Return a number of the kernel's; 0 where there is none, or what somebody has edited."""
    with suppress(ValueError):
        return int(text or 0)
    return 0


@dataclass
class Snapshot:
    """What stands below a namespace at one moment, at which nobody should write.

    Attributes:
        now: The server's time in milliseconds.
        jobs: By `<flow>:<id>`.
        places: By queue and place: (id, score) pairs; the score of a list's members is 0.
        lookups: By `<flow>:<attribute>:<value>`: the ids.
        pending: By the parent's name: its children's ids.
        parents: By child flow: child id → the parent's name.
        building: By the parent's name: keys of children that are written and not let out.
        metas: By queue: the counts.
        repairs: By what the reconciler of the flow calls it: how often it has repaired that.
        cancelling: By the parent's name: how far the cancellation of its children has come.
        ended: By `<queue>:<failed, cancelled or done>`: the ids that are listed so.
        rules: By kind and name, as `("ring", "<queue>/<priority>")`: what queues with rules keep.
        lives: The time to live of every key, by the key without the namespace.
        strange: Keys that the documentation does not know, or of another type.
    """

    namespace: str
    now: int = 0
    jobs: dict[str, Seen] = field(default_factory=dict)
    places: dict[tuple[str, str], list[tuple[str, float]]] = field(default_factory=dict)
    lookups: dict[str, list[str]] = field(default_factory=dict)
    pending: dict[str, set[str]] = field(default_factory=dict)
    parents: dict[str, dict[str, str]] = field(default_factory=dict)
    building: dict[str, list[str]] = field(default_factory=dict)
    metas: dict[str, dict[str, str]] = field(default_factory=dict)
    repairs: dict[str, int] = field(default_factory=dict)
    cancelling: dict[str, str] = field(default_factory=dict)
    ended: dict[str, list[str]] = field(default_factory=dict)
    rules: dict[tuple[str, str], Any] = field(default_factory=dict)
    lives: dict[str, int] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)

    @cached_property
    def where(self) -> dict[str, list[tuple[str, str]]]:
        """By the id, without regard to the flow: the places that it stands in, once for each time."""
        found: dict[str, list[tuple[str, str]]] = {}
        for (queue, place), members in self.places.items():
            for member, _score in members:
                found.setdefault(member.rpartition(":")[2], []).append((queue, place))
        return found


def read(client: redis.Redis, options: FlowOptions[Any, Any]) -> Snapshot:
    """Read everything below the namespace of a flow."""
    seconds, micros = client.time()  # type: ignore[misc]
    snapshot = Snapshot(options.namespace, int(seconds) * 1000 + int(micros) // 1000)
    keys = sorted(client.scan_iter(f"{_escaped(options.namespace)}*", count=10_000))
    firsts = {name: name for name, _queue in options.walk() if ":" in name}
    firsts[options.name] = options.queues[0].name
    firsts[bulk_name(options.name)] = bulk_name(options.name)
    firsts |= dict.fromkeys(_sharing(client, options), options.queues[0].name)
    patterns = documented()
    for start in range(0, len(keys), _MANY):
        some = keys[start : start + _MANY]
        types = _together(client, some, lambda pipe, key: pipe.type(key))
        lives = _together(client, some, lambda pipe, key: pipe.pttl(key))
        kinds = dict(zip(some, types, strict=True))
        values = _together(client, some, lambda pipe, key, kinds=kinds: _read(pipe, key, kinds[key]))
        for key, kind, life, value in zip(some, types, lives, values, strict=True):
            name = key.removeprefix(options.namespace)
            snapshot.lives[name] = life
            if kind == "none":
                continue  # it expired while it was read
            if not any(of == kind and pattern.fullmatch(name) for pattern, of in patterns):
                snapshot.strange.append(f"{name} ({kind})")
            else:
                _sort(snapshot, firsts, name, kind, life, value)
    return snapshot


def _sharing(client: redis.Redis, options: FlowOptions[Any, Any]) -> list[str]:
    """Return the other flows that share the first queue."""
    meta = f"{options.namespace}queue:{options.queues[0].name}:meta"
    flows = client.hget(meta, "flows") if client.type(meta) == "hash" else None
    return [flow for flow in str(flows or "").split() if flow != options.name]


def documented() -> list[tuple[re.Pattern[str], str]]:
    """Return the patterns of the documentation's table, each with the type that stands beside it."""
    rows = _ROW.findall(DOCUMENT.read_text("utf-8"))
    return [(re.compile(re.sub(r"<[^<>]+>", ".+", re.escape(key).replace(r"\<", "<"))), kind) for key, kind in rows]


def _sort(  # noqa: PLR0913, PLR0917 - all that is known of a key
    snapshot: Snapshot, firsts: dict[str, str], name: str, kind: str, life: int, value: Any
) -> None:
    family, _, rest = name.partition(":")
    if family == "job":
        _sort_job(snapshot, firsts, rest, kind, life, value)
    elif family == "queue":
        _sort_queue(snapshot, rest, kind, value)
    else:
        sort, _, of = rest.partition(":")
        kept: dict[str, Any] = {
            "pending": snapshot.pending, "parents": snapshot.parents, "building": snapshot.building,
        }  # fmt: skip
        if sort in _RULES:
            snapshot.rules[sort, of] = value
            if sort == "group":
                waiting = snapshot.places.setdefault((of.partition("/")[0], "waiting"), [])
                waiting.extend((member, 0.0) for member in value)
        elif sort in kept:
            kept[sort][of] = set(value) if sort == "pending" else value
        elif sort == "cancelling":
            snapshot.cancelling.update(value)
        elif sort == "ended":
            snapshot.ended[of] = value if kind == "list" else [member for member, _ended_ms in value]
        elif sort == "reconcile":
            repaired = {name: count for name, count in value.items() if name.startswith("repaired:")}
            snapshot.repairs.update({name.removeprefix("repaired:"): int(n) for name, n in repaired.items()})


def _sort_queue(snapshot: Snapshot, rest: str, kind: str, value: Any) -> None:
    queue, _, place = rest.rpartition(":")
    if queue.endswith(":waiting") and place.isdigit():
        queue, place = queue.removesuffix(":waiting"), "waiting"  # of a lower priority
    if place == "meta":
        snapshot.metas[queue] = value
    elif place in _PLACES:
        members = [(member, 0.0) for member in value] if kind == "list" else value
        snapshot.places.setdefault((queue, place), []).extend(members)


def _sort_job(  # noqa: PLR0913, PLR0917 - all that is known of a key
    snapshot: Snapshot, firsts: dict[str, str], rest: str, kind: str, life: int, value: Any
) -> None:
    flow = max((flow for flow in firsts if rest.startswith(f"{flow}:")), key=len, default=None)
    if flow is None:
        snapshot.strange.append(f"job:{rest} ({kind}): of no flow that is known")
    elif kind == "list":
        snapshot.lookups[rest] = value
    elif ":children:" not in rest:
        snapshot.jobs[rest] = Seen(flow, rest.removeprefix(f"{flow}:"), firsts[flow], life, shown(value))


def _read(pipe: Any, key: str, kind: str) -> None:
    match kind:
        case "hash":
            pipe.hgetall(key)
        case "list":
            pipe.lrange(key, 0, -1)
        case "set":
            pipe.smembers(key)
        case "zset":
            pipe.zrange(key, 0, -1, withscores=True)
        case _:
            pipe.exists(key)


def _together(client: redis.Redis, keys: Sequence[str], add: Callable[[Any, str], Any]) -> list[Any]:
    with client.pipeline(transaction=False) as pipe:
        for key in keys:
            add(pipe, key)
        return list(pipe.execute(raise_on_error=False))


def _escaped(namespace: str) -> str:
    return re.sub(r"([*?\[\]\\])", r"\\\1", namespace)
