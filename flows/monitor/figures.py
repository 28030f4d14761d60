"""Names the figures of a queue once, for all sinks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flows.model.explain.queue_state import QueueState
from flows.monitor.reading import Served


def _oldest(queue: QueueState, _served: Served) -> float | None:
    """Return for how many seconds the next job has waited: 0 where none waits, None where that is not known."""
    if queue.oldest_age is not None:
        return queue.oldest_age.total_seconds()
    return None if queue.waiting else 0.0


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a queue that rises and falls.

    Attributes:
        name: As part of a metric's name, or as the value of its label.
        field: The field of the queue's state that it is of; none where it is of what processes tell.
        unit: As OpenTelemetry writes it.
        help: What it tells.
        number: Returns it; None where there is none.
    """

    name: str
    field: str
    unit: str
    help: str
    number: Callable[[QueueState, Served], float | None]

    def of(self, queue: QueueState, served: Served) -> float | None:
        """Return the figure of a queue; None where it is not known."""
        return None if self.field in queue.unreadable else self.number(queue, served)


def _jobs(state: str, text: str) -> Figure:
    return Figure(state, state, "{job}", text, lambda queue, _served: getattr(queue, state))


#: How many jobs are in each place; they are one metric with a label.
STATES: Final = (
    _jobs("waiting", "Jobs that wait."),
    _jobs("delayed", "Jobs that are delayed."),
    _jobs("processing", "Jobs that workers have."),
    _jobs("children", "Parents that wait for their children."),
    _jobs("failed", "Jobs that have failed, and are kept."),
    _jobs("cancelled", "Jobs that were cancelled, and are kept."),
)

#: The others are a metric each.
QUEUE_GAUGES: Final = (
    Figure("oldest_seconds", "waiting", "s", "How long the next job has waited; 0 where none waits.", _oldest),
    Figure("paused", "counts", "1", "Whether the queue is paused.", lambda queue, _served: int(queue.paused)),
    Figure(
        "workers", "workers", "{process}", "How many live processes serve it.", lambda queue, _served: queue.workers
    ),
    Figure("slots", "", "{slot}", "How many jobs these run at once, at most.", lambda _queue, served: served.slots),
    Figure("busy", "", "{slot}", "How many of the slots were taken lately.", lambda _queue, served: served.busy),
)

#: The bounds of histograms, in seconds: from what a queue takes at least to an hour.
SECONDS: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0),
)
#: Those that OpenTelemetry's conventions name for what a client does.
OPERATION_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)

UP: Final = "Whether the server has answered the monitor lately: where it is 0, there are no figures of queues."
QUEUE_UP: Final = "Whether the queue could be read: where it is 0, something that is not ours stands in its keys."
TOTAL: Final = "How often a verb has ended or moved a job in a queue, counted by the server for all processes."
START: Final = "How long jobs had waited, or were late, when a worker of this process took them."
RUN: Final = "How long functions ran in this process, by the outcome of the attempt."
