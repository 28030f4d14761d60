"""An instance as `MemoryStorage` keeps it."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flows.model.tree.task_record import InstanceRecord, TaskRecord
from flows.store.jobs.log_line import LogLine
from flows.tree.storage.protocol import MOST_LINES, Execution, InstanceRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.tree.storage.protocol import Token, Write


@dataclass(slots=True)
class MemoryLog:
    """The log of a task."""

    count: int = 0
    lines: deque[LogLine] = field(default_factory=lambda: deque[LogLine](maxlen=MOST_LINES))


@dataclass(slots=True)
class MemoryInstance:
    """An instance with all that it has."""

    row: InstanceRow
    data: bytes
    tree: bytes
    changed: int = 1
    shown: int = 1
    """The revision of the last change that the row shows."""
    record: InstanceRecord = field(default_factory=lambda: InstanceRecord("idle"))
    execution: Execution | None = None
    fence: int = 0
    expires: float | None = None
    tasks: dict[str, TaskRecord] = field(default_factory=dict[str, TaskRecord])
    results: dict[str, bytes] = field(default_factory=dict[str, bytes])
    logs: dict[str, MemoryLog] = field(default_factory=dict[str, MemoryLog])
    told: asyncio.Event | None = None


def may_write(found: MemoryInstance, token: Token, writes: Sequence[Write]) -> bool:
    """Return whether a token's writes count, of the execution that works on the instance."""
    if not token.is_child:
        return token.fence >= found.fence
    records = [found.tasks.get(one.path) for one in writes]
    return all(one is not None and one.status == "running" for one in records)
