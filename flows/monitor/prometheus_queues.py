"""Makes metrics of readings when Prometheus asks: those of a server that is away are gone, and `flows_up` says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from flows.monitor.figures import QUEUE_GAUGES, QUEUE_UP, STATES, TOTAL, UP
from flows.monitor.reading import Reading

_QUEUE: Final = ("flow", "queue")


class QueueMetrics:
    """The metrics of all queues, as a registry collects them.

    Args:
        core: The package `prometheus_client.core`.
        readings: The last reading of each flow; another thread reads it while it changes.
    """

    def __init__(self, core: Any, readings: Mapping[str, Reading]) -> None:
        self._gauge: Callable[..., Any] = core.GaugeMetricFamily
        self._counter: Callable[..., Any] = core.CounterMetricFamily
        self._readings = readings

    def describe(self) -> Iterator[Any]:
        """Yield the metrics without figures, by which a registry knows their names."""
        return self._of([])

    def collect(self) -> Iterator[Any]:
        """Yield the metrics of the last readings, as far as they still say something."""
        return self._of(list(self._readings.values()))

    def _of(self, readings: list[Reading]) -> Iterator[Any]:
        now = time.monotonic()
        up = self._gauge("flows_up", UP, labels=["flow"])
        queue_up = self._gauge("flows_queue_up", QUEUE_UP, labels=_QUEUE)
        jobs = self._gauge("flows_queue_jobs", "How many jobs are in each place of a queue.", labels=[*_QUEUE, "state"])
        gauges = {
            figure.name: self._gauge(f"flows_queue_{figure.name}", figure.help, labels=_QUEUE)
            for figure in QUEUE_GAUGES
        }
        total = self._counter("flows_jobs", TOTAL, labels=[*_QUEUE, "verb"])
        for reading in readings:
            known = reading.holds(now)
            up.add_metric([reading.flow], int(known))
            for name, queue, served in reading.each() if known else ():
                where = [reading.flow, name]
                queue_up.add_metric(where, int(not queue.unreadable))
                for state in STATES:
                    if (number := state.of(queue, served)) is not None:
                        jobs.add_metric([*where, state.name], number)
                for figure in QUEUE_GAUGES:
                    if (number := figure.of(queue, served)) is not None:
                        gauges[figure.name].add_metric(where, number)
                for verb, count in queue.counts.items():
                    total.add_metric([*where, verb], count)
        yield from (up, queue_up, jobs, *gauges.values(), total)
