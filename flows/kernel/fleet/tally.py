"""What the workers of one queue in this process have done since they began: for heartbeats, and never reset."""

from __future__ import annotations


class QueueTally:
    """Of one queue and one process; written in the event loop, read by the thread that sends heartbeats."""

    __slots__ = ("asked",)

    def __init__(self) -> None:
        #: When one of the workers asked for work last, by the monotonic clock; 0: not yet.
        self.asked = 0.0
