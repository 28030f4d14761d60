"""Exhaustive cuts: whatever an operation sends is lost in turn, or its reply is, and the end has to be the same.

The operation is done once without a fault, which says how many commands it sends; then once for each of them with the
connection cut before it arrives, and once with the connection cut when it was executed.
"""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final, Literal, Self

import redis

from flows import FlowsError, JobRecord, StoreUnavailable
from flows.store.client.scripts import load, names
from tests.faults.flow_under_test import Orders, make_flow
from tests.faults.ledger import Ledger
from tests.faults.proxy import Proxy
from tests.faults.server import Server

Moment = Literal["before", "after"]

#: Within so many seconds an operation has to end, in whatever way.
LIMIT: Final = 30.0
#: And what it sent has to be at the proxy within so many after that.
LATE: Final = 1.0
#: What heartbeats write when their time has come, whatever jobs do.
_FLEET: Final = ("flows:stats:", "flows:process", "flows:workers:")
#: Keys that only hasten what others say: a cut may leave them or not.
_HINTS: Final = ("flows:wake:", "flows:timer:", "flows:call:", *_FLEET)
_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME: Final = re.compile(r"\b1\d{12}\b")
#: How long a job waited, ran and so on, in its path.
_WAITED: Final = re.compile(r"(?<=[=/])\d+")
_WORKER: Final = re.compile(r"[\w-]+\.\d+\.[0-9a-f]{8,}")


