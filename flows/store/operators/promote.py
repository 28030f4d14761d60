"""Lets a delayed job be due now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.store.jobs.leases import server_ms

if TYPE_CHECKING:
    from flows.store.client.connection import Connection
    from flows.store.jobs.flow_settings import FlowSettings


async def make_due(connection: Connection, settings: FlowSettings, queue: str, job_id: str) -> bool:
    """Let a job that is delayed in a queue be due now, and wake a worker; False where it is not, or is due already.

    One command decides and writes: a job that has just been promoted, or cancelled, is left as it is. Sent again after
    a lost answer it changes nothing more.

    Raises:
        StoreFull: the server is out of memory.
        StoreError: it cannot be used.
    """
    now, keys = await server_ms(connection, settings), settings.keys
    changed = await connection.call("ZADD", keys.delayed(queue), "XX", "LT", "CH", now, settings.member(queue, job_id))
    if changed:
        await connection.call("ZADD", keys.wake(queue), 0, "w")
    return bool(changed)
