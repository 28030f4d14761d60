"""What a release of a flow declares otherwise than another one: queues, times, retries, limits, fields of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flows.model.declared.declared_flow import DeclaredClass, DeclaredFlow, DeclaredQueue, DeclaredTimes

#: So many differences are told.
MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that two releases declare otherwise; times are in seconds."""

    what: str
    """`queue`, `next`, `timeout`, `max_attempts`, `backoff`, `slots`, `slots_per_group`, `priorities`, `grouped_by`,
    `limit`, `field`, `lookups`, `ttl`, `done`, `failed`, `cancelled`, `lease`, `max_payload`."""
    queue: str | None
    """None: of the flow; of a field, one of its params."""
    name: str | None
    """Of a field or a limit, what it is called."""
    was: Any
    """None: it was not there."""
    now: Any
    """None: it is there no more."""
    fits: bool | None = None
    """Of a field, whether jobs that were created before fit the class still, as far as the schema says."""


def differences(old: DeclaredFlow, new: DeclaredFlow) -> list[Difference]:
    """Return what a release declares otherwise than one before it, 200 at most."""
    found = [
        *_queues({one.name: one for one in old.walk()}, {one.name: one for one in new.walk()}),
        *_fields(None, old.params, new.params),
        *_plain(None, _of_flow(old), _of_flow(new)),
    ]
    return found[:MOST]


def _queues(old: Mapping[str, DeclaredQueue], new: Mapping[str, DeclaredQueue]) -> Iterator[Difference]:
    for name in dict.fromkeys([*new, *old]):
        was, now = old.get(name), new.get(name)
        if was is None or now is None:
            yield Difference("queue", name, None, was and was.job.title, now and now.job.title)
            continue
        yield from _plain(name, _of_queue(was), _of_queue(now))
        yield from _limits(name, was, now)
        yield from _fields(name, was.job, now.job)


def _plain(queue: str | None, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for what, now in new.items():
        if old[what] != now:
            yield Difference(what, queue, None, old[what], now)


def _limits(name: str, old: DeclaredQueue, new: DeclaredQueue) -> Iterator[Difference]:
    was, now = _limiters(old), _limiters(new)
    for limit in dict.fromkeys([*now, *was]):
        if was.get(limit) != now.get(limit):
            yield Difference("limit", name, limit, was.get(limit), now.get(limit))


def _fields(queue: str | None, old: DeclaredClass, new: DeclaredClass) -> Iterator[Difference]:
    if old.schema is None or new.schema is None:
        return
    was, now = _typed(old.schema), _typed(new.schema)
    for name in dict.fromkeys([*now, *was]):
        before, after = was.get(name), now.get(name)
        if before != after:
            yield Difference("field", queue, name, before, after, _fits(before, after))


def _fits(before: dict[str, Any] | None, after: dict[str, Any] | None) -> bool | None:
    if after is None:
        return True
    return not after["required"] if before is None else None


def _typed(schema: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the type, the default and whether it is required, of each field of a class."""
    required: Any = schema.get("required", [])
    fields: Mapping[str, Any] = schema.get("properties", {})
    return {
        name: {"type": _type(part), "default": part.get("default"), "required": name in required}
        for name, part in fields.items()
        if hasattr(part, "get")
    }


def _type(part: Any) -> str:
    """Return the type of a field in a word or two."""
    if not isinstance(part, dict):
        return "any"
    found: dict[str, Any] = part  # pyright: ignore[reportUnknownVariableType]
    if "$ref" in found:
        return str(found["$ref"]).rpartition("/")[2]
    for key in ("anyOf", "oneOf"):
        if isinstance(found.get(key), list):
            return " | ".join(map(_type, found[key]))
    if "enum" in found:
        return " | ".join(map(repr, found["enum"]))
    if "const" in found:
        return repr(found["const"])
    kind = str(found.get("format") or found.get("type", "any"))
    return f"{kind} of {_type(found['items'])}" if kind == "array" and "items" in found else kind


def _of_queue(queue: DeclaredQueue) -> dict[str, Any]:
    retries, rules = queue.retries or {}, queue.rules
    return {
        "next": queue.next_queue,
        "timeout": None if queue.timeout is None else queue.timeout.total_seconds(),
        "max_attempts": retries.get("max_attempts", 1),
        "backoff": [ms / 1000 for ms in retries.get("backoff", [])],
        "slots": rules.slots if rules else 0,
        "slots_per_group": rules.slots_per_group if rules else 0,
        "priorities": rules.priorities if rules else 1,
        "grouped_by": rules.group if rules else None,
    }


def _limiters(queue: DeclaredQueue) -> dict[str, dict[str, Any]]:
    if queue.rules is None:
        return {}
    return {
        name: {"reservoir": of.reservoir, "interval": of.interval_ms / 1000, "per_group": bool(of.group_key)}
        for name, of in queue.rules.named_limiters(queue.name)
    }


def _of_flow(declared: DeclaredFlow) -> dict[str, Any]:
    return {
        "lookups": list(declared.lookup_attributes),
        **_kept(declared.times),
        "max_payload": declared.max_payload,
    }


def _kept(times: DeclaredTimes) -> dict[str, Any]:
    kept = {name: getattr(times, name) for name in ("ttl", "done", "failed", "cancelled", "lease")}
    return {name: None if of is None else of.total_seconds() for name, of in kept.items()}
