"""Watches the queues of a flow, and shows what it reads to StatsD, Prometheus, OpenTelemetry or sinks of your own."""

from __future__ import annotations

from flows.monitor.opentelemetry import OpenTelemetryMetrics
from flows.monitor.prometheus import Prometheus
from flows.monitor.reading import Measured, Reading, Sink
from flows.monitor.statsd import StatsD

__all__ = ["Measured", "OpenTelemetryMetrics", "Prometheus", "Reading", "Sink", "StatsD"]
