"""Shares SIGTERM and SIGINT among all runs of a process: each hears every signal; what was set before is put back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING, Any, Final

from flows.errors import FlowsError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

#: Who hears the signals, and the handlers that were set before the first of them.
_listeners: Final[list[Callable[[int], None]]] = []
_before: Final[dict[int, Any]] = {}


@contextlib.contextmanager
def stop_signals(on_signal: Callable[[int], None]) -> Generator[None]:
    """Call `on_signal` with the number of each SIGTERM and SIGINT, in the running event loop, for the block.

    Raises:
        FlowsError: this is not the main thread, which alone may set handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        raise FlowsError(
            "run() ends at SIGTERM and SIGINT, and only the main thread can hear them: "
            "in another thread use `async with flow:`, or run(signals=False), which runs until it is cancelled"
        )
    loop = asyncio.get_running_loop()

    def pass_on(number: int) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(on_signal, number)

    if not _listeners:
        # By signal.signal and not by the loop, which would forget what was set there before.
        _before.update({number: signal.signal(number, _hear) for number in _SIGNALS})
    _listeners.append(pass_on)
    try:
        yield
    finally:
        if pass_on in _listeners:  # not where this is a child, which runs on from its parent's block
            _listeners.remove(pass_on)
        if not _listeners:
            _put_back()


def _put_back() -> None:
    for number, handler in _before.items():
        if signal.getsignal(number) is _hear:  # else somebody else has set one meanwhile
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
    _before.clear()


def _hear(number: int, _frame: object) -> None:
    for listener in tuple(_listeners):
        listener(number)


def _leave_to_parent() -> None:
    """Put back in a forked child what was set before: its signals would be passed on to a loop that runs elsewhere."""
    _listeners.clear()
    _put_back()


os.register_at_fork(after_in_child=_leave_to_parent)
