"""Waiting for what nobody tells of: what a server, a thread or another process does. The rest is waited for itself.

Every bound of a wait comes from here, and grows with the machine's load: a test that reaches it has failed.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Final

_PAUSE: Final = 0.002
#: Waits are so many times as long at most, and bounds that grow end before pytest ends the test.
_MOST: Final = 6.0
_LONGEST: Final = 100.0


def slowness() -> float:
    """Return how many times as long things may take now as on an idle machine: the load for each core, 1 to 6."""
    return min(_MOST, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))


def patient(seconds: float) -> float:
    """Return a bound for a wait that takes so long at most on an idle machine: more, by the load for each core."""
    return max(seconds, min(_LONGEST, seconds * slowness()))


#: Long enough for whatever a test waits for.
LONG: Final = patient(30.0)


async def until(true: Callable[[], object], seconds: float = LONG) -> None:
    """Look again and again until it is true, and what it is if that is awaited; the event loop goes on meanwhile.

    Raises:
        TimeoutError: it takes too long.
    """
    async with asyncio.timeout(patient(seconds)):
        while not await _looked(true()):  # noqa: ASYNC110 - this is for what has no event
            await asyncio.sleep(_PAUSE)


async def _looked(found: object) -> object:
    return await found if isinstance(found, Awaitable) else found


def blocking_until(true: Callable[[], object], seconds: float = LONG) -> None:
    """Do the same where there is no event loop.

    Raises:
        TimeoutError: it takes too long.
    """
    end = time.monotonic() + patient(seconds)
    while not true():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(_PAUSE)
