"""`Wake`: wakes the one that waits for it; an `asyncio.Event` for many takes four times its memory."""

from __future__ import annotations

import asyncio


class Wake:
    """Set by anybody, waited for by one."""

    __slots__ = ("_is_set", "_waiter")

    def __init__(self) -> None:
        self._is_set = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits, and is not woken yet."""
        return self._waiter is not None and not self._is_set

    def set(self) -> None:
        """Wake who waits, or who waits next."""
        self._is_set = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self) -> None:
        """Return when it was set since this has returned last."""
        while not self._is_set:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._is_set = False
