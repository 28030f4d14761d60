"""Starts a flow whose server may still be on its way up, as in a composition of containers."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Final

from flows.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.telemetry.events import Events

#: The server is tried again after about so many seconds, and that it is away is told again after so many.
_PAUSE: Final = 0.5
_TOLD_AGAIN: Final = 5.0


async def start_when_there(start: Callable[[], Awaitable[None]], seconds: float | None, events: Events) -> None:
    """Start, again and again while the server cannot be reached, for so many seconds; None: for ever.

    Raises:
        StoreUnavailable: it could not be reached in that time.
    """
    began, told = time.monotonic(), 0.0
    while True:
        try:
            await start()
        except StoreUnavailable as error:
            waited = time.monotonic() - began
            if seconds is not None and waited >= seconds:
                raise
            if not told or waited - told >= _TOLD_AGAIN:
                told = waited or 1e-9
                until = "for ever" if seconds is None else f"for {seconds - waited:.0f} s more"
                events.emit("store.unavailable", error=f"{error}; waiting for it {until}")
        else:
            return
        pause = random.uniform(0.5, 1) * _PAUSE  # noqa: S311 - jitter
        left = pause if seconds is None else max(0.0, seconds - (time.monotonic() - began))
        await asyncio.sleep(min(pause, left))
