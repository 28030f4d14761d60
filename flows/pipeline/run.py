"""Runs a process until a signal ends it: the first asks for a clean stop, the second for one at once."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


async def run_until_signal(
    start: Callable[[], Awaitable[None]],
    stop: Callable[[float | None], Awaitable[None]],
    left: Callable[[], int],
    grace: float | None,
) -> int:
    """Start, wait for SIGTERM or SIGINT, stop within `grace` seconds, and return the exit status.

    Handlers are set before anything starts, so a process that is PID 1 of a container, for which the kernel has no
    default ones, ends as any other does.
    """
    loop = asyncio.get_running_loop()
    asked, hurry = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        (hurry if asked.is_set() else asked).set()

    for number in _SIGNALS:
        loop.add_signal_handler(number, on_signal)
    starting = asyncio.ensure_future(start())
    try:
        try:
            await _either(starting, asked)
            await asked.wait()
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            stopping = asyncio.ensure_future(stop(grace))
            if not await _either(stopping, hurry):
                await stop(0)
                await stopping
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
    return 1 if left() else 0


async def _either(work: asyncio.Future[None], event: asyncio.Event) -> bool:
    """Wait for the work or the event, and return whether the work is done; raise what the work raised."""
    waiting = asyncio.ensure_future(event.wait())
    either: set[asyncio.Future[Any]] = {work, waiting}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    if work.done():
        await work
        return True
    return False
