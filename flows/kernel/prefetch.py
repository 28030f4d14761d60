"""Decides how far ahead a worker claims: as many jobs as its lanes will start within a short time."""

from __future__ import annotations

import time
from typing import Final

from flows.store.jobs.finished import MOST_JOBS

#: Jobs are claimed ahead that will start within so many seconds.
_AHEAD: Final = 0.02
#: And so many at most.
_MOST_AHEAD: Final = 4 * MOST_JOBS


class Prefetch:
    """Measures how fast the jobs of one worker end, and returns how many to claim.

    Args:
        concurrency: How many lanes the worker has.
        ahead: Whether it claims more than its lanes can begin at once.
    """

    def __init__(self, concurrency: int, *, ahead: bool = True) -> None:
        self._concurrency = concurrency
        self._ahead = _AHEAD if ahead else 0.0
        self._rate = 0.0
        self._since = time.monotonic()
        self._count = 0

    def ended(self, count: int) -> None:
        """Count jobs that have ended; the rate follows within a few hundredths of a second."""
        self._count += count
        now = time.monotonic()
        spent = now - self._since
        if spent >= _AHEAD / 4:
            weight = min(1.0, spent / _AHEAD)
            self._rate += weight * (self._count / spent - self._rate)
            self._since, self._count = now, 0

    def slow(self) -> None:
        """Stop claiming ahead until jobs end quickly again."""
        self._rate = 0.0

    def room(self, running: int, ready: int) -> int:
        """Return how many jobs to claim now."""
        most = self._concurrency + min(_MOST_AHEAD, int(self._rate * self._ahead))
        room = min(most - running - ready, MOST_JOBS)
        if room <= 0:
            return 0
        # A few places in a long queue of ready jobs are not worth a claim of their own; a lane that is free always is.
        worth = running + ready < self._concurrency or ready < most / 2 or room >= MOST_JOBS
        return room if worth else 0
