"""The contract between the runner and every adapter in Python, which is a command line.

    adapter.py about                        which workloads it knows, at which settings and sizes, and versions
    adapter.py create COUNT [--tasks N]     create so many jobs, one at a time in each of N tasks
    adapter.py bulk COUNT                   create so many in the fastest way that the peer offers
    adapter.py load WORKLOAD COUNT [--bytes N]   fill the queue, nobody measures
    adapter.py work WORKLOAD COUNT          run a worker for ever; it reports when so many jobs have ended
    adapter.py latency COUNT                time jobs one by one from create to start, with a worker elsewhere

Each prints one line of JSON, but for `work`. It needs no package: it runs in the peer's own environment.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Coroutine, Generator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar, TypeAlias

from counting import count
from meeting import LATENCY, URL
from resp import Client, Reply

__all__ = ["FAN", "Adapter", "AsyncAdapter", "Params", "Part", "SyncAdapter", "chunks", "main", "payload", "run"]

#: What a job is created with. A peer that has typed models of its own makes them of these.
Params: TypeAlias = Any
#: How many children a parent has.
FAN = 10
#: Which function the jobs of a workload begin with.
FIRST = {"drain-threads": "plain", "three-queues": "stage_1", "fan-out": "parent", "runs": "three_steps"}
#: Jobs that come before the first that counts: they connect, warm caches and import.
_WARM_UP = 10
#: After each job the worker has so many seconds to become idle.
_IDLE = 0.01
_PATIENCE = 30


@dataclass(frozen=True)
class Part:
    """How a peer takes part in a workload."""

    setting: str
    """The setting that is its best fair one, as the table shows it."""
    size: int
    """How many jobs a round takes: a second or two of work."""
    concurrency: int = 1


def payload(number: int, size: int = 0) -> dict[str, Any]:
    """Return the four fields of a job, of which one is `size` bytes long if it is asked for."""
    return {
        "user_id": number,
        "guild_id": 4242,
        "role_ids": [11, 22, 33, 44, 55],
        "reason": "x" * size or "benchmark",
    }


def chunks(params: Sequence[Params], size: int) -> Generator[Sequence[Params]]:
    """Cut the params of many jobs into pieces."""
    for start in range(0, len(params), size):
        yield params[start : start + size]


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - what the coroutine returns
    """Run a coroutine on uvloop, where the peer's environment has it."""
    try:
        import uvloop  # noqa: PLC0415 - not all have it
    except ImportError:
        return asyncio.run(coroutine)
    return uvloop.run(coroutine)


class Adapter:
    """What the command line calls; one of the two classes below does most of it."""

    name: ClassVar[str]
    libraries: ClassVar[tuple[str, ...]]
    """The packages whose versions are recorded."""
    parts: ClassVar[dict[str, Part]]

    def params(self, number: int, size: int = 0) -> Params:
        """Return what one job is created with; this is not measured."""
        return payload(number, size)

    def create(self, jobs: int, tasks: int) -> float:
        """Create jobs one at a time and return the seconds."""
        raise NotImplementedError

    def bulk(self, jobs: int) -> float:
        """Create jobs in the fastest way that the peer offers and return the seconds."""
        raise NotImplementedError

    def load(self, workload: str, jobs: int, size: int) -> None:
        """Create what a worker will find."""
        raise NotImplementedError

    def latency(self, jobs: int) -> list[float]:
        """Create job after job and return how many milliseconds each took to start."""
        raise NotImplementedError

    def work(self, workload: str, concurrency: int) -> None:
        """Run a worker for ever."""
        raise NotImplementedError

    def first(self, workload: str) -> str:
        """Return the name of the function that a workload begins with."""
        return FIRST.get(workload, "noop")


class SyncAdapter(Adapter):
    """A peer whose API is synchronous. Its functions are plain ones in every workload."""

    def one(self, function: str, params: Params) -> object:
        """Create a job."""
        raise NotImplementedError

    def many(self, function: str, params: Sequence[Params]) -> None:
        """Create jobs in the fastest way; one at a time where there is no other."""
        for each in params:
            self.one(function, each)

    def first(self, workload: str) -> str:
        """Return the name of the function that a workload begins with."""
        return "noop" if workload == "drain-threads" else super().first(workload)

    def create(self, jobs: int, tasks: int) -> float:
        """Create jobs one at a time and return the seconds."""
        assert tasks == 1, "nothing is concurrent here"  # noqa: S101 - a mistake in the table of workloads
        self.one("noop", self.params(0))
        params = [self.params(number) for number in range(jobs)]
        started = time.perf_counter()
        for each in params:
            self.one("noop", each)
        return time.perf_counter() - started

    def bulk(self, jobs: int) -> float:
        """Create jobs in the fastest way that the peer offers and return the seconds."""
        self.one("noop", self.params(0))
        params = [self.params(number) for number in range(jobs)]
        started = time.perf_counter()
        self.many("noop", params)
        return time.perf_counter() - started

    def load(self, workload: str, jobs: int, size: int) -> None:
        """Create what a worker will find."""
        self.many(self.first(workload), [self.params(number, size) for number in range(jobs)])

    def latency(self, jobs: int) -> list[float]:
        """Create job after job and return how many milliseconds each took to start."""
        client, spans = Client(URL), list[float]()
        for number in range(_WARM_UP + jobs):
            started = time.monotonic_ns()
            self.one("tell", self.params(number))
            spans.append(_span(started, client("BLPOP", LATENCY, _PATIENCE)))
            time.sleep(_IDLE)
        return spans[_WARM_UP:]


