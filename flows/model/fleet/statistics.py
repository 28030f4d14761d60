"""The history of a queue, as it is kept: what it held, what became of its jobs, how long they waited and ran."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from flows.model.fleet.histogram import Histogram, from_base36, read_histogram

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The counts of a queue that its history has, in the order in which they stand there: a new one comes last.
TOTALS: Final = (
    *("advance", "settle", "done", "failed", "cancelled", "expired", "deleted", "delete_ended"),
    *("moved_out", "moved_in", "retry_job", "retry", "snooze", "release", "rescue", "await_children"),
    *("malformed", "misplaced"),
)
#: How the history is divided.
Step: TypeAlias = Literal["minute", "ten minutes", "hour"]
#: Of each step: the letter of its fields, how many minutes it has, and how many of them are kept.
STEPS: Final[Mapping[Step, tuple[str, int, int]]] = {
    "minute": ("m", 1, 120),
    "ten minutes": ("t", 10, 144),
    "hour": ("h", 60, 168),
}
_PARTS: Final = 4
#: What it holds by state, and when that was looked at.
_HELD: Final = 5
_MS_OF_MINUTE: Final = 60_000


@dataclass(frozen=True, slots=True)
class QueueSample:
    """One step of a queue's history."""

    at: datetime
    """When the step began, by the server's clock."""
    step: timedelta
    """How long it is."""
    totals: Mapping[str, int]
    """How often each verb had ended or moved a job here by then, since the queue began; see `QueueState.counts`."""
    waiting: int
    """How many jobs waited when this was last looked at, in this step."""
    delayed: int
    processing: int
    children: int
    waited: Histogram
    """How long the jobs that began in this step had waited, or were late where they were delayed."""
    ran: Histogram
    """How long the functions ran that ended in this step."""
    looked_at: datetime | None = None
    """When what it holds was last looked at, and the totals; None of a step of more than a minute."""


def read_sample(text: str, step: Step, number: int) -> QueueSample:
    """Return a step of the history; what was edited into nonsense counts nothing.

    Args:
        text: What stands in the field.
        step: Its length.
        number: How many such steps there were since 1970.
    """
    parts = text.split("|")
    totals, depths, waited, ran = parts if len(parts) == _PARTS else [""] * _PARTS
    minutes = STEPS[step][1]
    counts = [from_base36(digits) for digits in totals.split(",")[: len(TOTALS)]]
    *held, passed = [*map(from_base36, depths.split(",")[:_HELD]), *[0] * _HELD][:_HELD]
    at = datetime.fromtimestamp(number * minutes * 60, UTC)
    return QueueSample(
        at=at,
        step=timedelta(minutes=minutes),
        totals={word: count for word, count in zip(TOTALS, counts, strict=False) if count},
        waiting=held[0],
        delayed=held[1],
        processing=held[2],
        children=held[3],
        waited=read_histogram(waited),
        ran=read_histogram(ran),
        looked_at=at + timedelta(milliseconds=min(passed, _MS_OF_MINUTE)) if step == "minute" else None,
    )


def starts_a_minute(minutes: Mapping[int, str]) -> float | None:
    """Return how many jobs of a queue began a minute lately; None where its history has nothing of the last minute.

    Args:
        minutes: What its history has of the last full minutes, by how many minutes ago each of them was. Those before a
            minute without workers do not count.
    """
    worked = [minutes[ago] for ago in itertools.takewhile(minutes.__contains__, itertools.count(1))]
    if not worked:
        return None
    if len(worked) > 1:
        worked.pop()  # the workers may have started in the midst of it
    return sum(read_sample(text, "minute", 0).waited.count for text in worked) / len(worked)
