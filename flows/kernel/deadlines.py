"""Stops attempts that run longer than they may; one timer for all: those of one timeout are overdue in order."""

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
        timeout: Of an attempt that has none of its own, in seconds; None lets it run as long as it likes.
        overdue: Called once for an attempt that still runs at its deadline.
        overrun: Called once for one that still runs GRACE seconds later.
    """

    def __init__(
        self, timeout: float | None, overdue: Callable[[Attempt], None], overrun: Callable[[Attempt], None]
    ) -> None:
        self._timeout = timeout
        self._overdue = overdue
        self._overrun = overrun
        #: When to check each again, in that order: attempts that run, by their timeout, and those asked to stop.
        self._running: dict[float, dict[Attempt, float]] = {}
        self._stopping: dict[Attempt, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        #: When the timer looks next.
        self._next = 0.0

    def watch(self, attempt: Attempt, timeout: float | None = None) -> None:
        """Start the timeout of an attempt, and set the deadline that `current_job()` returns.

        Args:
            attempt: It is about to run.
            timeout: Its own, in seconds; None: that of all.
        """
        seconds = self._timeout if timeout is None else timeout
        if seconds is None:
            return
        due = attempt.current.deadline = time.monotonic() + seconds
        alike = self._running.get(seconds)
        if alike is None:
            alike = self._running[seconds] = {}
        alike[attempt] = due
        if self._timer is None or due < self._next:
            self._check_in(seconds, due)

    def forget(self, attempt: Attempt) -> None:
        """Stop watching an attempt, which has ended."""
        self._stopping.pop(attempt, None)
        for alike in self._running.values():
            if alike.pop(attempt, None) is not None:
                break

    def has_hung(self, attempt: Attempt) -> bool:
        """Return whether an attempt is long overdue and still there: the loop is blocked, and its lease shall run out.

        Another thread calls this.
        """
        watched = (*self._running.values(), self._stopping)
        due = next(filter(None, (alike.get(attempt) for alike in watched)), None)
        return due is not None and time.monotonic() > due + 2 * GRACE

    def close(self) -> None:
        """Stop the timer: no attempt is stopped any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check_in(self, seconds: float, due: float) -> None:
        self.close()
        self._timer, self._next = asyncio.get_running_loop().call_later(seconds, self._check), due

    def _check(self) -> None:
        self._timer = None
        now = time.monotonic()
        passed = [attempt for alike in self._running.values() for attempt in _passed(alike, now)]
        for attempt in passed:
            # From now on, and not from its deadline: where the loop was blocked, it has not had its time to stop yet.
            self._stopping[attempt] = now + GRACE
            self._overdue(attempt)
        for attempt in _passed(self._stopping, now):
            self._overrun(attempt)
        soonest = [next(iter(watched.values())) for watched in (*self._running.values(), self._stopping) if watched]
        if soonest:
            self._check_in(max(0.0, min(soonest) - now), min(soonest))


def _passed(watched: dict[Attempt, float], now: float) -> list[Attempt]:
    """Remove and return the attempts whose time has passed."""
    passed = list(itertools.takewhile(lambda attempt: watched[attempt] <= now, watched))
    for attempt in passed:
        del watched[attempt]
    return passed
