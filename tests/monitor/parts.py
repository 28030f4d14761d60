"""Readings for the tests of sinks, and what Prometheus gets of them."""

from __future__ import annotations

import asyncio
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from flows import QueueState
from flows.monitor import Prometheus, Reading

#: Metrics by the name of their samples and their labels.
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def queue(name: str = "price", **fields: Any) -> QueueState:
    """Return the state of a queue."""
    held: dict[str, Any] = {
        "waiting": 3,
        "processing": 2,
        "failed": 1,
        "oldest_age": timedelta(seconds=1.5),
        "counts": {"done": 70, "failed": 1},
    }
    return QueueState(name, datetime.now(UTC), **{**held, **fields})


def reading(flow: str = "shop", lasts: float = 60.0, *, up: bool = True, **queues: QueueState) -> Reading:
    """Return a reading of now; the names of queues may stand in `queues` with `__` for `:`."""
    named = {name.replace("__", ":"): state for name, state in queues.items()}
    return Reading(flow, up, named, time.monotonic(), lasts)


def get(port: int | None) -> str:
    """Return what a scrape gets."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        body: bytes = answer.read()
    return body.decode()


async def scrape(sink: Prometheus) -> Samples:
    """Read all samples from the sink's port."""
    families = text_string_to_metric_families(await asyncio.to_thread(get, sink.port))
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def at(name: str, **labels: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the key of a sample of the flow `shop`."""
    return name, tuple(sorted({"flow": "shop", **labels}.items()))
