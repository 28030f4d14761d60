"""Measures what flows takes of a server: its share of memory, by a sample, and the scripts that were slow.

Both are bounded, however many keys there are: no command that they send looks at more than a handful of them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from flows.store.client.scripts import compositions, load
from flows.store.client.wire import ReplyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument, Command
    from flows.store.keys.jobs import JobKeys

#: So many keys are drawn, of a server that may hold a hundred million.
SAMPLE: Final = 300
#: The keys of so many queues are measured one by one: a few of them may be as large as all jobs together.
_QUEUES: Final = 200
#: Entries of the log of slow commands that are read.
_SLOW: Final = 128
_EVALS: Final = frozenset({"EVALSHA", "EVALSHA_RO"})
#: A key's kind by how it begins, the first that fits.
_KINDS: Final = (
    ("flows:log:", "logs"),
    ("flows:ended:", "queues"),
    ("flows:", "history"),
    ("queue:", "queues"),
    ("job:", "jobs"),
)
OTHERS: Final = "others"


@dataclass(frozen=True, slots=True)
class MemoryShare:
    """What the keys of each kind take, in bytes: of queues as measured, of all else as a sample tells."""

    keys: int
    """How many the server holds."""
    looked: int
    """How many of them were drawn; 0 where its account may not ask."""
    bytes_by_kind: dict[str, int]
    """`jobs`, `logs`, `queues`, `history`, and `others`, which are not of this namespace."""
    keys_by_kind: dict[str, int]


@dataclass(frozen=True, slots=True)
class SlowCommand:
    """A script of flows, or another command, that the server has found slow."""

    name: str
    """A script's name, or the command's first word."""
    script: bool
    count: int
    """How often among the last 128 that were slow."""
    worst: timedelta
    last: datetime


async def measure_memory(connection: Connection, keys: JobKeys, queues: Sequence[str]) -> MemoryShare:
    """Return which share of the memory is whose, by 300 keys that are drawn, and by the keys of up to 200 queues.

    Args:
        connection: To the server.
        keys: Those of the namespace.
        queues: The full names of all its queues.

    Raises:
        StoreError: the server cannot be used.
    """
    size, *drawn = await connection.together([("DBSIZE",), *[("RANDOMKEY",)] * SAMPLE])
    names = [name for name in drawn if isinstance(name, bytes)]
    kinds = [_kind(name.decode("utf-8", "replace"), keys.namespace) for name in names]
    large = [key for queue in queues[:_QUEUES] for key in _of_queue(keys, queue)]
    found = await _sizes(connection, [*names, *large])
    if not isinstance(size, int) or not names or all(one is None for one in found):
        return MemoryShare(size if isinstance(size, int) else 0, 0, {}, {})
    total, of_keys = Counter[str](), Counter[str](kinds)
    for kind, of_one in zip(kinds, found, strict=False):
        if kind != "queues":
            total[kind] += of_one or 0
    each = size / len(names)
    measured = [of_one for of_one in found[len(names) :] if of_one]
    of_kind = {kind: round(of_all * each) for kind, of_all in total.items()}
    by_kind = {**of_kind, "queues": sum(measured)}
    number = {kind: round(count * each) for kind, count in of_keys.items()}
    return MemoryShare(size, len(names), by_kind, {**number, "queues": len(measured)})


async def read_slow(connection: Connection) -> list[SlowCommand] | None:
    """Return what was slow lately, the worst first; None where the account may not ask.

    Of no command that is not ours more is told than its first word: what stands behind it may be anybody's.

    Raises:
        StoreError: the server cannot be used.
    """
    [entries] = await connection.together([("SLOWLOG", "GET", _SLOW)])
    if isinstance(entries, ReplyError):
        return None
    names = await asyncio.to_thread(_scripts)
    found: dict[tuple[str, bool], SlowCommand] = {}
    for entry in entries:
        _id, at, micros, words, *_who = entry
        command, told = str(words[0].decode("utf-8", "replace")).upper(), words[1:2]
        name = names.get(told[0]) if command in _EVALS and told else None
        key = (name or command[:40], name is not None)
        one = SlowCommand(*key, 1, timedelta(microseconds=micros), datetime.fromtimestamp(at, UTC))
        old = found.get(key, one)
        count = old.count + (old is not one)
        found[key] = SlowCommand(*key, count, max(old.worst, one.worst), max(old.last, one.last))
    return sorted(found.values(), key=lambda one: one.worst, reverse=True)


def _kind(key: str, namespace: str) -> str:
    if not key.startswith(namespace):
        return OTHERS
    rest = key.removeprefix(namespace)
    return next((kind for start, kind in _KINDS if rest.startswith(start)), OTHERS)


def _of_queue(keys: JobKeys, queue: str) -> Iterable[str]:
    yield from (keys.waiting(queue), keys.delayed(queue), keys.processing(queue), keys.children(queue))
    yield from (keys.ended_jobs(queue, word) for word in ("failed", "cancelled", "done"))
    yield keys.meta(queue)


async def _sizes(connection: Connection, keys: Sequence[Argument]) -> list[int | None]:
    commands: list[Command] = [("MEMORY", "USAGE", key) for key in keys]
    replies: list[Any] = await connection.together(commands)
    return [reply if isinstance(reply, int) else None for reply in replies]


@cache
def _scripts() -> dict[bytes, str]:
    """Return the name of each script by its digest; all are composed for it, which takes a second or two."""
    return {load(*one).sha.encode(): one[0] for one in compositions()}
