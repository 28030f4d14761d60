"""Stops attempts that run longer than their queue's timeout; one timer for all, since they become overdue in order."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.kernel.attempt import Attempt

#: A function that was asked to stop has so many seconds for that; then its job goes on without it.
GRACE: Final = 1.0


class Deadlines:
    """The deadlines of the attempts of one worker.

    Args:
        timeout: In seconds; None lets attempts run as long as they like.
        overdue: Called once for an attempt that still runs at its deadline.
        overrun: Called once for one that still runs GRACE seconds later.
    """

    def __init__(
        self, timeout: float | None, overdue: Callable[[Attempt], None], overrun: Callable[[Attempt], None]
    ) -> None:
        self._timeout = timeout
        self._overdue = overdue
        self._overrun = overrun
        #: When to check each again, both in that order: attempts that run, and those that were asked to stop.
        self._running: dict[Attempt, float] = {}
        self._stopping: dict[Attempt, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, attempt: Attempt) -> None:
        """Start the timeout of an attempt, and set the deadline that `current_job()` returns."""
        if self._timeout is None:
            return
        self._running[attempt] = attempt.current.deadline = time.monotonic() + self._timeout
        if self._timer is None:
            self._check_in(self._timeout)

    def forget(self, attempt: Attempt) -> None:
        """Stop watching an attempt, which has ended."""
        if self._timeout is not None:
            self._running.pop(attempt, None)
            self._stopping.pop(attempt, None)

    def has_hung(self, attempt: Attempt) -> bool:
        """Return whether an attempt is long overdue and still there: the loop is blocked, and its lease shall run out.

        Another thread calls this.
        """
        due = self._running.get(attempt) or self._stopping.get(attempt)
        return due is not None and time.monotonic() > due + 2 * GRACE

    def close(self) -> None:
        """Stop the timer: no attempt is stopped any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check_in(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._check)

    def _check(self) -> None:
        self._timer = None
        now = time.monotonic()
        for attempt in _passed(self._running, now):
            # From now on, and not from its deadline: where the loop was blocked, it has not had its time to stop yet.
            self._stopping[attempt] = now + GRACE
            self._overdue(attempt)
        for attempt in _passed(self._stopping, now):
            self._overrun(attempt)
        soonest = [next(iter(watched.values())) for watched in (self._running, self._stopping) if watched]
        if soonest:
            self._check_in(max(0.0, min(soonest) - now))


def _passed(watched: dict[Attempt, float], now: float) -> list[Attempt]:
    """Remove and return the attempts whose time has passed."""
    passed = list(itertools.takewhile(lambda attempt: watched[attempt] <= now, watched))
    for attempt in passed:
        del watched[attempt]
    return passed
