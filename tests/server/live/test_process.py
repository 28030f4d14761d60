"""A `flows web` process: what many sockets on a board cost Redis, and what it asks when nobody looks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection

from flows.testing import private_server
from tests.api.shop import leave
from tests.faults.ports import free_port
from tests.scale import SCALE
from tests.server.serving import Serving, receive
from tests.waiting import LONG, until

pytestmark = [
    pytest.mark.scale,
    pytest.mark.skipif(SCALE == 1, reason="takes minutes; in short, in this process, it is test_many_watchers.py"),
]

WATCH = json.dumps({"type": "watchTopic", "topic": "board/shop"})
#: So long is looked at what watching costs.
_SECONDS = 20.0
#: What a client says when it connects, and the test's own.
_OTHER = ("PING", "CLIENT", "HELLO", "INFO", "CONFIG", "AUTH", "SELECT", "MONITOR", "PUBSUB")


@asynccontextmanager
async def web(url: str, *more: str) -> AsyncIterator[tuple[Serving, int]]:
    """Start `flows web`; yield where it listens, and its process."""
    port = free_port()
    command = (sys.executable, "-m", "flows", "web", "--redis-url", url, "--port", str(port), *more)
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    try:
        assert b"looks at" in await asyncio.wait_for(process.stderr.readline(), LONG)
        assert b"every user of this machine is an operator" in await process.stderr.readline()
        await until(lambda: _listens(port))
        yield Serving(port), process.pid
    finally:
        process.terminate()
        said = (await process.communicate())[1]
    assert (process.returncode, said) == (0, b"")


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    return False


async def commands(redis: Redis, seconds: float) -> list[str]:
    """Return what a server is sent in some seconds, by MONITOR; what scripts call is left out."""
    seen: list[str] = []
    async with redis.monitor() as monitor:
        for wait in (0.0, seconds):
            await asyncio.sleep(wait)
            mark = secrets.token_hex(8)
            await redis.echo(mark)
            seen.clear()
            while mark not in (one := await monitor.next_command())["command"]:
                seen.append("" if one["client_type"] == "lua" else one["command"])
    return [one for one in seen if one and not one.startswith(_OTHER)]


async def _act_on_many(client: httpx.AsyncClient) -> None:
    asked = {"verb": "retry", "query": "flow:shop state:failed", "seen": 2, "undo": 0}
    begun = (await client.post("/api/v1/bulk/apply", json=asked)).json()

    async def is_done() -> bool:
        return bool((await client.get("/api/v1/bulk/show", params={"id": begun["id"]})).json()["state"] == "done")

    await until(is_done)


async def _nobody_listens(redis: Redis) -> bool:
    return not await redis.execute_command("PUBSUB", "SHARDCHANNELS", "*")


async def _states(sockets: list[ClientConnection], seconds: float) -> float:
    """Read states of all sockets for a time, and return the longest pause between two of one socket, in seconds."""
    end, longest = time.monotonic() + seconds, [0.0]

    async def read(one: ClientConnection) -> None:
        before = time.monotonic()
        while time.monotonic() < end:
            await receive(one, {"topicState"})
            longest.append(time.monotonic() - before)
            before = time.monotonic()

    await asyncio.gather(*map(read, sockets))
    return max(longest)


async def test_many_sockets_cost_what_one_costs_and_none_costs_nothing() -> None:
    """By MONITOR: a thousand watchers of a board are one reading a second; when they have gone, not one command comes.

    That a page was asked for before, and an action on many jobs was done, changes nothing.
    """
    with private_server() as url:
        await leave(url, "")
        redis = Redis.from_url(url)
        async with AsyncExitStack() as after, web(url) as (server, _process):
            client = await after.enter_async_context(server.client())
            assert (await client.get("/api/v1/flows/list")).status_code == 200
            await _act_on_many(client)
            counted: list[float] = []
            for many in (1, 1_000):
                async with AsyncExitStack() as stack:
                    sockets = [await stack.enter_async_context(server.socket()) for _ in range(many)]
                    for one in sockets:
                        await one.send(WATCH)
                    for one in sockets:
                        await receive(one, {"topicState"})
                    reading = asyncio.create_task(_states(sockets, _SECONDS))
                    counted.append(len(await commands(redis, _SECONDS)) / _SECONDS)
                    await reading
            await until(lambda: _nobody_listens(redis))
            while await commands(redis, 1.0):
                pass  # what has done the action leaves when there is no more to do
            assert await commands(redis, 60.0) == []
            stream = await after.enter_async_context(client.stream("GET", "/live?topic=flows"))
            lines = stream.aiter_lines()
            assert await anext(lines)  # a process that is to end does not wait for the end of what is watched
        await redis.aclose()
    print(f"commands a second: {counted[0]:.1f} for one socket, {counted[1]:.1f} for {many:,}")  # noqa: T201 - a figure
    assert 0 < counted[1] <= counted[0] * 1.5 + 2


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_a_stalled_client_is_closed_and_the_others_see_nothing_of_it() -> None:
    """It reads nothing, not even pings: within a minute its socket is gone, and no other waited longer than before."""
    with private_server() as url:
        await leave(url, "")
        async with web(url) as (server, process), AsyncExitStack() as stack:
            others = [await stack.enter_async_context(server.socket()) for _ in range(50)]
            for one in others:
                await one.send(WATCH)
                await receive(one, {"topicState"})
            alone = await _states(others, 10)
            files = _files(process)
            for _ in range(20):
                stalled = await stack.enter_async_context(server.socket())
                await stalled.send(WATCH)
                await receive(stalled, {"topicState"})
                stalled.transport.pause_reading()
                stack.callback(stalled.transport.abort)  # nor does it close
            assert _files(process) == files + 20
            reading = asyncio.create_task(_states(others, 55))
            began = time.monotonic()
            await until(lambda: _files(process) <= files, 90)
            took = time.monotonic() - began
            beside = await reading
    print(f"stalled: gone after {took:.0f} s; the longest pause of others {alone:.2f} s, beside {beside:.2f} s")  # noqa: T201
    assert beside < alone + 1


def _files(process: int) -> int:
    """Return how many files a process has open: a socket is one."""
    return len(list(Path(f"/proc/{process}/fd").iterdir()))
