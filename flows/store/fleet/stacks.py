"""Asks a process for the stacks of its tasks and threads, which it tells with its next heartbeat."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from flows.store.keys.operators import OperatorKeys

if TYPE_CHECKING:
    from flows.store.client.connection import Connection
    from flows.store.jobs.answers import AskStacksAnswer
    from flows.store.jobs.flow_settings import FlowSettings


@dataclass(frozen=True, slots=True)
class Stack:
    """Where some tasks or threads are."""

    kind: str
    """`task`, `thread` or `main thread`."""
    count: int
    """How many are there."""
    frames: tuple[str, ...]
    """`<file>:<line> <function>`, the outermost first."""


@dataclass(frozen=True, slots=True)
class Stacks:
    """What a process has told."""

    at: datetime
    """By the server's clock."""
    tasks: int
    cut: bool
    """Whether there are more stacks than it tells."""
    stacks: tuple[Stack, ...]


async def ask_stacks(
    connection: Connection, settings: FlowSettings, flow: str, process: str
) -> tuple[AskStacksAnswer, int]:
    """Ask a process, and return whether it is there and when it was asked, in server milliseconds.

    Raises:
        StoreError: the server cannot be used.
    """
    named = {**settings.named(), "process": settings.keys.process(flow, process)}
    word, at = await connection.run(settings.script("ask_stacks"), named)
    return cast("AskStacksAnswer", word.decode()), at


async def read_stacks(connection: Connection, settings: FlowSettings, process: str, since_ms: int) -> Stacks | None:
    """Return what a process has told since it was asked; None where it has not yet.

    Raises:
        StoreError: the server cannot be used.
    """
    text = await connection.call("GET", OperatorKeys(settings.keys.namespace).dump(process))
    try:
        found: Any = json.loads(text or b"{}")
        if found.get("at", -1) < since_ms:
            return None
        stacks = tuple(Stack(str(one["kind"]), int(one["count"]), tuple(one["frames"])) for one in found["stacks"])
        at = datetime.fromtimestamp(found["at"] / 1000, UTC)
        return Stacks(at, int(found["tasks"]), bool(found["cut"]), stacks)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError, RecursionError):
        return None
