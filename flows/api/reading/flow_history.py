"""Makes the history of a flow of those of its queues: how many jobs came and ended in each step."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from flows.model.fleet.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.model.fleet.statistics import QueueSample

#: The verbs by which a job leaves its queue.
LEAVING: Final = ("advance", "settle", "done", "failed", "cancelled", "expired", "deleted", "moved_out")
_NONE: Final = Histogram()
_TOGETHER: Final = timedelta(minutes=10)


@dataclass(slots=True)
class QueueSteps:
    """The history of one queue, in steps without gaps."""

    first: datetime | None = None
    """When its first step began in which something was written; None of a queue that has no history."""
    gone: list[dict[str, int]] = field(default_factory=list[dict[str, int]])
    """In each step, how often each verb has moved or ended a job."""
    came: list[int] = field(default_factory=list[int])
    waiting: list[int] = field(default_factory=list[int])
    processing: list[int] = field(default_factory=list[int])
    waited: list[Histogram] = field(default_factory=list[Histogram])

    def sums(self, verb: str) -> list[int]:
        """Return how often a verb did so, in each step."""
        return [one.get(verb, 0) for one in self.gone]

    def start_ms(self, percent: float) -> list[float | None]:
        """Return in how many milliseconds so many percent of the jobs of each step began."""
        return [milliseconds(one, percent) for one in self.waited]


def steps_of(series: Sequence[QueueSample], begins: Sequence[datetime]) -> QueueSteps:
    """Return the steps that begin then; what came before tells only from where the first one counts.

    Nothing is written of a step in which nothing was there and nothing happened. Of the first sample of all, nobody
    knows what had been counted before: then the times that were noted in it tell how many jobs began and ended.
    """
    found = QueueSteps(first=series[0].at if series else None)
    by_time = {sample.at: sample for sample in series}
    before = next((sample for sample in reversed(series) if begins and sample.at < begins[0]), None)
    for begin in begins:
        sample = by_time.get(begin)
        if sample is None:
            found.gone.append({})
            found.came.append(0)
        else:
            gone, came = _passed(before, sample)
            found.gone.append(gone)
            found.came.append(came)
            before = sample
        found.waiting.append(sample.waiting if sample else 0)
        found.processing.append(sample.processing if sample else 0)
        found.waited.append(sample.waited if sample else _NONE)
    return found


def _passed(before: QueueSample | None, now: QueueSample) -> tuple[dict[str, int], int]:
    """Return what has become of jobs between two samples, and how many came: what left and what is there."""
    if before is None:
        ended = now.ran.count
        return {verb: min(count, ended) for verb, count in now.totals.items()}, now.waited.count
    gone = {verb: max(0, count - before.totals.get(verb, 0)) for verb, count in now.totals.items()}
    left = sum(gone.get(verb, 0) for verb in LEAVING)
    return gone, max(0, left + _held(now) - _held(before))


def _held(sample: QueueSample) -> int:
    return sample.waiting + sample.delayed + sample.processing + sample.children


def milliseconds(times: Histogram, percent: float) -> float | None:
    """Return the bound that so many percent of some times do not exceed; None where there are none."""
    found = times.percentile(percent)
    return None if found is None else found / timedelta(milliseconds=1)


def added(columns: Sequence[Sequence[int]], many: int) -> list[int]:
    """Return the sums of columns, step by step."""
    return [sum(column[at] for column in columns) for at in range(many)]


def releases(starts: Mapping[str, Sequence[datetime]]) -> list[tuple[datetime, str, int]]:
    """Return when processes of each release came, and how many together: within ten minutes of each other.

    Args:
        starts: By digest, when processes of it started.
    """
    found: list[tuple[datetime, str, int]] = []
    for digest, times in starts.items():
        last = None
        for at in sorted(times):
            if last is not None and at - last <= _TOGETHER:
                came, _digest, many = found[-1]
                found[-1] = came, digest, many + 1
            else:
                found.append((at, digest, 1))
            last = at
    return sorted(found)
