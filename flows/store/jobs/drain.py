"""Moves jobs from the former name of a queue to the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.flow_settings import FlowSettings


class Drain:
    """Moves the jobs of a queue's former name to the queue; any number of processes may do so at once."""

    def __init__(self, connection: Connection, settings: FlowSettings, queue: str, former: str) -> None:
        self._connection = connection
        self._script = settings.script("drain")
        self._named: dict[str, Argument] = {
            **settings.named(),
            "queue": queue,
            "former": former,
            "waiting": settings.keys.waiting(queue),
            "delayed": settings.keys.delayed(queue),
        }

    async def drain(self) -> tuple[int, int]:
        """Move some jobs, and return how many were moved and how many ids are left.

        Raises:
            StoreError: the server cannot be used.
        """
        moved, left = await self._connection.run(self._script, self._named)
        return moved, left
