"""Makes the instruments of OpenTelemetry, once for each provider: a second one of a name would not be asked."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from flows.errors import MissingExtra
from flows.monitor.figures import OPERATION_SECONDS, QUEUE_GAUGES, QUEUE_UP, RUN, SECONDS, START, STATES, TOTAL, UP

if TYPE_CHECKING:
    from flows.model.explain.queue_state import QueueState
    from flows.monitor.figures import Figure
    from flows.monitor.reading import Reading, Served
    from flows.telemetry.measured import Created, Measured

Attributes: TypeAlias = dict[str, str | int]
Values: TypeAlias = Iterator[tuple[float, dict[str, str]]]

_SYSTEM: Final = "messaging.system"
_QUEUE: Final = "messaging.destination.name"
_FLOW: Final = "flows.flow"
_NAME: Final = "messaging.operation.name"
_TYPE: Final = "messaging.operation.type"


class Instruments:
    """The instruments of one provider.

    Args:
        api: The module `opentelemetry.metrics`.
        provider: Where the meter comes from.

    Attributes:
        readings: The last reading of each flow; another thread reads it while it changes.
    """

    def __init__(self, api: Any, provider: Any) -> None:
        self.readings: dict[str, Reading] = {}
        self._observation: Callable[..., Any] = api.Observation
        meter = provider.get_meter("flows")
        gauge = meter.create_observable_gauge
        gauge("flows.up", [self._callback(self._up)], "1", UP)
        gauge("flows.queue.up", [self._callback(self._queue_up)], "1", QUEUE_UP)
        gauge("flows.queue.jobs", [self._callback(self._jobs)], "{job}", "How many jobs are in each place of a queue.")
        for figure in QUEUE_GAUGES:
            name = f"flows.queue.{figure.name.removesuffix('_seconds')}"
            gauge(name, [self._callback(partial(self._figure, figure))], figure.unit, figure.help)
        meter.create_observable_counter("flows.jobs", [self._callback(self._totals)], "{job}", TOTAL)
        self._start = meter.create_histogram(
            "flows.job.start.duration", "s", START, explicit_bucket_boundaries_advisory=SECONDS
        )
        self._run = meter.create_histogram(
            "messaging.process.duration", "s", RUN, explicit_bucket_boundaries_advisory=SECONDS
        )
        self._consumed = meter.create_counter(
            "messaging.client.consumed.messages", "{message}", "How many attempts workers of this process have made."
        )
        self._operation = meter.create_histogram(
            "messaging.client.operation.duration",
            "s",
            "How long calls of create_job and create_jobs took in this process.",
            explicit_bucket_boundaries_advisory=OPERATION_SECONDS,
        )
        self._sent = meter.create_counter(
            "messaging.client.sent.messages", "{message}", "How many jobs this process has sent to the server."
        )

    def record(self, attempt: Measured) -> None:
        """Record an attempt of this process."""
        where: Attributes = {_SYSTEM: "flows", _FLOW: attempt.flow, _QUEUE: attempt.queue}
        operation = {**where, _NAME: "process", _TYPE: "process", **self._server(attempt.flow)}
        failed = {} if attempt.error is None else {"error.type": attempt.error}
        if attempt.waited is not None:
            self._start.record(attempt.waited, where)
        if attempt.ran is not None:
            self._run.record(attempt.ran, {**operation, "flows.outcome": attempt.outcome, **failed})
        self._consumed.add(1, {**operation, **failed})

    def record_creation(self, creation: Created) -> None:
        """Record a call that has created jobs, or failed to."""
        where: Attributes = {_SYSTEM: "flows", _FLOW: creation.flow, _QUEUE: creation.queue}
        failed = {} if creation.error is None else {"error.type": creation.error}
        # By the conventions a message is created before it is sent; here both is one call.
        operation = {**where, _NAME: "create", **self._server(creation.flow), **failed}
        self._operation.record(creation.seconds, {**operation, _TYPE: "send"})
        if creation.jobs:
            self._sent.add(creation.jobs, operation)

    def _server(self, flow: str) -> Attributes:
        """Return where the server of a flow is, by the last reading."""
        reading = self.readings.get(flow)
        if reading is None or reading.server is None:
            return {}
        address, port = reading.server
        return {"server.address": address, **({} if port is None else {"server.port": port})}

    def _callback(self, values: Callable[[], Values]) -> Callable[[object], list[Any]]:
        def observe(_options: object) -> list[Any]:
            return [self._observation(value, attributes) for value, attributes in values()]

        return observe

    def _up(self) -> Values:
        now = time.monotonic()
        for reading in tuple(self.readings.values()):
            yield int(reading.holds(now)), {_FLOW: reading.flow}

    def _queues(self) -> Iterator[tuple[QueueState, Served, dict[str, str]]]:
        now = time.monotonic()
        for reading in tuple(self.readings.values()):
            for name, queue, served in reading.each() if reading.holds(now) else ():
                yield queue, served, {_SYSTEM: "flows", _FLOW: reading.flow, _QUEUE: name}

    def _queue_up(self) -> Values:
        for queue, _served, where in self._queues():
            yield int(not queue.unreadable), where

    def _jobs(self) -> Values:
        for queue, served, where in self._queues():
            for state in STATES:
                if (number := state.of(queue, served)) is not None:
                    yield number, {**where, "flows.state": state.name}

    def _figure(self, figure: Figure) -> Values:
        for queue, served, where in self._queues():
            if (number := figure.of(queue, served)) is not None:
                yield number, where

    def _totals(self) -> Values:
        for queue, _served, where in self._queues():
            for verb, count in queue.counts.items():
                yield count, {**where, "flows.verb": verb}


#: By provider: one that is dropped is no longer kept.
_made: Final[WeakKeyDictionary[Any, Instruments]] = WeakKeyDictionary()


def instruments_of(provider: Any) -> Instruments:
    """Return the instruments of a provider, made when they are first asked for; None: the program's own provider.

    Raises:
        MissingExtra: opentelemetry-api is not installed.
    """
    try:
        api: Any = importlib.import_module("opentelemetry.metrics")
    except ImportError as error:
        raise MissingExtra("OpenTelemetryMetrics", "otel") from error
    chosen = api.get_meter_provider() if provider is None else provider
    if chosen not in _made:
        _made[chosen] = Instruments(api, chosen)
    return _made[chosen]
