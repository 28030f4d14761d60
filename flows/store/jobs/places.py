"""Reads where jobs stand: how many ids are in each place of each queue, and which wait or are delayed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    counts: list[int] = (await connection.together([*commands, ("EXEC",)]))[-1]
    return Depths(*(sum(counts[place::5]) for place in range(5)))


async def standing(connection: Connection, settings: FlowSettings, queue: str) -> list[tuple[str, int | None]]:
    """Return the ids that wait in a queue or are delayed there, each with when it is due in server milliseconds.

    Raises:
        StoreError: the server cannot be used.
    """
    keys = settings.keys
    waiting, delayed = await connection.together(
        [("LRANGE", keys.waiting(queue), 0, -1), ("ZRANGE", keys.delayed(queue), 0, -1, "WITHSCORES")]
    )
    found: list[tuple[str, int | None]] = [(job_id.decode(), None) for job_id in waiting]
    found += [(job_id.decode(), int(float(at))) for job_id, at in zip(delayed[::2], delayed[1::2], strict=True)]
    return found
