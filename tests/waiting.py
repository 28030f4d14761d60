"""Waiting for what nobody tells of: what a server, a thread or another process does. The rest is waited for itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

#: Long enough for a machine that is busy; a test that waits for it has failed.
_LONG: Final = 20.0
_PAUSE: Final = 0.002


async def until(true: Callable[[], object], seconds: float = _LONG) -> None:
    """Look again and again until it is true; the event loop goes on meanwhile.

    Raises:
        TimeoutError: it takes too long.
    """
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - this is for what has no event
            await asyncio.sleep(_PAUSE)


def blocking_until(true: Callable[[], object], seconds: float = _LONG) -> None:
    """Do the same where there is no event loop.

    Raises:
        TimeoutError: it takes too long.
    """
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(_PAUSE)
