"""Watches the queues of a flow, and shows what it reads to StatsD, Prometheus, OpenTelemetry or sinks of your own."""

from __future__ import annotations

from flows.monitor.flow_monitor import FlowMonitor
from flows.monitor.opentelemetry import OpenTelemetryMetrics
from flows.monitor.prometheus import Prometheus
from flows.monitor.reading import Reading, Sink
from flows.monitor.statsd import StatsD
from flows.telemetry.measured import Measured

__all__ = ["FlowMonitor", "Measured", "OpenTelemetryMetrics", "Prometheus", "Reading", "Sink", "StatsD"]
