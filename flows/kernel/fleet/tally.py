"""What the workers of one queue in this process have done: for heartbeats, which tell what is new in it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from flows.model.fleet.histogram import BOUNDS, BOUNDS_MS, BUCKETS, write_histogram

if TYPE_CHECKING:
    from collections.abc import Sequence


class QueueTally:
    """Of one queue and one process; written in the event loop, read by the thread that sends heartbeats.

    The counts only rise: so the thread takes nothing away from under the loop, and a copy of them is whole.

    Attributes:
        asked: When one of the workers asked for work last, by the monotonic clock; 0: not yet.
        failed: How many attempts have failed, those that are made again included.
        waited: How often jobs had waited for so long when their attempts began, by the buckets of histograms.
        ran: How often functions ran for so long.
    """

    __slots__ = ("_told", "asked", "failed", "ran", "waited")

    def __init__(self) -> None:
        self.asked = 0.0
        self.failed = 0
        self.waited = [0] * BUCKETS
        self.ran = [0] * BUCKETS
        #: What the thread has told of both.
        self._told = ([0] * BUCKETS, [0] * BUCKETS)

    def count(self, waited: list[int], ran: list[float], failed: int = 0) -> None:
        """Count how many milliseconds some jobs had waited, how many seconds they ran, and how many have failed."""
        self.failed += failed
        _count(self.waited, BOUNDS_MS, waited)
        _count(self.ran, BOUNDS, ran)

    def take(self) -> tuple[str, str]:
        """Return the histograms of how long jobs waited and ran, of what was counted since the last call."""
        now = (list(self.waited), list(self.ran))
        told, self._told = self._told, now
        waited, ran = ([new - old for new, old in zip(*pair, strict=True)] for pair in zip(now, told, strict=True))
        return write_histogram(waited), write_histogram(ran)


def _count(buckets: list[int], bounds: Sequence[float], values: Sequence[float]) -> None:
    """Count values, bucket by bucket: those of a turn are many, and fall into few."""
    ordered, at = sorted(values), 0
    while at < len(ordered):
        bucket = bisect_left(bounds, ordered[at])
        end = bisect_right(ordered, bounds[bucket]) if bucket < len(bounds) else len(ordered)
        buckets[bucket] += end - at
        at = end
