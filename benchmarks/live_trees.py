"""What watchers of trees cost, and how soon they see a record: `flows web`, watchers and a writer, each a process.

`TREES=stalled` measures instead what clients cost that stop reading.
"""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import re
import socket
import sys
import time
from collections.abc import AsyncGenerator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from measure import PATIENCE, Row, quiet_server, told, worker_processes
from redis.asyncio import Redis

from flows.model.ids import new_job_id
from flows.model.tree.node import Declared, Node
from flows.model.tree.task_record import TaskRecord
from flows.tree.storage.protocol import Execution, InstanceRow, Token, Write
from flows.tree.storage.redis import RedisStorage

WORKLOAD: Final = "live trees"
_SECONDS: Final = 20.0
_TASKS: Final = 12
_STAMP: Final = re.compile(rb'"message":"t(\d+)')
#: So many connect at once.
_AT_ONCE: Final = 50
#: RFC 6455: the kinds of frames, and sizes that are told otherwise.
_TEXT, _PING, _PONG = 1, 9, 10
_HEAD, _SHORT, _LONG = 2, 126, 127
#: Watchers, instances, records a second in all.
_CASES: Final = ((1, 1, 20), (50, 1, 20), (1000, 1, 20), (1000, 100, 500))


async def rows(url: str | None, size: float, count: int) -> list[Row]:
    """Measure each case once; half the `size` is half the time."""
    found: list[Row] = []
    with quiet_server(url) as server:
        if os.environ.get("TREES") == "stalled":
            return await _stalled_rows(server, _SECONDS * 3 * size)
        for watchers, instances, rate in _CASES:
            figures = await _case(server, watchers, instances, rate, _SECONDS * size)
            name = f"{watchers:,} watchers, {instances} instances, {rate} records/s"
            found += [_row(name, unit, figure, count) for unit, figure in figures]
    return found


def _row(setting: str, unit: str, figure: float, count: int) -> Row:
    return {"workload": WORKLOAD, "setting": setting, "figure": figure, "unit": unit, "rounds": count}


async def _case(server: str, watchers: int, instances: int, rate: int, seconds: float) -> list[tuple[str, float]]:
    storage = RedisStorage(server)
    async with _web(server) as (port, process), Redis.from_url(server) as redis:
        ids, tokens = await _begin(storage, instances)
        before = _memory(process)
        with worker_processes(1, watch, port, ids, watchers, 0) as (watching,):
            connected = await watching.receive()
            memory = _memory(process)
            stats, cpu = await _commands(redis), _cpu(process)
            await _write(storage, ids, tokens, rate, seconds, b"")
            await asyncio.sleep(0.5)
            asked = {name: calls - stats.get(name, 0) for name, calls in (await _commands(redis)).items()}
            used = _cpu(process) - cpu
            figures = [await watching.ask() for _ in range(4)]
    await storage.close()
    own = ("info", "evalsha", "hincrby", "hset", "hmget", "hget", "zadd", "spublish", "time", "hgetall", "expire")
    total = sum(calls for name, calls in asked.items() if name != "info")
    others = sum(calls for name, calls in asked.items() if name not in own)
    return [
        ("s, all connected", connected),
        ("ms, p50", figures[0]),
        ("ms, p99", figures[1]),
        ("ms, longest", figures[2]),
        ("messages a watcher and s", figures[3] / watchers / seconds),
        ("KB a watcher", (memory - before) / 1024 / watchers),
        ("commands", total),
        ("commands that no write makes", others),
        ("cores of the web server", used / seconds),
    ]


async def _stalled_rows(server: str, seconds: float) -> list[Row]:
    """Measure 10 that read, alone and then beside 100 that do not, while 500 records a second of 2 KB are written."""
    storage = RedisStorage(server)
    found: list[Row] = []
    async with _web(server) as (port, process):
        ids, tokens = await _begin(storage, 1)
        with worker_processes(1, watch, port, ids, 10, 0) as (others,):
            await others.receive()
            await _write(storage, ids, tokens, 500, seconds / 3, b"x" * 2000)
            alone = [await others.ask() for _ in range(4)]
        with worker_processes(1, watch, port, ids, 10, 0) as (others,):
            await others.receive()
            before = _memory(process)
            with worker_processes(1, watch, port, ids, 100, 1) as (stalled,):
                await stalled.receive()
                middle = _memory(process)
                await _write(storage, ids, tokens, 500, seconds, b"x" * 2000)
                after = _memory(process)
                beside = [await others.ask() for _ in range(4)]
                caught_up = await stalled.ask()
        name = "100 clients that stop reading, 500 records/s of 2 KB"
        found += [
            _row(name, "others alone, ms, p99", alone[1], 1),
            _row(name, "others beside them, ms, p99", beside[1], 1),
            _row(name, "KB a stalled client, connected", (middle - before) / 1024 / 100, 1),
            _row(name, "KB a stalled client, at the end", (after - before) / 1024 / 100, 1),
            _row(name, "tellings until they are up to date, at most", caught_up, 1),
        ]
    await storage.close()
    return found


