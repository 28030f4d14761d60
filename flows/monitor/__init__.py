"""Watches the queues of a flow for StatsD, Prometheus, OpenTelemetry or sinks of your own, and traces its jobs."""

from __future__ import annotations

from flows.monitor.flow_monitor import FlowMonitor
from flows.monitor.opentelemetry import OpenTelemetryMetrics
from flows.monitor.prometheus import Prometheus
from flows.monitor.reading import Reading, Sink
from flows.monitor.statsd import StatsD
from flows.monitor.tracing import OpenTelemetry
from flows.telemetry.measured import Created, Measured

__all__ = [
    "Created",
    "FlowMonitor",
    "Measured",
    "OpenTelemetry",
    "OpenTelemetryMetrics",
    "Prometheus",
    "Reading",
    "Sink",
    "StatsD",
]
