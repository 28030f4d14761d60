"""Executions of a tree of ten tasks that do nothing, side by side: how many a second, what they take of the server."""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import time
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter
from typing import Any, Final

from measure import Recorded, Row, WorkerProcess, empty, quiet_server
from pydantic import BaseModel
from redis.asyncio import Redis

from flows.tree import Generator, Task, TaskInput, Tree, Trees

__all__ = ["WORKLOAD", "begin_executions", "rows", "ten_tasks"]

WORKLOAD: Final = "trees"
_EXECUTIONS: Final = 5_000
_CONCURRENCY: Final = 200
_TASKS: Final = 10
#: So many executions go before what is measured.
_WARM_UP: Final = 200
#: So many instances are made and begun at once.
_AT_ONCE: Final = 100


class Site(BaseModel):
    """The data."""

    n: int = 0


class Number(TaskInput):
    """Reads the data."""

    n: int


async def nothing(view: Number) -> int:
    """Return what was given."""
    return view.n


def ten_tasks(url: str) -> tuple[Trees, Generator[Site]]:
    """Declare the app, and its tree."""
    trees = Trees("bench", redis_url=url)

    @trees.generator("ten")
    def ten(data: Site) -> Tree:  # noqa: ARG001 - the tree is always the same
        return Tree(Task("all", subtasks=[Task(f"t{nth}", nothing) for nth in range(_TASKS)]))

    return trees, ten


async def begin_executions(url: str, count: int) -> None:
    """Make so many instances and begin an execution of each; nobody works on them yet."""
    trees, ten = ten_tasks(url)

    async def one(n: int) -> None:
        await (await ten.create(Site(n=n % 10))).execute_all()

    async with trees:
        for at in range(0, count, _AT_ONCE):
            await asyncio.gather(*(one(n) for n in range(at, min(at + _AT_ONCE, count))))


async def rows(url: str | None, size: float, count: int) -> list[Row]:
    """Measure so many rounds, each in an empty database."""
    executions = max(200, round(_EXECUTIONS * size))
    made: list[Row] = []
    with quiet_server(url) as server:
        await _round(server, _WARM_UP)  # what a server takes for its first client and scripts is no execution's
        found = [await _round(server, executions) for _ in range(count)]
        setting = f"{_TASKS} tasks side by side, concurrency={_CONCURRENCY}"
        for unit in found[0]:
            figure = median(each[unit] for each in found)
            made.append({"workload": WORKLOAD, "setting": setting, "figure": figure, "unit": unit, "rounds": count})
    return made


async def _round(url: str, executions: int) -> dict[str, float]:
    """Begin the executions, let one process work them off, and return the figures by their units."""
    async with Redis.from_url(url) as client:
        began = perf_counter()
        await begin_executions(url, executions)
        begun = perf_counter() - began
        cpu = await _server_cpu(client)
        process = WorkerProcess(_work, url, executions)
        try:
            seconds, own_cpu = await process.receive(), await process.receive()
        finally:
            process.stop()
        found = {
            "executions/s": executions / seconds,
            "µs of the server an execution": (await _server_cpu(client) - cpu) / executions * 1e6,
            "µs of the process an execution": own_cpu / executions * 1e6,
            "begun/s": executions / begun,
        }
    await empty(url)
    return found


async def _work(connection: Connection, url: str, executions: int) -> None:
    """Work them off, and send the seconds and those of the processor."""
    trees, _ten = ten_tasks(url)
    recorded = Recorded(trees, "tree.bench", executions)
    trees.create_workers(concurrency=_CONCURRENCY)
    started, cpu = perf_counter(), time.process_time()
    async with trees:
        await recorded.wait()
        connection.send(perf_counter() - started)
        connection.send(time.process_time() - cpu)


async def _server_cpu(client: Redis) -> float:
    """Return the seconds of the processor that the server has taken."""
    told: dict[str, Any] = await client.info("cpu")
    return float(told["used_cpu_user"] + told["used_cpu_sys"])
