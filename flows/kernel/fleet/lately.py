"""What the workers of one process have done lately: heartbeats tell it, and so releases can be compared."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from flows.model.fleet.histogram import BUCKETS, write_histogram

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flows.kernel.fleet.tally import QueueTally

#: Lately is as long as so many heartbeats: a minute, by default.
_BEATS: Final = 8

#: At a time by the monotonic clock: how many attempts have failed, how long jobs had waited, and how long they ran.
_Mark = tuple[float, int, list[int], list[int]]


class Lately:
    """Compares what was counted by now with what was a minute ago.

    Args:
        now: By the monotonic clock.
    """

    def __init__(self, now: float) -> None:
        self._marks: deque[_Mark] = deque([(now, 0, [0] * BUCKETS, [0] * BUCKETS)], maxlen=_BEATS)

    def told(self, tallies: Iterable[QueueTally], now: float) -> dict[str, Any]:
        """Return for how many milliseconds it tells, how many attempts failed in them, and two histograms."""
        counted = [(tally.failed, list(tally.waited), list(tally.ran)) for tally in tallies]
        failed = sum(one[0] for one in counted)
        waited = [sum(counts) for counts in zip([0] * BUCKETS, *(one[1] for one in counted), strict=True)]
        ran = [sum(counts) for counts in zip([0] * BUCKETS, *(one[2] for one in counted), strict=True)]
        then, had_failed, had_waited, had_run = self._marks[0]
        self._marks.append((now, failed, waited, ran))
        return {
            "ms": round((now - then) * 1000),
            "failed": failed - had_failed,
            "waited": write_histogram([new - old for new, old in zip(waited, had_waited, strict=True)]),
            "ran": write_histogram([new - old for new, old in zip(ran, had_run, strict=True)]),
        }
