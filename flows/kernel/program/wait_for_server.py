"""Starts a flow whose server may still be on its way up, or whose host is, as in a composition of containers."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Final

from flows.errors import HostUnable, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.telemetry.events import Events

#: The server is tried again after about so many seconds, and that it is away is told again after so many.
_PAUSE: Final = 0.5
_TOLD_AGAIN: Final = 5.0


async def start_when_there(start: Callable[[], Awaitable[None]], seconds: float | None, events: Events) -> None:
    """Start, again and again while the server cannot be reached or the host has no room, for so many seconds.

    Args:
        start: Starts the flow.
        seconds: For how long; None: for ever.
        events: Where that it is away is told.

    Raises:
        StoreUnavailable: the server could not be reached in that time.
        HostUnable: nor could a thread be started, or a connection opened.
    """
    began, told = time.monotonic(), 0.0
    while True:
        try:
            await start()
        except (StoreUnavailable, HostUnable) as error:
            waited = time.monotonic() - began
            if seconds is not None and waited >= seconds:
                raise
            if not told or waited - told >= _TOLD_AGAIN:
                told = waited or 1e-9
                until = "for ever" if seconds is None else f"for {seconds - waited:.0f} s more"
                events.emit("store.unavailable", error=f"{str(error).rstrip('.')}; waiting for it {until}")
        else:
            return
        pause = random.uniform(0.5, 1) * _PAUSE  # noqa: S311 - jitter
        left = pause if seconds is None else max(0.0, seconds - (time.monotonic() - began))
        await asyncio.sleep(min(pause, left))