class Stage:
    """One run of an operation: a namespace, a proxy, a flow before the proxy, and one past it to prepare with."""

    def __init__(self, server: Server, client: redis.Redis, directory: Path, namespace: str) -> None:
        given: dict[str, Any] = {"lease": 30.0, "job_ttl": 3600, "retention": 7200}
        self.namespace = namespace
        self.proxy = Proxy(server.port)
        self.direct: Orders = make_flow(server.url, namespace, **given)
        self.flow: Orders = make_flow(self.proxy.url, namespace, **given)
        self.client = client
        self.ledger = Ledger(directory / namespace.rstrip(":"))
        #: Numbers of calls, each greater than the last.
        self.numbers = count(0, 100)
        #: What `prepare` leaves for `act`.
        self.kept: Any = None

    @staticmethod
    def scripts() -> list[tuple[str, ...]]:
        """Return the scripts that are sent, each with its overlays."""
        return [(name,) for name in names()]

    async def __aenter__(self) -> Self:
        """Start the proxy."""
        self.proxy.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Stop everything, and delete the keys."""
        with suppress(FlowsError):
            await self.flow.stop_all(0)
        await self.direct.stop_all(0)
        self.proxy.stop()
        keys = list(self.client.scan_iter(f"{self.namespace}*", count=1000))
        if keys:
            self.client.unlink(*keys)
        self.ledger.close()


@dataclass(frozen=True)
class Operation:
    """Something that is done through the proxy.

    Attributes:
        name: What it is called in the report.
        act: Does it, and returns what shall be the same every time.
        prepare: Makes the state that it begins with; returns what `act` finds in `stage.kept`.
        opened: Whether the flow is connected before; else its handshake is cut too, and that it cannot connect may
            be told by StoreUnavailable, after which it is done again.
        unknown: Whether the server has forgotten all scripts before.
        leaves_some: Whether it may leave something behind when it raises, as its documentation says.
    """

    name: str
    act: Callable[[Stage], Awaitable[Any]]
    prepare: Callable[[Stage], Awaitable[Any]] | None = None
    opened: bool = True
    unknown: bool = False
    leaves_some: bool = False


@dataclass
class Run:
    """What one run came to."""

    commands: list[str]
    end: list[str]
    error: BaseException | None = None
    was_cut: bool = False


@dataclass
class Tried:
    """What all runs of one operation came to."""

    name: str
    commands: int = 0
    points: int = 0
    missed: int = 0
    violations: list[str] = field(default_factory=list[str])


class Cutter:
    """Tries operations on one server."""

    def __init__(self, server: Server, directory: Path, stage: type[Stage] = Stage) -> None:
        self._server = server
        self._stage = stage
        self._client = server.client()
        self._directory = directory
        self._stages = 0
        self._teach()

    async def try_all(self, operation: Operation, *, at_once: int = 1, every: int = 1, away: bool = False) -> Tried:
        """Do an operation with each cut, and hold the end against that without.

        Args:
            operation: Which one.
            at_once: So many runs go on beside each other.
            every: Only each so manieth of the cuts, that is of two for each command.
            away: Only cut before commands; the server then stays away until the operation has given up, which it has
                to say by StoreUnavailable. After that it is done again.
        """
        whole = await self._run(operation, None)
        tried = Tried(operation.name, len(whole.commands))
        if whole.error is not None:
            tried.violations.append(f"{operation.name} without a fault raised {whole.error!r}")
            return tried
        moments: tuple[Moment, ...] = ("before",) if away else ("before", "after")
        points = [(number, moment) for number in range(1, tried.commands + 1) for moment in moments][::every]
        turnstile = asyncio.Semaphore(at_once)

        async def one(number: int, moment: Moment) -> None:
            async with turnstile:
                run = await self._run(operation, (number, moment), away=away)
            tried.points += run.was_cut
            tried.missed += not run.was_cut
            if not (away and operation.leaves_some and run.error is None) and (wrong := difference(whole, run)):
                tried.violations.append(
                    f"{operation.name} cut {moment} command {number} ({whole.commands[number - 1]}): {wrong}"
                )

        await asyncio.gather(*(one(*point) for point in points))
        if operation.unknown:
            self._teach()
        return tried

    def close(self) -> None:
        """Close its client."""
        self._client.close()

    def _teach(self) -> None:
        """Let the server know all scripts, so that every run sends the same commands."""
        for one in self._stage.scripts():
            self._client.script_load(load(*one).text)

    async def _run(self, operation: Operation, point: tuple[int, Moment] | None, *, away: bool = False) -> Run:
        self._stages += 1
        async with self._stage(self._server, self._client, self._directory, f"cut{self._stages}:") as stage:
            if operation.prepare is not None:
                stage.kept = await operation.prepare(stage)
            if operation.opened:
                await stage.flow.start_all()
            if operation.unknown:
                stage.client.script_flush()
            stage.proxy.include_handshake = not operation.opened
            stage.proxy.reset()
            if point is not None:
                number, moment = point
                (stage.proxy.cut_before if moment == "before" else stage.proxy.cut_after)(number, refuse=away)
            run = await self._act(operation, stage, again=away or not operation.opened)
            if point is not None:
                # Nobody waits for the answer to an UNSUBSCRIBE: it may come to the proxy after the operation has ended.
                run.was_cut = await asyncio.to_thread(stage.proxy.wait_cut, LATE)
            return run

    async def _rescue(self, stage: Stage) -> None:
        """Do what a rescuer would: it goes on where somebody who cancels children has given up."""
        await stage.direct.start_all()
        while (await stage.direct._runtime.session.control.cascade()).more:
            pass

    async def _act(self, operation: Operation, stage: Stage, *, again: bool) -> Run:
        error: BaseException | None = None
        result = None
        try:
            async with asyncio.timeout(LIMIT):
                try:
                    result = await operation.act(stage)
                except StoreUnavailable:
                    if not again:
                        raise
                    stage.proxy.accept()
                    result = await operation.act(stage)
        except Exception as raised:  # noqa: BLE001 - whatever it is, that is what the run came to
            error = raised
        if again and operation.opened:
            await self._rescue(stage)
        commands = [b" ".join(words)[:40].decode(errors="replace") for _connection, words in stage.proxy.seen]
        return Run(commands, ending(stage.client, stage.namespace, shown(result)), error)


def difference(whole: Run, run: Run) -> str:
    """Return how a run differs from the one without a fault; empty where it does not."""
    if run.error is not None:
        return f"it raised {run.error!r}"
    lines = difflib.unified_diff(whole.end, run.end, "without", "with", lineterm="", n=0)
    return " | ".join(line for line in lines if not line.startswith(("---", "+++", "@@")))[:600]


def ending(client: redis.Redis, namespace: str, result: str) -> list[str]:
    """Return all that stands below a namespace, and a result, without what differs in every run: ids and times.

    A creation that was sent twice leaves the id twice in lists. That is by design: whoever claims drops the second,
    and whoever reads a lookup does too. So here, too, an id counts once in a list, and nobody counts who dropped it.
    """
    found = _contents(client, [*client.scan_iter(f"{namespace}*", count=1000)])
    ids = sorted(set(_ID.findall(f"{found!r}{result}")))
    named = {job_id: f"<id {number}>" for number, job_id in enumerate(ids)}

    def plain(text: str) -> str:
        text = _ID.sub(lambda match: named[match[0]], text.replace(namespace, ""))
        return _WORKER.sub("<worker>", _TIME.sub("<time>", text))

    lines = []
    for key, (kind, life, content) in found.items():
        name, inside = plain(key), [plain(part) for part in content]
        if not name.startswith(_HINTS):
            lines.append(f"{name} {kind} {life} {inside if kind == 'list' else sorted(inside)}")
    return [*sorted(lines), f"result {plain(result)}"]


def _contents(client: redis.Redis, keys: list[str]) -> dict[str, tuple[str, str, list[str]]]:
    """Return of each key its type, how long it lives, and what is in it."""
    with client.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.type(key).pttl(key)
        answers: list[Any] = pipeline.execute()
        for key, kind in zip(keys, answers[::2], strict=True):
            _read(pipeline, kind, key)
        contents: list[Any] = pipeline.execute()
    found = {}
    for number, (key, content) in enumerate(zip(keys, contents, strict=True)):
        kind, life = answers[2 * number : 2 * number + 2]
        if kind == "hash" and "_attempt" in content:
            content["_attempt"] = _WAITED.sub("<ms>", content["_attempt"])
        parts = [f"{name}={value}" for name, value in content.items()] if kind == "hash" else [*map(str, content)]
        if kind == "list" and all(map(_ID.fullmatch, parts)):
            parts = list(dict.fromkeys(parts))
        if key.endswith(":meta"):
            parts = [part for part in parts if not part.startswith("misplaced=")]
        found[key] = (kind, "for ever" if life < 0 else f"{round(life / 60_000)} min", parts)
    return found


def _read(pipeline: Any, kind: str, key: str) -> None:
    match kind:
        case "hash":
            pipeline.hgetall(key)
        case "list":
            pipeline.lrange(key, 0, -1)
        case "zset":
            pipeline.zrange(key, 0, -1)  # the scores are times
        case "set":
            pipeline.smembers(key)
        case "stream":
            pipeline.xrange(key)
        case _:
            pipeline.mget(key)


def shown(result: object) -> str:
    """Return a result as a text; of a record what it says."""
    if isinstance(result, JobRecord):
        error = result.error.message if result.error else ""
        children = [shown(child) for child in result.children]
        params = result.params if result.flow_name == "orders" else ""
        return f"{result.id} {result.status} {result.queue} {result.attempts} {params} {error} {children}"
    if isinstance(result, list | tuple):
        return f"[{', '.join(map(shown, result))}]"
    return str(result)
