"""Reads the state of all queues of a flow by one call, whose cost does not depend on how much they hold."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from flows.model.explain.queue_state import QueueState
from flows.model.explain.words import instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.store.client.connection import Connection
    from flows.store.jobs.flow_settings import FlowSettings

#: What is counted in each queue, in the order of the answer.
_COUNTED: Final = ("waiting", "delayed", "processing", "children", "failed", "cancelled", "workers", "counts")
#: Fields of `meta` that are no counts of what has become of jobs.
_NO_COUNTS: Final = frozenset({"owner", "rules", "rules_seen", "held", "stale", "paused", "paused_at", "paused_note"})
#: A longer count is nonsense.
_MOST_DIGITS: Final = 18


async def observe(connection: Connection, settings: FlowSettings, queues: Sequence[str]) -> dict[str, QueueState]:
    """Return the state of each of these queues of the flow, by full name, in their order, all at one moment.

    What was edited into nonsense counts as nothing; where a key holds something else, the state says which.

    Raises:
        StoreError: the server cannot be used.
    """
    now, observed = await connection.run(settings.script("observe"), dict(settings.named()), queues)
    return {state.queue: state for state in (_state(now, row) for row in observed)}


def _state(now: int, row: Any) -> QueueState:
    name, *numbers, oldest, due, flat, lists = row
    counted = dict(zip(_COUNTED, numbers, strict=True))
    texts: list[str] = [value.decode("utf-8", "replace") for value in flat]
    meta = dict(zip(texts[::2], texts[1::2], strict=False))
    until = paused_until(meta.get("paused"))
    held = whole(meta.get("held"))
    pairs = list(zip(lists[::2], lists[1::2], strict=False))
    known = {word: count for word, count in pairs if word != b"priority"}
    paused = until is not None and until > now
    at = whole(meta.get("paused_at"))
    waiting = max(0, counted["waiting"] - (whole(meta.get("stale")) or 0))
    return QueueState(
        queue=name.decode(),
        at=instant(now),
        waiting=waiting,
        delayed=max(0, counted["delayed"]),
        processing=max(0, counted["processing"]),
        children=max(0, counted["children"]),
        failed=max(0, counted["failed"]),
        cancelled=max(0, counted["cancelled"]),
        oldest_age=timedelta(milliseconds=max(0, now - int(oldest))) if waiting and oldest else None,
        next_due=instant(float(due)) if due else None,
        paused=paused,
        paused_until=instant(until) if paused and until is not None and math.isfinite(until) else None,
        paused_at=instant(at) if paused and at is not None else None,
        note=meta.get("paused_note", "") if paused else "",
        held_until=instant(held) if held is not None and held > now else None,
        by_priority=tuple(count for word, count in pairs if word == b"priority"),
        groups=known.get(b"groups", 0),
        parked=known.get(b"parked", 0),
        workers=max(0, counted["workers"]),
        unreadable=tuple(which for which, number in counted.items() if number < 0),
        counts={name: count for name, text in meta.items() if (count := _count(name, text)) is not None},
    )


def _count(name: str, text: str) -> int | None:
    return None if name in _NO_COUNTS else whole(text)


def paused_until(text: str | None) -> float | None:
    """Return until when a queue is paused, in server milliseconds, by the field of its `meta`; None where it is not."""
    if text == "inf":
        return math.inf
    return whole(text) or None


def whole(text: str | None) -> int | None:
    """Return a whole number that a field holds; None where it holds none, or nonsense."""
    digits = text is not None and text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if digits and text is not None else None
