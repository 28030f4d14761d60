"""What watchers of trees cost, and how soon they see a record: `flows web`, watchers and a writer, each a process.

`TREES=stalled` measures instead what clients cost that stop reading, `TREES=many` as many as one process serves.
"""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Final

from live_client import handshake, watch
from measure import PATIENCE, Row, quiet_server, worker_processes
from redis.asyncio import Redis

from flows.model.ids import new_job_id
from flows.model.tree.node import Declared, Node
from flows.model.tree.task_record import TaskRecord
from flows.server.live.live import MOST_CONNECTIONS
from flows.tree.storage.protocol import NO_TASKS, Execution, InstanceRow, Token, Write
from flows.tree.storage.redis import RedisStorage

WORKLOAD: Final = "live trees"
_SECONDS: Final = 20.0
_TASKS: Final = 12
_STALLED: Final = 100
#: What connects all that one process serves.
_PROCESSES: Final = 4
#: Watchers, instances, records a second in all.
_CASES: Final = ((1, 1, 20), (50, 1, 20), (1000, 1, 20), (1000, 100, 500))


async def rows(url: str | None, size: float, count: int) -> list[Row]:
    """Measure each case once; half the `size` is half the time."""
    found: list[Row] = []
    with quiet_server(url) as server:
        match os.environ.get("TREES"):
            case "stalled":
                return await _stalled_rows(server, _SECONDS * 3 * size)
            case "many":
                return await _many_rows(server, _SECONDS * size)
            case _:
                pass
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
            written = await _write(storage, ids, tokens, rate, seconds, b"")
            await asyncio.sleep(0.5)
            asked = {name: calls - stats.get(name, 0) for name, calls in (await _commands(redis)).items()}
            used = _cpu(process) - cpu
            figures = [await watching.ask() for _ in range(4)]
    await storage.close()
    total = sum(calls for name, calls in asked.items() if name != "info")
    return [
        ("s, all connected", connected),
        ("ms, p50", figures[0]),
        ("ms, p99", figures[1]),
        ("ms, longest", figures[2]),
        ("messages a watcher and s", figures[3] / watchers / seconds),
        ("KB a watcher", (memory - before) / 1024 / watchers),
        ("commands a record", total / written),
        ("cores of the web server", used / seconds),
    ]


async def _stalled_rows(server: str, seconds: float) -> list[Row]:
    """Let 100 clients read nothing, for as long as they are let and for longer, beside 10 that read.

    Meanwhile 500 records a second of 2 KB are written.
    """
    storage = RedisStorage(server)
    found: list[Row] = []
    async with _web(server) as (port, process):
        ids, tokens = await _begin(storage, 1)
        for stalled_for in (seconds / 6, seconds):
            alone = await _beside(storage, port, ids, tokens, seconds / 3)
            before = _memory(process)
            with worker_processes(1, watch, port, ids, _STALLED, 1) as (stalled,):
                await stalled.receive()
                sampling = asyncio.create_task(_peak(process, stalled_for))
                beside = await _beside(storage, port, ids, tokens, stalled_for)
                peak, state = await sampling, await storage.load(ids[0], since=NO_TASKS)
                closed, back, held, oldest = [await stalled.ask() for _ in range(4)]
            again = await _beside(storage, port, ids, tokens, seconds / 3)
            name = f"{_STALLED} clients read nothing for {stalled_for:.0f} s, 500 records/s of 2 KB"
            figures = [
                ("ms, p99 of others, before", alone),
                ("ms, p99 of others, meanwhile", beside),
                ("ms, p99 of others, afterwards", again),
                ("KB a stalled client, at most", (peak - before) / 1024 / _STALLED),
                ("were closed", closed),
                ("tellings until who was closed is up to date", back),
                ("tellings until others are, with what their sockets held", held),
                ("are up to date", float(state is not None and oldest == state.revision)),
            ]
            found += [_row(name, unit, figure, 1) for unit, figure in figures]
    await storage.close()
    return found


async def _beside(storage: RedisStorage, port: int, ids: list[str], tokens: list[Token], seconds: float) -> float:
    """Write, and return the p99 of ten that read."""
    with worker_processes(1, watch, port, ids, 10, 0) as (others,):
        await others.receive()
        await _write(storage, ids, tokens, 500, seconds, b"x" * 2000)
        return [await others.ask() for _ in range(4)][1]


async def _peak(process: int, seconds: float) -> int:
    """Return the most memory that a process has within a time."""
    most, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        most = max(most, _memory(process))
        await asyncio.sleep(0.2)
    return most


async def _many_rows(server: str, seconds: float) -> list[Row]:
    """Connect as many as one process serves, and one more; then write 20 records a second to 100 instances."""
    storage = RedisStorage(server)
    async with _web(server) as (port, process):
        ids, tokens = await _begin(storage, 100)
        before = _memory(process)
        with worker_processes(_PROCESSES, watch, port, ids, MOST_CONNECTIONS // _PROCESSES, 0) as clients:
            connected = max([await one.receive() for one in clients])
            memory = _memory(process)
            refused = await _is_refused(port)
            cpu = _cpu(process)
            written = await _write(storage, ids, tokens, 20, seconds, b"")
            await asyncio.sleep(0.5)
            used = _cpu(process) - cpu
            figures = [[await one.ask() for one in clients] for _ in range(4)]
    await storage.close()
    told = sum(figures[3])
    name = f"{MOST_CONNECTIONS:,} connections, 100 instances, 20 records/s"
    found = [
        ("s, all connected", connected),
        ("refused of one more", float(refused)),
        ("KB a watcher", (memory - before) / 1024 / MOST_CONNECTIONS),
        ("ms, p50, of the slowest process", max(figures[0])),
        ("ms, p99, of the slowest process", max(figures[1])),
        ("messages of those that were to come", told / (written * MOST_CONNECTIONS / 100)),
        ("cores of the web server", used / seconds),
    ]
    return [_row(name, unit, figure, 1) for unit, figure in found]


async def _is_refused(port: int) -> bool:
    """Whether one connection more is refused, by the status that says so."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(handshake(f"127.0.0.1:{port}"))
    status = await reader.readline()
    writer.close()
    return status.startswith(b"HTTP/1.1 503 ")


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
) -> int:
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
    return done


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
