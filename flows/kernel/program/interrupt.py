"""Tells whoever presses Ctrl-C what a flow still waits for, instead of a traceback when it has ended."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from types import TracebackType


def interrupted() -> bool:
    """Whether Ctrl-C has ended this program: asyncio has cancelled the main task, and raises KeyboardInterrupt soon."""
    if threading.current_thread() is not threading.main_thread():
        return False
    handler = signal.getsignal(signal.SIGINT)
    runner = getattr(getattr(handler, "func", None), "__self__", None)
    return isinstance(runner, asyncio.Runner) and getattr(runner, "_interrupt_count", 0) > 0


def say_what_runs(running: Counter[str]) -> None:
    """Tell on stderr for how many jobs, of which queues, the flow waits."""
    if running and sys.stderr is not None:  # as in a windowed program
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"\n{what_runs(running)}; press Ctrl-C again to hand {_them(running)} back\n")
            sys.stderr.flush()


def what_runs(running: Counter[str]) -> str:
    """Return for how many jobs, of which queues, the flow waits."""
    jobs = running.total()
    return f"waiting for {jobs} job{'s' if jobs > 1 else ''} ({', '.join(running)})"


def hide_traceback() -> None:
    """Print no traceback of the KeyboardInterrupt that ends this program: whoever has caused it knows."""
    if not isinstance(sys.excepthook, _WithoutInterrupts):
        sys.excepthook = _WithoutInterrupts(sys.excepthook)


class _WithoutInterrupts:
    """A hook that passes all exceptions but KeyboardInterrupt on to the one before."""

    def __init__(self, before: Callable[[type[BaseException], BaseException, TracebackType | None], Any]) -> None:
        self._before = before

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            self._before(kind, error, trace)


def _them(running: Counter[str]) -> str:
    return "them" if running.total() > 1 else "it"
