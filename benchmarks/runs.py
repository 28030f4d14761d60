"""Durable runs of three steps that do nothing: how many a second, what they take of server, process and memory."""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter
from typing import Any, Final

from measure import Recorded, Row, WorkerProcess, empty, quiet_server
from redis.asyncio import Redis

from flows import Step, Workflow, Workflows

__all__ = ["WORKLOAD", "rows", "start_runs", "three_steps"]

WORKLOAD: Final = "runs"
_RUNS: Final = 20_000
#: The same runs over so many workflows.
_SPREAD: Final = (1, 100)
_CONCURRENCY: Final = 200
#: So many runs go before what is measured.
_WARM_UP: Final = 400


@dataclass(frozen=True)
class Declared:
    """The app, and its workflows `three-0`, `three-1` and so on."""

    app: Workflows
    workflows: list[Workflow[int, int]]


def three_steps(url: str, spread: int, began: Callable[[], object] = lambda: None) -> Declared:
    """Declare so many workflows of three steps; `began` is called when a run begins."""
    app = Workflows("bench", redis_url=url)

    async def nothing(number: int) -> int:
        return number

    async def three(number: int, step: Step) -> int:
        began()
        await step.run("one", nothing, number)
        await step.run("two", nothing, number)
        return await step.run("three", nothing, number)

    return Declared(app, [app.define(f"three-{n}", max_concurrency=None)(three) for n in range(spread)])


async def start_runs(url: str, spread: int, count: int) -> None:
    """Start so many runs, spread evenly; nobody works on them yet."""
    declared = three_steps(url, spread)
    async with declared.app:
        for at, workflow in enumerate(declared.workflows):
            await workflow.run_many(range(at, count, spread))


async def rows(url: str | None, size: float, count: int) -> list[Row]:
    """Measure so many rounds, each in an empty database."""
    runs = max(200, round(_RUNS * size))
    made: list[Row] = []
    rates: list[float] = []
    with quiet_server(url) as server:
        await _round(server, 1, _WARM_UP)  # what a server takes for its first client and scripts is no run's
        for spread in _SPREAD:
            found = [await _round(server, spread, runs) for _ in range(count)]
            setting = f"3 steps, {spread} workflow{'s' * (spread > 1)}, concurrency={_CONCURRENCY}"
            rates.append(median(each["runs/s"] for each in found))
            for unit in found[0]:
                figure = median(each[unit] for each in found)
                row: Row = {"workload": WORKLOAD, "setting": setting, "figure": figure, "unit": unit, "rounds": count}
                if unit == "runs/s" and spread > 1:
                    row["ratio"] = rates[-1] / rates[0]
                made.append(row)
    return made


async def _round(url: str, spread: int, runs: int) -> dict[str, float]:
    """Start the runs, let one process work them off, and return the figures by their units."""
    async with Redis.from_url(url) as client:
        before = await _memory(client)
        await start_runs(url, spread, runs)
        cpu = await _server_cpu(client)
        process = WorkerProcess(_work, url, spread, runs)
        try:
            seconds, own_cpu = await process.receive(), await process.receive()
        finally:
            process.stop()
        found = {
            "runs/s": runs / seconds,
            "µs of the server a run": (await _server_cpu(client) - cpu) / runs * 1e6,
            "µs of the process a run": own_cpu / runs * 1e6,
            "bytes an ended run": (await _memory(client) - before) / runs,
        }
    await empty(url)
    return found


async def _work(connection: Connection, url: str, spread: int, runs: int) -> None:
    """Work them off, and send the seconds and those of the processor."""
    app = three_steps(url, spread).app
    recorded = Recorded(app, "three-*", runs)
    app.create_workers(concurrency=_CONCURRENCY)
    started, cpu = perf_counter(), time.process_time()
    async with app:
        await recorded.wait()
        connection.send(perf_counter() - started)
        connection.send(time.process_time() - cpu)


async def _memory(client: Redis) -> int:
    """Return the bytes of the server's memory without its scripts."""
    told: dict[str, int] = await client.info("memory")
    return told["used_memory"] - told.get("used_memory_scripts", 0)


async def _server_cpu(client: Redis) -> float:
    told: dict[str, Any] = await client.info("cpu")
    return float(told["used_cpu_user"] + told["used_cpu_sys"])
