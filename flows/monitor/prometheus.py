"""Serves what a monitor reads to Prometheus, in a registry of its own and on a port of its own."""

from __future__ import annotations

import asyncio
import errno
import importlib
import time
from typing import TYPE_CHECKING, Any, Final

from flows.errors import DeclarationError, MissingExtra, PortInUse
from flows.monitor.figures import RUN, SECONDS, START
from flows.monitor.prometheus_queues import QueueMetrics
from flows.monitor.reading import Reading, Sink
from flows.telemetry.measured import Measured

if TYPE_CHECKING:
    import threading
    from wsgiref.simple_server import WSGIServer

_LARGEST_PORT: Final = 65_535
_LOOPBACK: Final = "127.0.0.1"


class Prometheus(Sink):
    """Serves `/metrics` over HTTP while a monitor runs; it needs the extra `metrics`.

    Args:
        port: Where it listens; 0 takes a free one, which `port` names then. None serves nothing: put `registry` into
            an endpoint of your own.
        host: The address on which it listens; only this machine reaches the default.

    Attributes:
        registry: All metrics of this sink, and no others.

    Raises:
        MissingExtra: prometheus-client is not installed.
        DeclarationError: an argument cannot be used.
    """

    def __init__(self, port: int | None = 9400, host: str = _LOOPBACK) -> None:
        if port is not None and (type(port) is not int or not 0 <= port <= _LARGEST_PORT):
            raise DeclarationError(f"Prometheus(port={port!r}): give a number from 0 to {_LARGEST_PORT}, or None")
        if not isinstance(host, str) or not host:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"Prometheus(host={host!r}): give an address, such as {_LOOPBACK!r}")
        client: Any = _client()
        self.port = port
        self.registry: Any = client.CollectorRegistry()
        self._wanted, self._host = port, host
        self._readings: dict[str, Reading] = {}
        self._serving: tuple[WSGIServer, threading.Thread] | None = None
        self._lock = asyncio.Lock()
        self.registry.register(QueueMetrics(importlib.import_module("prometheus_client.core"), self._readings))
        bound = {"buckets": SECONDS, "registry": self.registry}
        self._start: Any = client.Histogram("flows_job_start_seconds", START, ["flow", "queue"], **bound)
        self._run: Any = client.Histogram("flows_job_run_seconds", RUN, ["flow", "queue", "outcome"], **bound)

    async def open(self, flow: str) -> None:
        """Begin to serve, for the first flow.

        Raises:
            PortInUse: another process listens there, or another sink of this one.
            DeclarationError: this machine has no such address.
        """
        async with self._lock:
            self._readings[flow] = Reading(flow, up=False, queues={}, at=time.monotonic(), lasts=0.0)
            if self._wanted is not None and self._serving is None:
                try:
                    self._serving = await asyncio.to_thread(self._serve, self._wanted)
                except BaseException:
                    await self._forget(flow)
                    raise
                self.port = self._serving[0].server_port

    async def show(self, reading: Reading) -> None:
        """Keep a reading for whoever asks next."""
        self._readings[reading.flow] = reading

    def measure(self, attempt: Measured) -> None:
        """Count an attempt in the histograms."""
        if attempt.waited is not None:
            self._start.labels(attempt.flow, attempt.queue).observe(attempt.waited)
        if attempt.ran is not None:
            self._run.labels(attempt.flow, attempt.queue, attempt.outcome).observe(attempt.ran)

    async def close(self, flow: str) -> None:
        """Forget a flow; after the last one, nothing listens any more."""
        async with self._lock:
            await self._forget(flow)

    async def _forget(self, flow: str) -> None:
        self._readings.pop(flow, None)
        if not self._readings and self._serving is not None:
            (server, thread), self._serving, self.port = self._serving, None, self._wanted
            await asyncio.to_thread(_end, server, thread)

    def _serve(self, port: int) -> tuple[WSGIServer, threading.Thread]:
        try:
            served: tuple[WSGIServer, threading.Thread] = _client().start_http_server(port, self._host, self.registry)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(
                    self._host, port, "give Prometheus another port, or 0 for a free one; one sink serves several flows"
                ) from error
            raise DeclarationError(
                f"Prometheus cannot listen on {self._host!r}, port {port}: {error.strerror or error}"
            ) from error
        return served


def _end(server: WSGIServer, thread: threading.Thread) -> None:
    server.shutdown()
    server.server_close()
    thread.join()


def _client() -> Any:
    """Return the package, which is imported here alone: who does not serve Prometheus does not need it.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module("prometheus_client")
    except ImportError as error:
        raise MissingExtra("Prometheus", "metrics") from error
