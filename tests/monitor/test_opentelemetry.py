"""OpenTelemetry's metrics, read by the in-memory reader of its SDK."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from flows import MissingExtra
from flows.monitor import Created, Measured, OpenTelemetryMetrics
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


async def test_creations_follow_the_conventions(provider: MeterProvider, memory: InMemoryMetricReader) -> None:
    """How long calls took, by the bounds of the conventions, and how many messages were sent; where the server is."""
    sink = OpenTelemetryMetrics(provider)
    await sink.show(replace(reading(price=queue()), server=("redis.example.org", 6380)))
    sink.created(Created("shop", "price", 1, 0.002))
    sink.created(Created("shop", "price", 5, 1.5, "StoreFull"))
    sink.created(Created("shop", "price", 0, 0.001, "ValidationError"))
    sink.measure(Measured("shop", "price", "done", waited=0.5))
    found = collect(memory)
    of_server = {"server.address": "redis.example.org", "server.port": 6380}
    sent = {
        "messaging.system": "flows",
        "messaging.destination.name": "price",
        "messaging.operation.name": "create",
        "flows.flow": "shop",
        **of_server,
    }
    duration = {point.attributes.get("error.type"): point for point in found["messaging.client.operation.duration"]}
    assert {error: (point.count, point.sum) for error, point in duration.items()} == {
        None: (1, 0.002),
        "StoreFull": (1, 1.5),
        "ValidationError": (1, 0.001),
    }
    assert duration[None].attributes == {**sent, "messaging.operation.type": "send"}
    bounds = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
    assert duration[None].explicit_bounds == bounds
    messages = {point.attributes.get("error.type"): point for point in found["messaging.client.sent.messages"]}
    assert {error: point.value for error, point in messages.items()} == {None: 1, "StoreFull": 5}
    assert messages[None].attributes == sent
    assert of_server.items() <= found["messaging.client.consumed.messages"][0].attributes.items()
    await sink.show(replace(reading(price=queue()), server=("/run/redis.sock", None)))
    sink.created(Created("shop", "price", 1, 0.002))
    addresses = [point.attributes for point in collect(memory)["messaging.client.sent.messages"]]
    assert {address["server.address"]: address.get("server.port") for address in addresses} == {
        "redis.example.org": 6380,
        "/run/redis.sock": None,
    }


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
