"""Ends attempts that run longer than their queue's timeout: one timer for all, since they become overdue in order."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.kernel.attempt import Attempt

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
        self, timeout: float | None, overdue: Callable[[Attempt], None], overrun: Callable[[Attempt], None]
    ) -> None:
        self._timeout = timeout
        self._overdue = overdue
        self._overrun = overrun
        #: When to look at each again, both in that order: attempts that have begun, and those that were asked to stop.
        self._begun: dict[Attempt, float] = {}
        self._stopping: dict[Attempt, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, attempt: Attempt) -> None:
        """Watch an attempt from now on."""
        if self._timeout is None:
            return
        self._begun[attempt] = attempt.current.deadline = time.monotonic() + self._timeout
        if self._timer is None:
            self._look_in(self._timeout)

    def end(self, attempt: Attempt) -> None:
        """The attempt has ended."""
        if self._timeout is not None:
            self._begun.pop(attempt, None)
            self._stopping.pop(attempt, None)

    def has_hung(self, attempt: Attempt) -> bool:
        """Whether an attempt is long overdue and still there: the loop is blocked, and its lease shall run out.

        This is asked by another thread.
        """
        due = self._begun.get(attempt) or self._stopping.get(attempt)
        return due is not None and time.monotonic() > due + 2 * GRACE

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
        for attempt in _passed(self._begun, now):
            # From now on, and not from its deadline: where the loop was blocked, it has not had its time to end yet.
            self._stopping[attempt] = now + GRACE
            self._overdue(attempt)
        for attempt in _passed(self._stopping, now):
            self._overrun(attempt)
        soonest = [next(iter(watched.values())) for watched in (self._begun, self._stopping) if watched]
        if soonest:
            self._look_in(max(0.0, min(soonest) - now))


def _passed(watched: dict[Attempt, float], now: float) -> list[Attempt]:
    """Take those whose time has passed."""
    passed = list(itertools.takewhile(lambda attempt: watched[attempt] <= now, watched))
    for attempt in passed:
        del watched[attempt]
    return passed