async def _begin(storage: RedisStorage, instances: int) -> tuple[list[str], list[Token]]:
    tree = Declared(tuple(Node(f"t{number}", works=True) for number in range(_TASKS))).write()
    paths = tuple(f"#.t{number}" for number in range(_TASKS))
    ids, tokens = [new_job_id() for _ in range(instances)], list[Token]()
    for one in ids:
        await storage.create(InstanceRow(one, "bench", "site"), b"{}", tree)
        execution = new_job_id()
        await storage.begin(one, Execution(execution, "#", paths), tree, 1)
        tokens.append(Token(execution, execution))
    return ids, tokens


async def _write(  # noqa: PLR0913, PLR0917 - what is written, and how often
    storage: RedisStorage, ids: list[str], tokens: list[Token], rate: int, seconds: float, more: bytes
) -> None:
    began, done = time.perf_counter(), 0
    while (now := time.perf_counter() - began) < seconds:
        if done < now * rate:
            at = done % len(ids)
            path = f"#.t{done // len(ids) % _TASKS}"
            message = f"t{time.time_ns()}{more.decode()}"
            await storage.write(ids[at], tokens[at], [Write(path, TaskRecord("running", message=message))])
            done += 1
        else:
            await asyncio.sleep(min(0.001, done / rate - now))


async def watch(parent: Connection, port: int, ids: list[str], watchers: int, stalls: int) -> None:
    """Watch; then, when asked, say what was seen: p50, p99, longest, messages. Who stalls says how late it was."""
    loop = asyncio.get_running_loop()
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
        for one in clients:
            one.go_on()
        await asyncio.sleep(3)
        parent.send(float(max(one.tellings for one in clients)))
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


class _Watcher(asyncio.Protocol):
    """A client that does as little as can be: a thousand of them are to take less than the server."""

    def __init__(self, instance_id: str, took: list[float]) -> None:
        self.ready = asyncio.Event()
        self.tellings = 0
        self._id = instance_id
        self._took = took
        self._data = bytearray()
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        name = transport.get_extra_info("peername")
        host = f"{name[0]}:{name[1]}"
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            f"GET /live HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Origin: http://{host}\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: flows.live.1\r\n\r\n".encode()
        )

    def stall(self) -> None:
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
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
            self._send(_TEXT, json.dumps({"type": "watchWorkflowInstance", "workflowId": self._id}).encode())
        while (frame := self._frame()) is not None:
            kind, text = frame
            if kind == _PING:
                self._send(_PONG, text)
            elif b'"setTasksStatuses"' in text:
                now = time.time_ns()
                self.tellings += 1
                if self.ready.is_set():
                    self._took.extend(now - int(stamp) for stamp in _STAMP.findall(text))
                self.ready.set()

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


@contextlib.asynccontextmanager
async def _web(server: str) -> AsyncGenerator[tuple[int, int]]:
    """Run `flows web` over a server, and yield its port and its process id."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    arguments = ("-m", "flows", "web", "--redis-url", server, "--port", str(port))
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stderr=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                await asyncio.sleep(0.05)
        yield port, process.pid
    finally:
        process.terminate()
        await process.wait()


async def _commands(redis: Redis) -> dict[str, int]:
    found: dict[str, Any] = await redis.info("commandstats")
    return {name.removeprefix("cmdstat_"): one["calls"] for name, one in found.items()}


def _memory(process: int) -> int:
    """Return the bytes that a process has, which it shares with nobody."""
    for line in Path(f"/proc/{process}/status").read_text("utf-8").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


def _cpu(process: int) -> float:
    """Return the seconds of a core that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
