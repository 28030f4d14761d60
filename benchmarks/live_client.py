"""A process of watchers of trees, for `live_trees.py`: each does as little as can be."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import resource
import time
from multiprocessing.connection import Connection
from typing import Any, Final

from measure import told

_STAMP: Final = re.compile(rb'"message":"t(\d+)')
_CURSOR: Final = re.compile(rb'"cursor":"([^"]+)"')
#: So many connect at once.
_AT_ONCE: Final = 50
#: What is on its way has come after so many seconds.
_PATIENCE: Final = 3.0
#: RFC 6455: the kinds of frames, and sizes that are told otherwise.
_TEXT, _PING, _PONG = 1, 9, 10
_HEAD, _SHORT, _LONG = 2, 126, 127


async def watch(parent: Connection, port: int, ids: list[str], watchers: int, stalls: int) -> None:
    """Watch; then, when asked, say what was seen: p50, p99, longest, messages. Who stalls says how it comes back."""
    loop = asyncio.get_running_loop()
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    took: list[float] = []
    began = time.perf_counter()
    clients: list[_Watcher] = []
    for number in range(watchers):
        made = _Watcher(ids[number % len(ids)], took)
        await loop.create_connection(lambda made=made: made, "127.0.0.1", port)  # type: ignore[misc]
        clients.append(made)
        if number % _AT_ONCE == _AT_ONCE - 1:
            await asyncio.gather(*(one.ready.wait() for one in clients))
    await asyncio.gather(*(one.ready.wait() for one in clients))
    if stalls:
        for one in clients:
            one.stall()
    parent.send(time.perf_counter() - began)
    await told(parent)
    if stalls:
        await _go_on(parent, port, clients)
        return
    ordered = sorted(took) or [0.0]
    parent.send(ordered[len(ordered) // 2] / 1e6)
    for figure in (
        ordered[int(len(ordered) * 0.99)] / 1e6,
        ordered[-1] / 1e6,
        float(sum(one.tellings for one in clients)),
    ):
        await told(parent)
        parent.send(figure)


async def _go_on(parent: Connection, port: int, clients: list[_Watcher]) -> None:
    """Read on; who was cut off comes back with its cursor. Say how many tellings each took until it was up to date."""
    for one in clients:
        one.go_on()
    await asyncio.sleep(_PATIENCE)
    closed = [one for one in clients if one.lost.is_set()]
    back: list[_Watcher] = []
    for one in closed:
        made = _Watcher(one.instance_id, [], one.cursor)
        await asyncio.get_running_loop().create_connection(lambda made=made: made, "127.0.0.1", port)  # type: ignore[misc]
        back.append(made)
    await asyncio.sleep(_PATIENCE)
    held = [one for one in clients if one not in closed]
    oldest = min(int(one.cursor.rpartition(".")[2]) for one in (*held, *back))
    for figure in (
        float(len(closed)),
        float(max((one.tellings for one in back), default=0)),
        float(max((one.tellings for one in held), default=0)),
        float(oldest),
    ):
        parent.send(figure)
        await told(parent)


class _Watcher(asyncio.Protocol):
    """A client that does as little as can be: a thousand of them are to take less than the server."""

    def __init__(self, instance_id: str, took: list[float], cursor: str = "") -> None:
        self.ready = asyncio.Event()
        self.lost = asyncio.Event()
        #: Since it was ready; of one that has come back, since then.
        self.tellings = 0
        self.instance_id = instance_id
        self.cursor = cursor
        self._took = took
        self._data = bytearray()
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        name = transport.get_extra_info("peername")
        host = f"{name[0]}:{name[1]}"
        self._transport.write(handshake(host))

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        self.lost.set()

    def stall(self) -> None:
        self._transport.pause_reading()
        self.tellings = 0

    def go_on(self) -> None:
        self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._open:
            _head, end, rest = bytes(self._data).partition(b"\r\n\r\n")
            if not end:
                return
            self._open, self._data = True, bytearray(rest)
            message = {"type": "watchWorkflowInstance", "workflowId": self.instance_id}
            self._send(_TEXT, json.dumps({**message, **({"cursor": self.cursor} if self.cursor else {})}).encode())
            if self.cursor:
                self.ready.set()
        while (frame := self._frame()) is not None:
            kind, text = frame
            if kind == _PING:
                self._send(_PONG, text)
            elif b'"setTasksStatuses"' in text:
                now = time.time_ns()
                if self.ready.is_set():
                    self.tellings += 1
                    self._took.extend(now - int(stamp) for stamp in _STAMP.findall(text))
                self.ready.set()
                if cursor := _CURSOR.search(text):
                    self.cursor = cursor[1].decode()

    def _frame(self) -> tuple[int, bytes] | None:
        data = self._data
        if len(data) < _HEAD:
            return None
        size, at = data[1] & _LONG, _HEAD
        if size >= _SHORT:
            at = 4 if size == _SHORT else 10
            size = int.from_bytes(data[2:at], "big")
        if len(data) < at + size:
            return None
        frame = data[0] & 15, bytes(data[at : at + size])
        del data[: at + size]
        return frame

    def _send(self, kind: int, text: bytes) -> None:
        size = bytes([128 | len(text)]) if len(text) < _SHORT else bytes([254]) + len(text).to_bytes(2, "big")
        self._transport.write(bytes([128 | kind]) + size + bytes(4) + text)


def handshake(host: str) -> bytes:
    """Return how a page of this host itself asks for a socket."""
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET /live HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Origin: http://{host}\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: flows.live.1\r\n\r\n"
    ).encode()
