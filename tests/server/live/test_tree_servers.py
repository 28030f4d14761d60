"""Nothing is lost on the way from a real Redis by real sockets: messages, connections, replicas, restarts, writes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from flows.errors import LostLease, StoreError
from flows.model.tree.errors import InstanceGone
from flows.server import create_app
from flows.tree.storage.protocol import Conflict
from flows.tree.storage.redis import RedisStorage
from tests.faults.server import Server
from tests.scale import scaled
from tests.server.live.tree_client import TreeClient
from tests.server.live.tree_world import World
from tests.server.serving import Serving, serving
from tests.waiting import until

#: What a history does, each by how often.
_WRITE, _CUT, _DEAF, _STALL, _RESTART, _LOSE = "write", "cut", "deaf", "stall", "restart", "lose"
_CHANCES = {_WRITE: 60, _CUT: 10, _DEAF: 10, _STALL: 10, _RESTART: 4, _LOSE: 3}


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
                async with self._rng.choice(self._servers).socket() as socket:
                    self._socket = socket
                    await self._ask(socket)
                    await self._read(socket)
            self._socket = None
            await asyncio.sleep(0.02)

    def cut(self) -> None:
        """Lose the connection, and what is on its way."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def stall(self, seconds: float) -> None:
        """Read nothing for a time."""
        socket = self._socket
        if socket is not None and not socket.transport.is_closing():
            socket.transport.pause_reading()
            await asyncio.sleep(seconds)
            if not socket.transport.is_closing():
                socket.transport.resume_reading()

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


async def history(directory: Path, seed: int, steps: int) -> list[str]:
    """Return in what a page ends otherwise than the instance."""
    rng = random.Random(seed)  # noqa: S311 - a history that can be had again
    with Server(directory) as server:
        storage = RedisStorage(server.url)
        world = World(rng, storage)
        await world.create()
        server.kill()
        server.keep_copy()
        server.restart()
        async with serving(create_app(server.url)) as one, serving(create_app(server.url)) as two:
            page = Page(rng, [one, two], world.id)
            watching = asyncio.create_task(page.keep_watching())
            await until(lambda: page.client.rev)
            for _ in range(steps):
                await _do(rng.choices(list(_CHANCES), list(_CHANCES.values()))[0], server, world, page)
                await asyncio.sleep(rng.random() * 0.02)  # what is told meets what is done in each of its phases
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
    if what == _CUT:
        page.cut()
    elif what == _DEAF:  # replicas hear nothing of the next writes, until they listen again
        with server.client() as client:
            client.client_kill_filter(_type="pubsub")
    elif what == _STALL:
        await page.stall(0.05)
    elif what in {_RESTART, _LOSE}:
        await asyncio.to_thread(_restart, server, loses=what == _LOSE)
    if what != _CUT:
        for _ in range(world.rng.randint(1, 4)):
            with contextlib.suppress(StoreError, LostLease, Conflict, InstanceGone):
                await world.act()


def _restart(server: Server, *, loses: bool) -> None:
    server.kill()
    if loses:  # as a failover does to a replica that had not got the last writes
        server.restore_copy()
    else:
        server.keep_copy()
    server.restart()


@pytest.mark.scale
@pytest.mark.timeout(1800)
async def test_a_page_ends_with_the_instance_as_it_stands(tmp_path: Path) -> None:
    """Over two replicas, whatever is lost: nothing that it holds in the end is another than what is stored."""
    for seed in range(scaled(2, full=200)):
        assert await history(tmp_path / str(seed), seed, scaled(25, full=40)) == [], f"seed {seed}"
