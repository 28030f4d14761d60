"""Brings what a monitor reads into OpenTelemetry's metrics, by the names of its conventions for messaging."""

from __future__ import annotations

from flows.monitor.opentelemetry_instruments import Instruments, instruments_of
from flows.monitor.reading import Reading, Sink
from flows.telemetry.measured import Created, Measured


class OpenTelemetryMetrics(Sink):
    """Shows readings by the meter `flows`; what exports them is the program's own. It needs the extra `otel`.

    Args:
        meter_provider: An `opentelemetry.metrics.MeterProvider`; None: the program's, as OpenTelemetry knows it.

    Raises:
        MissingExtra: opentelemetry-api is not installed.
    """

    def __init__(self, meter_provider: object = None) -> None:
        self._instruments: Instruments = instruments_of(meter_provider)

    async def show(self, reading: Reading) -> None:
        """Keep a reading for whoever collects next."""
        self._instruments.readings[reading.flow] = reading

    def measure(self, attempt: Measured) -> None:
        """Record an attempt."""
        self._instruments.record(attempt)

    def created(self, creation: Created) -> None:
        """Record a creation."""
        self._instruments.record_creation(creation)

    async def close(self, flow: str) -> None:
        """Forget a flow: its gauges are gone."""
        self._instruments.readings.pop(flow, None)
