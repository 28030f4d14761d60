"""What watching costs those who work, and how soon a change is seen: `flows web` in a process of its own."""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import AsyncGenerator
from multiprocessing.connection import Connection
from statistics import median, quantiles
from time import perf_counter
from typing import Any, Final

from drain import drain
from measure import PATIENCE, Row, empty, quiet_server, told, worker_processes
from subject import OneQueue, one_queue, requests
from websockets.asyncio.client import ClientConnection, connect

WORKLOAD: Final = "watched"
_WATCHERS: Final = 20
_JOBS: Final = 30_000
#: Pairs of a round: alone, and watched.
_PAIRS: Final = 5
_CHANGES: Final = 200
#: Between two changes pass so many seconds: a room reads at most 20 times in one.
_APART: Final = 0.1


async def rows(url: str | None, size: float, count: int) -> list[Row]:
    """Measure so many rounds."""
    ratios: list[float] = []
    seen: list[float] = []
    with quiet_server(url) as server:
        jobs = max(100, round(_JOBS * size))
        await _rate(server, jobs)  # what the first one takes longer is not counted
        async with _web(server) as port, one_queue(server) as flow:
            for number in range(max(2, round(_PAIRS * count * size))):
                alone_first = number % 2 == 0
                alone = await _rate(server, jobs) if alone_first else 0.0
                with worker_processes(1, watch, port, _WATCHERS) as (watchers,):
                    await watchers.receive()
                    watched = await _rate(server, jobs)
                ratios.append(watched / (alone or await _rate(server, jobs)))
            seen += await _changes(port, flow, max(5, round(_CHANGES * count * size)))
        await empty(server)
    low, _middle, high = quantiles(ratios, n=4)
    ordered = sorted(seen)
    figures = (
        (f"drain with {_WATCHERS} watchers of the board, to alone", "ratio, median", median(ratios)),
        (f"the same, {len(ratios)} pairs", "lower quartile", low),
        (f"the same, {len(ratios)} pairs", "upper quartile", high),
        (f"{len(seen)} changes, to the socket", "ms, p50", median(seen)),
        (f"{len(seen)} changes, to the socket", "ms, p99", ordered[int(0.99 * (len(ordered) - 1))]),
    )
    return [
        {"workload": WORKLOAD, "setting": setting, "figure": figure, "unit": unit, "rounds": count}
        for setting, unit, figure in figures
    ]


async def watch(parent: Connection, port: int, watchers: int) -> None:
    """Watch the board by so many sockets, until the parent says that it is over."""
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(_socket(port)) for _ in range(watchers)]
        for one in sockets:
            await _watch(one, "board/bench")
        reading = [asyncio.create_task(_read(one)) for one in sockets]
        parent.send(0)
        await told(parent)
        for task in reading:
            task.cancel()


async def _rate(server: str, jobs: int) -> float:
    return (await drain("async def", server, jobs))["rate"]


async def _changes(port: int, flow: OneQueue, count: int) -> list[float]:
    """Cancel and retry a job again and again; return the milliseconds until its watcher is sent that."""
    job_id = await flow.create_job(next(requests(1)))
    took: list[float] = []
    async with _socket(port) as one:
        await _watch(one, f"job/bench/{job_id}")
        for number in range(count):
            await asyncio.sleep(_APART * (1 + number % 7 / 7))  # not in step with what the room does by itself
            state = "waiting" if number % 2 else "cancelled"
            began = perf_counter()
            await (flow.retry_job(job_id) if number % 2 else flow.cancel_job(job_id))
            async with asyncio.timeout(PATIENCE):
                while json.loads(await one.recv()).get("state", {}).get("job", {}).get("state") != state:
                    pass
            took.append((perf_counter() - began) * 1000)
    await flow.delete_job(job_id)
    return took


def _socket(port: int) -> connect:
    options: dict[str, Any] = {"subprotocols": ["flows.live.1"], "compression": None}
    return connect(f"ws://127.0.0.1:{port}/live", origin=f"http://127.0.0.1:{port}", **options)  # type: ignore[arg-type]


async def _watch(one: ClientConnection, topic: str) -> None:
    await one.send(json.dumps({"type": "watchTopic", "topic": topic}))
    async with asyncio.timeout(PATIENCE):
        while json.loads(await one.recv())["type"] != "topicState":
            pass


async def _read(one: ClientConnection) -> None:
    while True:
        await one.recv()


@contextlib.asynccontextmanager
async def _web(server: str) -> AsyncGenerator[int]:
    """Run `flows web` over a server, and yield its port."""
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
        yield port
    finally:
        process.terminate()
        await process.wait()
