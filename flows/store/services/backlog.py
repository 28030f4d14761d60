"""Since when a service runs that leaves out its backlog: one number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.store.keys.services import ServiceKeys

if TYPE_CHECKING:
    from flows.store.client.connection import Connection
    from flows.store.jobs.flow_settings import FlowSettings


async def read_begin(connection: Connection, settings: FlowSettings) -> int:
    """Return since when the service runs, in server milliseconds; 0: that was never said.

    Raises:
        StoreError: the server cannot be used.
    """
    text: bytes | None = await connection.call("GET", _key(settings))
    return int(text) if text is not None and text.isdigit() else 0


async def begin_at(connection: Connection, settings: FlowSettings, at_ms: int) -> None:
    """Say since when the service runs.

    Raises:
        StoreError: the server cannot be used.
    """
    await connection.call("SET", _key(settings), at_ms)


def _key(settings: FlowSettings) -> str:
    return ServiceKeys(settings.keys.namespace).began(settings.flow)
