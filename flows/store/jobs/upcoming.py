"""Reads when a queue has something to do: whether jobs wait, when the next is due, when the next lease is over."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from flows.store.jobs.leases import server_ms

if TYPE_CHECKING:
    from flows.store.client.connection import Connection
    from flows.store.jobs.flow_settings import FlowSettings


async def seconds_until_work(connection: Connection, settings: FlowSettings, queue: str) -> float:
    """Return in how many seconds a worker of a queue would have something to do: 0 for now, infinity for nothing.

    A queue in which no job stands costs one command.

    Raises:
        StoreError: the server cannot be used.
    """
    keys = settings.keys
    places = waiting, processing, delayed = keys.waiting(queue), keys.processing(queue), keys.delayed(queue)
    if not await connection.call("EXISTS", *places):
        return math.inf
    now = await server_ms(connection, settings)
    length, *pages = await connection.together(
        [("LLEN", waiting), *[("ZRANGE", key, 0, 0, "WITHSCORES") for key in (processing, delayed)]]
    )
    if isinstance(length, int) and length > 0:
        return 0.0
    return max(0.0, min([math.inf, *(_score(page) - now for page in pages)]) / 1000)


def _score(page: Any) -> float:
    """Return the first score of a sorted set; infinity where there is none, or the key holds something else."""
    pair: Any = page if isinstance(page, list) else []  # pyright: ignore[reportUnknownVariableType]
    return float(pair[1]) if pair else math.inf
