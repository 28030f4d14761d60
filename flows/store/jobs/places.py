"""Reads where jobs stand: how many ids are in each place of each queue, and which wait or are delayed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flows.model.limits.rules import Rules
from flows.store.keys.rules import RuleKeys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Command
    from flows.store.jobs.flow_settings import FlowSettings


@dataclass(frozen=True, slots=True)
class Depths:
    """How many ids stand in each place, of one queue or of several together."""

    waiting: int = 0
    delayed: int = 0
    processing: int = 0
    children: int = 0
    due: int = 0
    """How many of the delayed are due, by the clock of this machine."""


async def depths(connection: Connection, settings: FlowSettings, queues: Sequence[str]) -> Depths:
    """Return how many ids stand in the places of these queues together, all at one moment.

    Raises:
        StoreError: the server cannot be used.
    """
    keys = settings.keys
    now = int(time.time() * 1000) + settings.ahead_ms
    commands: list[Command] = [("MULTI",)]
    for queue in queues:
        commands.append(("LLEN", keys.waiting(queue)))
        commands += [("ZCARD", key) for key in (keys.delayed(queue), keys.processing(queue), keys.children(queue))]
        commands.append(("ZCOUNT", keys.delayed(queue), "-inf", now))
    five = len(commands) - 1
    for queue in queues:
        commands += [("LLEN", keys.waiting(queue, n)) for n in range(2, _rules_of(settings, queue).priorities + 1)]
        if _rules_of(settings, queue).group is not None:
            commands += [("HGET", fair, f"n{n}") for fair, n in _counted(settings, queue)]
    counts: list[Any] = (await connection.together([*commands, ("EXEC",)]))[-1]
    waiting = sum(max(0, int(count or 0)) for count in counts[five:])
    first, *others = (sum(counts[place:five:5]) for place in range(5))
    return Depths(first + waiting, *others)


async def standing(connection: Connection, settings: FlowSettings, queue: str) -> list[tuple[str, int | None]]:
    """Return the ids that wait in a queue or are delayed there, each with when it is due in server milliseconds.

    Raises:
        StoreError: the server cannot be used.
    """
    keys = settings.keys
    lists = await _lists_of(connection, settings, queue)
    *waiting, delayed = await connection.together(
        [*(("LRANGE", key, 0, -1) for key in lists), ("ZRANGE", keys.delayed(queue), 0, -1, "WITHSCORES")]
    )
    found: list[tuple[str, int | None]] = [(job_id.decode(), None) for ids in waiting for job_id in ids]
    found += [(job_id.decode(), int(float(at))) for job_id, at in zip(delayed[::2], delayed[1::2], strict=True)]
    return found


async def _lists_of(connection: Connection, settings: FlowSettings, queue: str) -> list[str]:
    """Return the lists in which jobs of a queue wait."""
    rules, keys = _rules_of(settings, queue), RuleKeys(settings.keys.namespace)
    bands = range(1, rules.priorities + 1)
    lists = [settings.keys.waiting(queue, n) for n in bands]
    if rules.group is None:
        return lists
    *rings, parked = await connection.together(
        [*(("ZRANGE", keys.ring(queue, n), 0, -1) for n in bands), ("ZRANGE", keys.parked(queue), 0, -1)]
    )
    groups = {(n, group.decode()) for n, ring in zip(bands, rings, strict=True) for group in ring if group}
    for name in parked:
        band, _, group = name.decode().partition("/")
        groups.add((int(band), group))
    return [*lists, *(keys.group(queue, n, group) for n, group in sorted(groups))]


def _counted(settings: FlowSettings, queue: str) -> list[tuple[str, int]]:
    fair = RuleKeys(settings.keys.namespace).fair(queue)
    return [(fair, n) for n in range(1, _rules_of(settings, queue).priorities + 1)]


def _rules_of(settings: FlowSettings, queue: str) -> Rules:
    return settings.rules.get(queue, Rules())
