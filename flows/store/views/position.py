"""Reads how far a job is from its turn, in a queue of any length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.model.explain.explanation import Position
from flows.model.explain.words import instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.store.client.connection import Connection
    from flows.store.jobs.flow_settings import FlowSettings


async def position(
    connection: Connection, settings: FlowSettings, queues: Sequence[str], job_id: str
) -> Position | None:
    """Return the position of a job of the flow, or of one of its child queues; None where it has no turn to wait for.

    Raises:
        StoreError: the server cannot be used.
    """
    named = {**settings.named(), "queues": settings.keys.queues(settings.flow), "id": job_id}
    ahead, exact, due, in_group = await connection.run(settings.script("position"), named, queues)
    if ahead < 0:
        return None
    until = instant(float(due)) if due else None
    return Position(ahead, bool(exact), until, None if in_group < 0 else in_group)
