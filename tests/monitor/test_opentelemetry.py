"""OpenTelemetry's metrics, read by the in-memory reader of its SDK."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from flows import MissingExtra
from flows.monitor import Measured, OpenTelemetryMetrics
from tests.monitor.parts import queue, reading


@pytest.fixture
def memory() -> InMemoryMetricReader:
    """Make a reader that keeps what it has read."""
    return InMemoryMetricReader()


@pytest.fixture
def provider(memory: InMemoryMetricReader) -> Iterator[MeterProvider]:
    """Make a provider of its own for the test."""
    provider = MeterProvider([memory])
    yield provider
    provider.shutdown()


def collect(memory: InMemoryMetricReader) -> dict[str, list[Any]]:
    """Return all data points, by the name of their metric."""
    data = memory.get_metrics_data()
    if data is None:
        return {}
    return {
        metric.name: list(metric.data.data_points)
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def values(points: list[Any], attribute: str) -> dict[Any, float]:
    """Return the values of points by one of their attributes."""
    return {point.attributes[attribute]: point.value for point in points}


async def test_queues_are_observed(provider: MeterProvider, memory: InMemoryMetricReader) -> None:
    """Gauges by queue and place, and rising counts; all of them say which system, flow and destination."""
    sink = OpenTelemetryMetrics(provider)
    await sink.open("shop")
    await sink.show(reading(price=queue(), pack=queue(unreadable=("waiting",), waiting=0, oldest_age=None)))
    found = collect(memory)
    await sink.close("shop")
    assert values(found["flows.up"], "flows.flow") == {"shop": 1}
    price = [point for point in found["flows.queue.jobs"] if point.attributes["messaging.destination.name"] == "price"]
    assert values(price, "flows.state") == {
        "waiting": 3,
        "delayed": 0,
        "processing": 2,
        "children": 0,
        "failed": 1,
        "cancelled": 0,
    }
    assert {point.attributes["messaging.system"] for point in price} == {"flows"}
    assert values(found["flows.queue.up"], "messaging.destination.name") == {"price": 1, "pack": 0}
    assert values(found["flows.queue.oldest"], "messaging.destination.name") == {"price": 1.5}
    assert values(found["flows.jobs"], "flows.verb")["done"] == 70


async def test_attempts_follow_the_conventions(provider: MeterProvider, memory: InMemoryMetricReader) -> None:
    """`messaging.process.duration` in seconds, with `error.type` where an attempt failed."""
    sink = OpenTelemetryMetrics(provider)
    sink.measure(Measured("shop", "price", "failed", "KeyError", waited=0.5, ran=2.0))
    sink.measure(Measured("shop", "price", "done", waited=0.5))
    found = collect(memory)
    (run,) = found["messaging.process.duration"]
    assert (run.count, run.sum, run.explicit_bounds[-1]) == (1, 2.0, 3600.0)
    assert run.attributes == {
        "messaging.system": "flows",
        "messaging.destination.name": "price",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "flows.flow": "shop",
        "flows.outcome": "failed",
        "error.type": "KeyError",
    }
    (start,) = found["flows.job.start.duration"]
    assert (start.count, start.sum) == (2, 1.0)
    assert sum(point.value for point in found["messaging.client.consumed.messages"]) == 2


async def test_what_is_old_is_gone(provider: MeterProvider, memory: InMemoryMetricReader) -> None:
    """Without the server there is `flows.up` alone, and after the monitor not even that."""
    sink = OpenTelemetryMetrics(provider)
    await sink.show(reading(price=queue()))
    assert "flows.queue.jobs" in collect(memory)
    await sink.show(reading(up=False))
    assert {name: values(points, "flows.flow") for name, points in collect(memory).items()} == {"flows.up": {"shop": 0}}
    await sink.close("shop")
    assert collect(memory) == {}


async def test_a_second_sink_of_a_provider_is_heard(
    provider: MeterProvider, memory: InMemoryMetricReader, caplog: pytest.LogCaptureFixture
) -> None:
    """A provider asks the first instrument of a name alone, and says nothing of it: so both sinks share theirs."""
    await OpenTelemetryMetrics(provider).show(reading(price=queue()))
    await OpenTelemetryMetrics(provider).show(reading("mail", send=queue()))
    assert values(collect(memory)["flows.up"], "flows.flow") == {"shop": 1, "mail": 1}
    assert caplog.records == []


def test_without_its_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """`flows.monitor` can be imported all the same."""
    monkeypatch.setitem(sys.modules, "opentelemetry.metrics", None)
    with pytest.raises(MissingExtra, match=r"OpenTelemetryMetrics needs the extra `otel`"):
        OpenTelemetryMetrics()
