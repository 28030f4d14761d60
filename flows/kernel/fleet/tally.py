"""What the workers of one queue in this process have done: for heartbeats, which tell what is new in it."""

from __future__ import annotations

from flows.model.fleet.histogram import BUCKETS, write_histogram


class QueueTally:
    """Of one queue and one process; written in the event loop, read by the thread that sends heartbeats.

    The counts only rise: so the thread takes nothing away from under the loop, and a copy of them is whole.

    Attributes:
        asked: When one of the workers asked for work last, by the monotonic clock; 0: not yet.
        waited: How often jobs had waited for so long when their attempts began, by the buckets of histograms.
        ran: How often functions ran for so long.
    """

    __slots__ = ("_told", "asked", "ran", "waited")

    def __init__(self) -> None:
        self.asked = 0.0
        self.waited = [0] * BUCKETS
        self.ran = [0] * BUCKETS
        #: What the thread has told of both.
        self._told = ([0] * BUCKETS, [0] * BUCKETS)

    def take(self) -> tuple[str, str]:
        """Return the histograms of how long jobs waited and ran, of what was counted since the last call."""
        now = (list(self.waited), list(self.ran))
        told, self._told = self._told, now
        waited, ran = ([new - old for new, old in zip(*pair, strict=True)] for pair in zip(now, told, strict=True))
        return write_histogram(waited), write_histogram(ran)
