"""Names the figures of a queue once, for all sinks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flows.monitor.reading import QueueFigures


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a queue that rises and falls.

    Attributes:
        name: As part of a metric's name, or as the value of its label.
        unit: As OpenTelemetry writes it.
        help: What it tells.
        of: Returns it, or None where it is not known.
    """

    name: str
    unit: str
    help: str
    of: Callable[[QueueFigures], float | None]


#: How many jobs are in each place; they are one metric with a label.
STATES: Final = (
    Figure("waiting", "{job}", "Jobs that wait.", lambda queue: queue.waiting),
    Figure("delayed", "{job}", "Jobs that are delayed.", lambda queue: queue.delayed),
    Figure("processing", "{job}", "Jobs that workers have.", lambda queue: queue.processing),
    Figure("children", "{job}", "Parents that wait for their children.", lambda queue: queue.children),
    Figure("failed", "{job}", "Jobs that have failed, and are kept.", lambda queue: queue.failed),
)

#: The others are a metric each.
QUEUE_GAUGES: Final = (
    Figure("oldest_seconds", "s", "How long the job that is next has waited.", lambda queue: queue.oldest_age),
)

#: The bounds of histograms, in seconds: from what a queue takes at least to an hour.
SECONDS: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0),
)

UP: Final = "Whether the server has answered the monitor lately: where it is 0, there are no figures of queues."
QUEUE_UP: Final = "Whether the queue could be read: where it is 0, something that is not ours stands in its keys."
TOTAL: Final = "How often a verb has ended or moved a job in a queue, counted by the server for all processes."
START: Final = "How long jobs waited until an attempt of this process began."
RUN: Final = "How long functions ran in this process, by the outcome of the attempt."
