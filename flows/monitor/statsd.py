"""Sends what a monitor reads to StatsD or DogStatsD, as UDP packets."""

from __future__ import annotations

import asyncio
import math
import re
import socket
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from flows.errors import DeclarationError
from flows.monitor.figures import QUEUE_GAUGES, STATES
from flows.monitor.reading import Reading, Sink
from flows.monitor.statsd_lines import Dialect, Lines, Packets
from flows.telemetry.measured import Measured

if TYPE_CHECKING:
    from flows.model.explain.queue_state import QueueState
    from flows.monitor.reading import Served

_PORT: Final = 8125
#: A host's address is looked up again after so many seconds: where it runs may have changed.
_LOOKUP: Final = 60.0
_PREFIX: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
#: In bytes: with them the longest line still has room in a packet.
_MOST_TAGS: Final = 512


class StatsD(Sink):
    """Sends gauges at each tick and a timing for each attempt of this process; nobody has to receive them.

    Args:
        url: `udp://host:port`; without a port it is 8125.
        dialect: "statsd", where flow, queue and state stand in each name, or "dogstatsd", where they are tags.
        tags: More tags, for DogStatsD alone: `{"env": "prod"}`.
        prefix: What all names begin with.

    Raises:
        DeclarationError: an argument cannot be used; the message says which.
    """

    def __init__(
        self,
        url: str = "udp://127.0.0.1:8125",
        *,
        dialect: Dialect = "statsd",
        tags: Mapping[str, str] | None = None,
        prefix: str = "flows",
    ) -> None:
        self._host, self._port = _host_and_port(url)
        self._lines = Lines(_checked_dialect(dialect, tags), _checked_prefix(prefix), _checked_tags(tags or {}))
        self._packets = Packets(self._send)
        self._flows: set[str] = set()
        self._socket: socket.socket | None = None
        self._address: Any = None
        self._looked_up = -math.inf
        self._error: OSError | None = None

    async def open(self, flow: str) -> None:
        """Get ready for a flow; a host that is not found yet is looked up again later."""
        self._flows.add(flow)

    async def show(self, reading: Reading) -> None:
        """Send the gauges of a reading, and what is left of timings.

        Raises:
            OSError: the host is not found, or packets could not be sent since the last call.
        """
        await self._look_up()
        flow = {"flow": reading.flow}
        self._packets.add(self._lines.gauge("up", int(reading.up), flow))
        for name, queue, served in reading.each():
            self._queue({**flow, "queue": name}, queue, served)
        self._packets.flush()
        error, self._error = self._error, None
        if error is not None:
            raise error

    def measure(self, attempt: Measured) -> None:
        """Add the timings of an attempt; they are sent when a packet is full, or with the next gauges."""
        labels = {"flow": attempt.flow, "queue": attempt.queue}
        if attempt.waited is not None:
            self._packets.add(self._lines.timing("job.start", attempt.waited, labels))
        if attempt.ran is not None:
            self._packets.add(self._lines.timing("job.run", attempt.ran, {**labels, "outcome": attempt.outcome}))

    async def close(self, flow: str) -> None:
        """Send what is left, and close the socket after the last flow."""
        self._packets.flush()
        self._flows.discard(flow)
        if not self._flows:
            self._hang_up()

    def _queue(self, labels: dict[str, str], queue: QueueState, served: Served) -> None:
        add, gauge = self._packets.add, self._lines.gauge
        add(gauge("queue.up", int(not queue.unreadable), labels))
        for state in STATES:
            if (number := state.of(queue, served)) is not None:
                add(gauge("queue.jobs", number, {**labels, "state": state.name}))
        for figure in QUEUE_GAUGES:
            if (number := figure.of(queue, served)) is not None:
                add(gauge(f"queue.{figure.name}", number, labels))
        for verb, count in queue.counts.items():
            add(gauge("jobs.total", count, {**labels, "verb": verb}))

    async def _look_up(self) -> None:
        if self._address is not None and time.monotonic() - self._looked_up < _LOOKUP:
            return
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)
        except OSError as error:
            self._error = OSError(f"StatsD's host {self._host!r} is not found: {error}")
            return
        family, kind, protocol, _name, address = found[0]
        if self._socket is None or self._socket.family != family:
            self._hang_up()
            self._socket = socket.socket(family, kind, protocol)
            self._socket.setblocking(False)  # noqa: FBT003 - so it is called
        self._address, self._looked_up = address, time.monotonic()

    def _send(self, packet: bytes) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto(packet, self._address)
        except OSError as error:  # a packet that has no way, or no room now, is lost like any other
            self._error = error

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = self._address = None


def _host_and_port(url: object) -> tuple[str, int]:
    """Take a URL apart; what else stands in one is not repeated, for it may be a secret."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    if parts.scheme != "udp" or not host or parts.path.strip("/") or parts.query or "@" in parts.netloc:
        raise DeclarationError("StatsD's url is none: give udp://host:port, such as udp://127.0.0.1:8125")
    return host, port or _PORT


def _checked_dialect(dialect: object, tags: object) -> Dialect:
    if dialect == "dogstatsd":
        return "dogstatsd"
    if dialect != "statsd":
        raise DeclarationError(f"StatsD's dialect={dialect!r}: give 'statsd' or 'dogstatsd'")
    if tags:
        raise DeclarationError("StatsD has no tags: give dialect='dogstatsd', or leave them out")
    return "statsd"


def _checked_prefix(prefix: object) -> str:
    if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix) or len(prefix) > 64:  # noqa: PLR2004 - as names
        raise DeclarationError(
            f"StatsD's prefix={prefix!r}: use up to 64 of A-Z a-z 0-9 _ - and dots between them, such as 'shop.flows'"
        )
    return prefix


def _checked_tags(tags: Any) -> Mapping[str, str]:
    given: Mapping[Any, Any] = tags if isinstance(tags, Mapping) else {None: None}  # pyright: ignore[reportUnknownVariableType]
    if not all(isinstance(text, str) for tag in given.items() for text in tag):
        raise DeclarationError(f"StatsD's tags={tags!r}: give a dict of texts, such as {{'env': 'prod'}}")
    size = sum(len(f",{name}:{value}".encode()) for name, value in given.items())
    if size > _MOST_TAGS:
        raise DeclarationError(f"StatsD's tags have {size} bytes, and stand in each line: give at most {_MOST_TAGS}")
    return given
