"""Lets so many rooms read at a time: however many are watched, Redis has no more to do, and they read less often."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from flows.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class Gate:
    """What rooms go through to read.

    Args:
        most: So many at a time.
    """

    def __init__(self, most: int) -> None:
        self._places = asyncio.Semaphore(most)
        self._away_at = 0.0

    @asynccontextmanager
    async def place(self) -> AsyncGenerator[None]:
        """Wait for a place, and hold it in the block.

        Raises:
            StoreUnavailable: Another room has found meanwhile that the server is away: each would find that after a
                second of its own, and the last of many long after the first.
        """
        asked_at = time.monotonic()
        async with self._places:
            if self._away_at > asked_at:
                raise StoreUnavailable("the server has not answered another room")
            try:
                yield
            except StoreUnavailable:
                self._away_at = time.monotonic()
                raise
