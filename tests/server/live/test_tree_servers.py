"""Nothing is lost on the way from a real Redis by real sockets: messages, connections, replicas, restarts, writes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from flows.errors import LostLease, StoreError
from flows.model.tree.errors import InstanceGone
from flows.server import create_app
from flows.server.frame_socket import FrameSocket
from flows.tree.storage.protocol import Conflict
from flows.tree.storage.redis import RedisStorage
from tests.faults.server import Server
from tests.scale import SCALE, scaled
from tests.server.live.tree_client import TreeClient
from tests.server.live.tree_world import World
from tests.server.serving import Serving, serving
from tests.waiting import until

#: What a history does, each by how often.
_WRITE, _CUT, _DEAF, _STALL, _RESTART, _LOSE = "write", "cut", "deaf", "stall", "restart", "lose"
_CHANCES = {_WRITE: 60, _CUT: 10, _DEAF: 10, _STALL: 10, _RESTART: 4, _LOSE: 3}
#: So many histories at a time: most of one is waited for.
_SIDE_BY_SIDE = 8
#: A page that reads nothing for a time: so many bytes the kernel holds for it at either end, and so long a task speaks.
_BUFFER, _SAYS = 4096, "half" * 10_000


class Page:
    """A page that watches an instance, and comes back with its cursor whenever it is cut off.

    Args:
        rng: Decides where it comes back.
        servers: The replicas.
        instance_id: What it watches.
    """

    def __init__(self, rng: random.Random, servers: list[Serving], instance_id: str) -> None:
        self.client = TreeClient()
        self._rng = rng
        self._servers = servers
        self._watch = {"type": "watchWorkflowInstance", "workflowId": instance_id}
        self._socket: ClientConnection | None = None

    async def keep_watching(self) -> None:
        """Connect, again and again."""
        while True:
            with contextlib.suppress(ConnectionClosed, OSError):
                server = self._rng.choice(self._servers)
                async with server.socket(sock=await _narrow(server.port)) as opened:
                    self._socket = opened
                    self.client.connect()
                    await self._ask(opened)
                    await self._read(opened)
            self._socket = None
            await asyncio.sleep(0.02)

    def cut(self) -> None:
        """Lose the connection, and what is on its way."""
        if self._socket is not None:
            self._socket.transport.abort()

    def stall(self) -> None:
        """Read nothing until it goes on."""
        if self._socket is not None and not self._socket.transport.is_closing():
            self._socket.transport.pause_reading()

    def go_on(self) -> None:
        """Read on."""
        if self._socket is not None and not self._socket.transport.is_closing():
            self._socket.transport.resume_reading()

    async def _read(self, socket: ClientConnection) -> None:
        async for text in socket:
            message = json.loads(text)
            if message["type"] in {"appError", "workflowDestroyed"}:  # Redis is away, or has not got it yet
                await asyncio.sleep(0.1)
                await self._ask(socket)
            elif not self.client.take_message(message):
                await self._ask(socket)

    async def _ask(self, socket: ClientConnection) -> None:
        cursor = {} if self.client.cursor is None else {"cursor": self.client.cursor}
        await socket.send(json.dumps({**self._watch, **cursor}))


async def _narrow(port: int) -> socket.socket:
    """Connect by a socket that holds little of what is not read."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    narrow.setblocking(False)  # noqa: FBT003 - so it is
    try:
        await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", port))
    except BaseException:
        narrow.close()
        raise
    return narrow


@contextlib.asynccontextmanager
async def _started(directory: Path) -> AsyncIterator[Server]:
    """Run a server; other histories go on while it starts and ends."""
    server = Server(directory)
    await asyncio.to_thread(server.start)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.close)


async def history(directory: Path, seed: int, steps: int) -> list[str]:
    """Return in what a page ends otherwise than the instance."""
    rng = random.Random(seed)  # noqa: S311 - a history that can be had again
    async with _started(directory) as server:
        storage = RedisStorage(server.url)
        world = World(rng, storage)
        world.says = rng.choice(("half", _SAYS))
        await world.create()
        await asyncio.to_thread(_restart, server, loses=False)
        async with (
            serving(create_app(server.url), most_unsent=_BUFFER) as one,
            serving(create_app(server.url), most_unsent=_BUFFER) as two,
        ):
            page = Page(rng, [one, two], world.id)
            watching = asyncio.create_task(page.keep_watching())
            await until(lambda: page.client.rev)
            for _ in range(steps):
                await _do(rng.choices(list(_CHANCES), list(_CHANCES.values()))[0], server, world, page)
                await asyncio.sleep(rng.random() * 0.02)  # what is told meets what is done in each of its phases
            page.go_on()
            different: list[str] = [""]

            async def is_same() -> bool:
                different[:] = page.client.differs(await world.state())
                return not different

            with contextlib.suppress(TimeoutError):
                await until(is_same)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await storage.close()
        return different


async def _do(what: str, server: Server, world: World, page: Page) -> None:
    if what != _WRITE:
        page.go_on()
    if what == _CUT:
        page.cut()
    elif what == _DEAF:  # replicas hear nothing of the next writes, until they listen again
        await asyncio.to_thread(_deafen, server)
    elif what == _STALL:
        page.stall()
    elif what in {_RESTART, _LOSE}:
        await asyncio.to_thread(_restart, server, loses=what == _LOSE)
    if what != _CUT:
        for _ in range(world.rng.randint(1, 4)):
            with contextlib.suppress(StoreError, LostLease, Conflict, InstanceGone):
                await world.act()


def _deafen(server: Server) -> None:
    with server.client() as client:
        client.client_kill_filter(_type="pubsub")


def _restart(server: Server, *, loses: bool) -> None:
    server.kill()
    if loses:  # as a failover does to a replica that had not got the last writes
        server.restore_copy()
    else:
        server.keep_copy()
    server.restart()


@pytest.mark.scale
@pytest.mark.timeout(1800)
async def test_a_page_ends_with_the_instance_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over two replicas, whatever is lost, and however slowly it reads: in the end it holds what is stored."""
    full: list[FrameSocket] = []
    pause = FrameSocket.pause_writing

    def note(one: FrameSocket) -> None:
        full.append(one)
        pause(one)

    monkeypatch.setattr(FrameSocket, "pause_writing", note)
    places = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def different(seed: int) -> list[str]:
        async with places:
            return await history(tmp_path / str(seed), seed, scaled(25, full=40))

    seeds = range(scaled(2, full=200))
    found = await asyncio.gather(*map(different, seeds))
    assert [(seed, one) for seed, one in zip(seeds, found, strict=True) if one] == []
    assert full or SCALE == 1, "no page has read so slowly that its socket was full"
