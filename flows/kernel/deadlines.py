"""Ends attempts that run longer than their queue's timeout: one timer for all, since they become overdue in order."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.kernel.attempt import Running

#: A coroutine that was told to end has so many seconds for it; then its job is ended without it.
GRACE: Final = 1.0


class Deadlines:
    """The deadlines of the attempts of one worker.

    Args:
        timeout: In seconds; None: attempts run as long as they like.
        overdue: Called once for an attempt that still runs at its deadline.
        overrun: Called once for one that still runs GRACE seconds later.
    """

    def __init__(
        self, timeout: float | None, overdue: Callable[[Running], None], overrun: Callable[[Running], None]
    ) -> None:
        self._timeout = timeout
        self._overdue = overdue
        self._overrun = overrun
        #: Both in the order of their deadlines: attempts that have begun, and those that were told to end.
        self._begun: dict[Running, None] = {}
        self._told: dict[Running, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, running: Running) -> None:
        """Watch an attempt from now on."""
        if self._timeout is None:
            return
        running.current.deadline = time.monotonic() + self._timeout
        self._begun[running] = None
        if self._timer is None:
            self._look_in(self._timeout)

    def end(self, running: Running) -> None:
        """The attempt has ended."""
        if self._timeout is not None:
            self._begun.pop(running, None)
            self._told.pop(running, None)

    def let_go(self, running: Running) -> bool:
        """Whether the lease of an attempt shall run out: the loop is blocked, so that nothing could end it in time."""
        deadline = running.current.deadline
        return deadline is not None and time.monotonic() > deadline + 2 * GRACE

    def close(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_in(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        now = time.monotonic()
        for running in _passed(self._begun, now):
            self._told[running] = None
            self._overdue(running)
        for running in _passed(self._told, now - GRACE):
            self._overrun(running)
        soonest = [
            _deadline(watched) + grace for watched, grace in ((self._begun, 0.0), (self._told, GRACE)) if watched
        ]
        if soonest:
            self._look_in(max(0.0, min(soonest) - now))


def _passed(watched: dict[Running, None], now: float) -> list[Running]:
    """Take those whose deadline has passed."""
    passed: list[Running] = []
    for running in watched:
        if (running.current.deadline or 0.0) > now:
            break
        passed.append(running)
    for running in passed:
        del watched[running]
    return passed


def _deadline(watched: dict[Running, None]) -> float:
    return next(iter(watched)).current.deadline or 0.0
