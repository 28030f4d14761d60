"""How a workload is measured: in rounds, each beside a reference, with workers in a process of their own."""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter
from typing import Any, Final, NotRequired, TypeAlias, TypedDict, cast

from redis.asyncio import Redis

from flows import Flow, Workflows
from flows.telemetry.events import Event
from flows.testing import private_server
from flows.tree import Trees

try:
    from uvloop import run
except ImportError:  # on Windows
    from asyncio import run  # type: ignore[assignment]

__all__ = ["Recorded", "Row", "Setting", "WorkerProcess", "quiet_server", "reference", "rounds", "run", "told"]

#: The reference is measured for so many seconds in each round.
REFERENCE_SECONDS: Final = 0.5
#: What takes longer hangs.
PATIENCE: Final = 120.0
#: The figures of one round: a rate per second, or percentiles in milliseconds.
Figures: TypeAlias = dict[str, float]

_processes = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Setting:
    """One way in which a workload is measured."""

    workload: str
    name: str
    size: int
    """How many jobs a round takes."""
    measure: Callable[[str, int], Awaitable[Figures]]
    """Measures one round on the server at a URL, with so many jobs."""


class Row(TypedDict):
    """The medians of all rounds."""

    workload: str
    setting: str
    rate: NotRequired[float]
    p50_ms: NotRequired[float]
    p95_ms: NotRequired[float]
    p99_ms: NotRequired[float]
    figure: NotRequired[float]
    """What is neither a rate of jobs nor a latency."""
    unit: NotRequired[str]
    """What the figure counts."""
    samples: NotRequired[list[list[float]]]
    """What the figure was reckoned from, a list for each round."""
    ratio: NotRequired[float]
    rounds: int


async def rounds(setting: Setting, url: str, size: int, count: int) -> Row:
    """Measure so many rounds, each in an empty database and after a reference of its own."""
    figures: list[Figures] = []
    for _ in range(count):
        trips = await reference(url)
        found = await setting.measure(url, size)
        # A latency is told in round trips of the reference, and a rate as a part of its rate.
        found["ratio"] = found["rate"] / trips if "rate" in found else found["p50_ms"] * trips / 1000
        figures.append(found)
        await empty(url)
    medians = {name: median(found[name] for found in figures) for name in figures[0]}
    row = {"workload": setting.workload, "setting": setting.name, **medians, "rounds": count}
    return cast("Row", row)


async def reference(url: str) -> float:
    """Return how many raw round trips a second redis-py makes, each awaited: an LMOVE from list to list."""
    async with Redis.from_url(url) as client:
        await client.rpush("bench-reference", "job")
        trips, started = 0, perf_counter()
        while (spent := perf_counter() - started) < REFERENCE_SECONDS:
            await cast("Awaitable[str]", client.lmove("bench-reference", "bench-reference", "LEFT", "RIGHT"))
            trips += 1
        await client.delete("bench-reference")
    return trips / spent


async def empty(url: str) -> None:
    """Empty the database; its memory is free when this returns, and not some time later."""
    async with Redis.from_url(url) as client:
        await cast("Any", client).execute_command("FLUSHDB", "SYNC")


@contextmanager
def quiet_server(url: str | None) -> Generator[str]:
    """Yield the server at `url`, or a private one that writes nothing to the disk."""
    if url is not None:
        yield url
        return
    with private_server(settings={"appendonly": "no"}) as private:
        yield private


class Recorded:
    """Waits until the server has recorded how so many jobs of a queue ended; what only ran does not count."""

    def __init__(self, told: Flow[Any, Any, Any] | Workflows | Trees, queue: str, count: int) -> None:
        """Begin to count; a queue that ends in `*` stands for all that begin so."""
        self._queue = queue
        self._left = count
        self._all = asyncio.Event()
        told.events.subscribe(self._hear, "job.recorded")

    async def wait(self) -> None:
        """Wait for the last one."""
        async with asyncio.timeout(PATIENCE):
            await self._all.wait()

    def _hear(self, event: Event) -> None:
        queue = cast("str", event.fields["queue"])
        if queue == self._queue or (self._queue.endswith("*") and queue.startswith(self._queue[:-1])):
            self._left -= cast("int", event.fields["count"])
            if self._left <= 0:
                self._all.set()


class WorkerProcess:
    """A process that runs `work(connection, *arguments)`; what it sends is received here."""

    def __init__(self, work: Callable[..., Coroutine[Any, Any, None]], *arguments: object) -> None:
        """Start it."""
        self._connection, theirs = _processes.Pipe()
        self._process = _processes.Process(target=_work, args=(work, theirs, *arguments), daemon=True)
        self._process.start()
        theirs.close()

    async def receive(self) -> float:
        """Return the next number that the process sends."""
        return await asyncio.to_thread(self._receive)

    def go(self) -> None:
        """Let it go on, where it waits until it is `told`."""
        self._connection.send(None)

    async def ask(self) -> float:
        """Let it go on, and return the next number that it sends."""
        self.go()
        return await self.receive()

    def stop(self) -> None:
        """Tell the process to end, and wait until it has."""
        self._connection.close()
        self._process.join(PATIENCE)

    def _receive(self) -> float:
        if not self._connection.poll(PATIENCE):
            msg = f"the worker process has said nothing for {PATIENCE} s"
            raise TimeoutError(msg)
        return cast("float", self._connection.recv())


def _work(work: Callable[..., Coroutine[Any, Any, None]], connection: Connection, *arguments: object) -> None:
    run(work(connection, *arguments))


@contextmanager
def worker_processes(
    number: int, work: Callable[..., Coroutine[Any, Any, None]], *arguments: object
) -> Generator[list[WorkerProcess]]:
    """Run so many processes alike."""
    running = [WorkerProcess(work, *arguments) for _ in range(number)]
    try:
        yield running
    finally:
        for process in running:
            process.stop()


async def told(parent: Connection) -> bool:
    """Wait in a worker process until it may go on; False: the parent has stopped it."""
    try:
        await asyncio.to_thread(parent.recv)
    except EOFError:
        return False
    return True


async def in_a_worker_process(work: Callable[..., Coroutine[Any, Any, None]], *arguments: object) -> float:
    """Return the one number that `work` sends from a process of its own."""
    process = WorkerProcess(work, *arguments)
    try:
        return await process.receive()
    finally:
        process.stop()


async def seconds_until_recorded(flow: Flow[Any, Any, Any], queue: str, count: int) -> float:
    """Start the flow's workers and return after how long so many jobs of a queue are recorded as ended."""
    recorded = Recorded(flow, queue, count)
    started = perf_counter()
    async with flow:
        await recorded.wait()
        return perf_counter() - started
