"""Reads declarations back, for programs that do not have the flow's code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from flows.model.limits.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flows.model.declared.schemas import Schema


@dataclass(frozen=True, slots=True)
class DeclaredClass:
    """A class that a flow declares: Params, or the job class of a queue."""

    title: str
    """Its name, to be shown; nothing is imported by it."""
    schema: Schema | None
    """Its JSON schema; None where the flow leaves schemas out, or where a type of it has none."""


@dataclass(frozen=True, slots=True)
class DeclaredQueue:
    """A queue of a declaration."""

    name: str
    """Its full name: a child queue's begins with its parent's."""
    job: DeclaredClass
    next_queue: str | None
    children: tuple[DeclaredQueue, ...]
    on_child_failure: str
    retries: Mapping[str, Any] | None
    """As they were declared, times in milliseconds; None: the first attempt that fails is the last."""
    timeout: timedelta | None
    formerly: tuple[str, ...]
    rules: Rules | None = None
    """Its priorities, groups, limits and slots, where it has some."""

    @property
    def max_attempts(self) -> int:
        """How often a job is tried here at most."""
        return 1 if self.retries is None else int(self.retries.get("max_attempts", 1))

    def walk(self) -> Iterator[DeclaredQueue]:
        """Yield the queue, its child queues, and theirs."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class DeclaredTimes:
    """How long jobs and leases last; None: for ever."""

    ttl: timedelta | None
    done: timedelta
    failed: timedelta
    cancelled: timedelta
    lease: timedelta


@dataclass(frozen=True, slots=True)
class DeclaredFlow:
    """What processes of one release declare."""

    flow: str
    digest: str
    seen: datetime | None
    """When a process of it connected last, or was heard of, by the server's clock."""
    params: DeclaredClass
    queues: tuple[DeclaredQueue, ...]
    """In the order of declaration: jobs enter at the first."""
    lookup_attributes: tuple[str, ...]
    times: DeclaredTimes
    max_payload: int
    max_crashes: int

    def walk(self) -> Iterator[DeclaredQueue]:
        """Yield all queues and child queues."""
        for queue in self.queues:
            yield from queue.walk()


def read_results(text: str | bytes) -> tuple[DeclaredClass, ...]:
    """Return the classes of result that stand in a text; none where somebody has edited it into something else."""
    try:
        return tuple(map(_class, json.loads(text)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ()


def read_declared(digest: str, text: str | bytes, seen: str | bytes | None) -> DeclaredFlow | None:
    """Return a declaration as it was written; None where somebody has edited it into something else."""
    try:
        found = json.loads(text)
        return DeclaredFlow(
            flow=_text(found["flow"]),
            digest=digest,
            seen=None if seen is None else datetime.fromtimestamp(int(seen) / 1000, UTC),
            params=_class(found["params"]),
            queues=tuple(_queue(queue, "") for queue in found["queues"]),
            lookup_attributes=tuple(map(_text, found["lookups"])),
            times=_times(found["times"]),
            max_payload=int(found["max_payload"]),
            max_crashes=int(found["max_crashes"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError, RecursionError):
        return None


def _queue(found: Any, parent: str) -> DeclaredQueue:
    name = f"{parent}:{_text(found['name'])}" if parent else _text(found["name"])
    return DeclaredQueue(
        name=name,
        job=_class(found["job"]),
        next_queue=None if found["next"] is None else _text(found["next"]),
        children=tuple(_queue(child, name) for child in found["children"]),
        on_child_failure=_text(found["on_child_failure"]),
        retries=None if found["retries"] is None else _mapping(found["retries"]),
        timeout=_optional(found["timeout"]),
        formerly=tuple(map(_text, found["formerly"])),
        rules=Rules.parse(_text(found["rules"]))[1] if "rules" in found else None,
    )


def _class(found: Any) -> DeclaredClass:
    return DeclaredClass(_text(found["title"]), None if found["schema"] is None else _mapping(found["schema"]))


def _times(found: Any) -> DeclaredTimes:
    done, failed, cancelled, lease = (_time(found[name]) for name in ("done", "failed", "cancelled", "lease"))
    return DeclaredTimes(_optional(found["ttl"]), done, failed, cancelled, lease)


def _optional(found: Any) -> timedelta | None:
    return None if found is None else _time(found)


def _time(found: Any) -> timedelta:
    return timedelta(milliseconds=int(found))


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise TypeError
    return found


def _mapping(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise TypeError
    return cast("dict[str, Any]", found)
