"""Runs a flow until a signal ends it: the first asks for a clean stop, the second for one at once."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flows.kernel.program.interrupt import say_what_runs
from flows.kernel.program.stop_signals import stop_signals

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Awaitable, Callable


@dataclass(frozen=True, slots=True)
class Runnable:
    """What is run: how it starts and stops, how many jobs run by queue, and how many it has left behind."""

    start: Callable[[], Awaitable[None]]
    stop: Callable[[float | None], Awaitable[None]]
    running: Callable[[], Counter[str]]
    left: Callable[[], int]


async def run_until_signal(what: Runnable, asked: asyncio.Event, grace: float | None, *, signals: bool) -> int:
    """Start, wait for SIGTERM, SIGINT or `asked`, stop within `grace` seconds, and return the exit status.

    Handlers are set before anything starts, so a process that is PID 1 of a container, for which the kernel has no
    default ones, ends as any other does.

    Raises:
        FlowsError: signals are wanted, and this is not the main thread.
    """
    hurry = asyncio.Event()

    def on_signal(number: int) -> None:
        if asked.is_set():
            hurry.set()
            return
        asked.set()
        if number == signal.SIGINT:
            say_what_runs(what.running())

    with stop_signals(on_signal) if signals else contextlib.nullcontext():
        starting = asyncio.ensure_future(what.start())
        try:
            await _either(starting, asked)
            await asked.wait()
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            await _stop(what, grace, hurry)
    return 1 if what.left() else 0


async def stop_interrupted(what: Runnable, grace: float | None) -> None:
    """Stop what Ctrl-C has ended: say what it waits for, and stop at once when it is pressed again."""
    hurry = asyncio.Event()
    with stop_signals(lambda _number: hurry.set()):
        say_what_runs(what.running())
        await _stop(what, grace, hurry)


async def _stop(what: Runnable, grace: float | None, hurry: asyncio.Event) -> None:
    stopping = asyncio.ensure_future(what.stop(grace))
    try:
        hurried = not await _either(stopping, hurry)
    except asyncio.CancelledError:
        await what.stop(0)
        raise
    if hurried:
        await what.stop(0)
        await stopping


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
