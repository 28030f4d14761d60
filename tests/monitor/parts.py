"""Readings and attempts for the tests of sinks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from flows.monitor import Reading


@dataclass(frozen=True)
class Queue:
    """The state of a queue."""

    unknown: bool = False
    waiting: int = 3
    delayed: int = 0
    processing: int = 2
    children: int = 0
    failed: int = 1
    oldest_age: float | None = 1.5
    counts: Mapping[str, int] = field(default_factory=lambda: {"finish": 70, "fail": 1})


def reading(flow: str = "shop", lasts: float = 60.0, *, up: bool = True, **queues: Queue) -> Reading:
    """Return a reading of now; the names of queues may stand in `queues` with `__` for `:`."""
    named = {name.replace("__", ":"): queue for name, queue in queues.items()}
    return Reading(flow, up, named, time.monotonic(), lasts)
