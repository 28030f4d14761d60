"""The port that Prometheus scrapes, read over HTTP by the parser of Prometheus's own client."""

from __future__ import annotations

import asyncio
import sys
import urllib.error
from typing import Any

import prometheus_client
import pytest
from prometheus_client.parser import text_string_to_metric_families

from flows import DeclarationError, MissingExtra, PortInUse
from flows.monitor import Measured, Prometheus
from tests.monitor.parts import at, get, queue, reading, scrape


async def test_queues_are_gauges_and_counters() -> None:
    """With the names, labels, types and help that the documentation lists."""
    sink = Prometheus(0)
    await sink.open("shop")
    await sink.show(reading(price=queue(), pack__eu=queue(waiting=5)))
    samples, text = await scrape(sink), await asyncio.to_thread(get, sink.port)
    await sink.close("shop")
    assert samples[at("flows_up")] == 1
    assert samples[at("flows_queue_up", queue="price")] == 1
    assert samples[at("flows_queue_jobs", queue="price", state="waiting")] == 3
    assert samples[at("flows_queue_jobs", queue="pack:eu", state="waiting")] == 5
    assert samples[at("flows_queue_oldest_seconds", queue="price")] == 1.5
    assert samples[at("flows_jobs_total", queue="price", verb="done")] == 70
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
    assert "# TYPE flows_jobs_total counter" in text
    assert "# TYPE flows_queue_jobs gauge" in text
    assert "# TYPE flows_job_run_seconds histogram" in text


async def test_attempts_are_histograms() -> None:
    """In seconds, by queue and outcome; what is not known is not counted."""
    sink = Prometheus(0)
    await sink.open("shop")
    sink.measure(Measured("shop", "price", "failed", "KeyError", waited=0.2, ran=40.0))
    sink.measure(Measured("shop", "price", "done", waited=0.2))
    samples = await scrape(sink)
    await sink.close("shop")
    assert samples[at("flows_job_start_seconds_count", queue="price")] == 2
    assert samples[at("flows_job_start_seconds_bucket", queue="price", le="0.1")] == 0
    assert samples[at("flows_job_start_seconds_bucket", queue="price", le="0.25")] == 2
    assert samples[at("flows_job_run_seconds_count", queue="price", outcome="failed")] == 1
    assert samples[at("flows_job_run_seconds_sum", queue="price", outcome="failed")] == 40
    assert at("flows_job_run_seconds_count", queue="price", outcome="done") not in samples


async def test_what_is_old_is_gone() -> None:
    """While the server is away no gauge looks alive: `flows_up` is 0, also where no tick comes at all."""
    sink = Prometheus(0)
    await sink.open("shop")
    before = await scrape(sink)
    await sink.show(reading(up=False))
    away = await scrape(sink)
    await sink.show(reading(lasts=0.0, price=queue()))
    old = await scrape(sink)
    await sink.show(reading(price=queue()))
    back = await scrape(sink)
    await sink.close("shop")
    for samples in (before, away, old):
        assert samples[at("flows_up")] == 0
        assert at("flows_queue_up", queue="price") not in samples
    assert back[at("flows_up")] == 1
    assert back[at("flows_queue_up", queue="price")] == 1


async def test_a_queue_that_cannot_be_read_is_alone() -> None:
    """It says so, and what is not known of it is left out; the others are as ever."""
    bad = queue(unreadable=("waiting", "counts"), waiting=0, oldest_age=None, counts={})
    sink = Prometheus(0)
    await sink.open("shop")
    await sink.show(reading(price=bad, pack=queue()))
    samples = await scrape(sink)
    await sink.close("shop")
    assert samples[at("flows_queue_up", queue="price")] == 0
    assert at("flows_queue_oldest_seconds", queue="price") not in samples
    assert samples[at("flows_queue_up", queue="pack")] == 1
    assert samples[at("flows_queue_oldest_seconds", queue="pack")] == 1.5


async def test_a_port_in_use_is_refused() -> None:
    """The error names the port and a way out; one sink serves several flows, and the port is free after the last."""
    sink = Prometheus(0)
    await sink.open("shop")
    port = sink.port
    other = Prometheus(port)
    with pytest.raises(PortInUse, match=f"port {port} of 127.0.0.1 is in use: give Prometheus another port"):
        await other.open("mail")
    await sink.open("mail")
    await sink.close("shop")
    assert ("flows_up", (("flow", "mail"),)) in await scrape(sink)
    await sink.close("mail")
    with pytest.raises(urllib.error.URLError):
        await asyncio.to_thread(get, port)
    await other.open("mail")
    await scrape(other)
    await other.close("mail")


async def test_nothing_is_global() -> None:
    """The registry of the process knows nothing of it, and without a port nothing is served."""
    sink = Prometheus(None)
    await sink.open("shop")
    await sink.show(reading(price=queue()))
    assert b"flows_" not in prometheus_client.generate_latest()
    assert b'flows_queue_up{flow="shop",queue="price"} 1.0' in prometheus_client.generate_latest(sink.registry)
    assert sink.port is None
    await sink.close("shop")


async def test_an_address_of_another_machine_is_refused() -> None:
    """Where nothing can be served, the error says where."""
    with pytest.raises(DeclarationError, match=r"cannot listen on '192\.0\.2\.1'"):
        await Prometheus(0, "192.0.2.1").open("shop")


@pytest.mark.parametrize("arguments", [{"port": 70_000}, {"port": "9400"}, {"port": True}, {"host": ""}])
def test_a_wrong_argument_is_refused(arguments: dict[str, Any]) -> None:
    """When the sink is made."""
    with pytest.raises(DeclarationError, match=r"Prometheus\("):
        Prometheus(**arguments)


def test_without_its_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """`flows.monitor` can be imported all the same."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(
        MissingExtra, match=r"Prometheus needs the extra `metrics`: pip install 'typed-flows\[metrics\]'"
    ):
        Prometheus()