class AsyncAdapter(Adapter):
    """A peer whose API is asynchronous."""

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Hold the connection of a producer."""
        yield

    def one(self, function: str, params: Params) -> Awaitable[object]:
        """Create a job."""
        raise NotImplementedError

    async def many(self, function: str, params: Sequence[Params]) -> None:
        """Create jobs in the fastest way; a hundred awaits at once where there is no other."""
        for chunk in chunks(params, 100):
            await asyncio.gather(*(self.one(function, each) for each in chunk))

    def create(self, jobs: int, tasks: int) -> float:
        """Create jobs one at a time in each of so many tasks and return the seconds."""

        async def measured() -> float:
            async with self.opened():
                await self.one("noop", self.params(0))
                params = iter([self.params(number) for number in range(jobs)])

                async def create() -> None:
                    for each in params:
                        await self.one("noop", each)

                started = time.perf_counter()
                if tasks == 1:
                    await create()
                else:
                    await asyncio.gather(*(create() for _ in range(tasks)))
                return time.perf_counter() - started

        return float(run(measured()))

    def bulk(self, jobs: int) -> float:
        """Create jobs in the fastest way that the peer offers and return the seconds."""

        async def measured() -> float:
            async with self.opened():
                await self.one("noop", self.params(0))
                params = [self.params(number) for number in range(jobs)]
                started = time.perf_counter()
                await self.many("noop", params)
                return time.perf_counter() - started

        return float(run(measured()))

    def load(self, workload: str, jobs: int, size: int) -> None:
        """Create what a worker will find."""

        async def load() -> None:
            async with self.opened():
                # Large payloads in small pieces: the producer's memory is not what is measured.
                for numbers in chunks(range(jobs), 1000 if size <= 1024 else 50):  # noqa: PLR2004
                    await self.many(self.first(workload), [self.params(number, size) for number in numbers])

        run(load())

    def latency(self, jobs: int) -> list[float]:
        """Create job after job and return how many milliseconds each took to start."""

        async def measured() -> list[float]:
            client, spans = Client(URL), list[float]()
            async with self.opened():
                for number in range(_WARM_UP + jobs):
                    started = time.monotonic_ns()
                    await self.one("tell", self.params(number))
                    spans.append(_span(started, await asyncio.to_thread(client, "BLPOP", LATENCY, _PATIENCE)))
                    await asyncio.sleep(_IDLE)
            return spans[_WARM_UP:]

        return list(run(measured()))


def main(adapter: Adapter) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=adapter.name)
    commands = parser.add_subparsers(dest="command", required=True)
    for command in ("about", "create", "bulk", "load", "work", "latency"):
        sub = commands.add_parser(command)
        if command in {"load", "work"}:
            sub.add_argument("workload", choices=list(adapter.parts))
        if command != "about":
            sub.add_argument("count", type=int)
    commands.choices["create"].add_argument("--tasks", type=int, default=1)
    commands.choices["load"].add_argument("--bytes", type=int, default=0)
    print(json.dumps(_answer(adapter, parser.parse_args())), flush=True)


def _answer(adapter: Adapter, given: argparse.Namespace) -> dict[str, Any]:
    match given.command:
        case "create":
            return {"seconds": adapter.create(given.count, given.tasks)}
        case "bulk":
            return {"seconds": adapter.bulk(given.count)}
        case "load":
            adapter.load(given.workload, given.count, given.bytes)
        case "latency":
            return {"spans": adapter.latency(given.count)}
        case "work":
            count.target = given.count
            adapter.work(given.workload, adapter.parts[given.workload].concurrency)
        case _:
            parts = {workload: asdict(part) for workload, part in adapter.parts.items()}
            return {"peer": adapter.name, "versions": _versions(adapter.libraries), "parts": parts}
    return {}


def _versions(libraries: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for library in libraries:
        with contextlib.suppress(PackageNotFoundError):
            found[library] = version(library)
    return found


def _span(started: int, told: Reply) -> float:
    if not isinstance(told, list) or not isinstance(told[1], bytes):
        raise TimeoutError(f"no worker began a job within {_PATIENCE} s")
    return (int(told[1]) - started) / 1e6
