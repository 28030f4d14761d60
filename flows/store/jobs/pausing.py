"""Pauses queues and lets them go on; what `pause.lua` writes, the claim reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.answers import PauseAnswer
    from flows.store.jobs.flow_settings import FlowSettings


async def pause(
    connection: Connection, settings: FlowSettings, queue: str, until_ms: int | None, note: str
) -> PauseAnswer:
    """Pause a queue until a time of the server, or without an end; "over" where that time has passed already.

    Raises:
        StoreError: the server cannot be used.
    """
    return await _send(connection, settings, queue, "inf" if until_ms is None else max(1, until_ms), note)


async def resume(connection: Connection, settings: FlowSettings, queue: str) -> PauseAnswer:
    """Let a queue go on at once, and say whether it was paused.

    Raises:
        StoreError: the server cannot be used.
    """
    return await _send(connection, settings, queue, 0, "")


async def _send(
    connection: Connection, settings: FlowSettings, queue: str, until_ms: Argument, note: str
) -> PauseAnswer:
    named: dict[str, Argument] = {**settings.named(), "queue": queue, "until_ms": until_ms, "note": note}
    word = await connection.run(settings.script("pause"), named)
    return cast("PauseAnswer", word.decode())
