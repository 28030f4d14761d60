"""What many watchers cost: one reading for all; who takes nothing goes; where nobody looks, Redis is asked nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed

from flows.api import Caller
from flows.server import create_app
from flows.server.identity import Session
from flows.server.live import protocol, room
from flows.server.live.connection import LiveConnection
from flows.server.live.rooms import Rooms
from flows.server.live.topics import TopicSource
from flows.testing import private_server
from tests.api.conftest import Left
from tests.api.shop import leave
from tests.scale import SCALE, scaled
from tests.server.live.sources import NO_TREES, SetSource, made
from tests.server.serving import Serving, receive, serving
from tests.waiting import patient, until

VERA = Caller(name="vera")
WATCH = json.dumps({"type": "watchTopic", "topic": "board/shop"})


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note when a topic is read from Redis."""
    times: list[float] = []
    read = TopicSource.read

    async def noting(source: TopicSource) -> object:
        times.append(time.monotonic())
        return await read(source)

    monkeypatch.setattr(TopicSource, "read", noting)
    return times


async def watch_from_many(server: Serving, many: int, reads: list[float], rounds: int) -> None:
    """Watch a board from many sockets, until each was sent so many states; the board was read once for all of them."""
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(server.socket()) for _ in range(many)]
        for one in sockets:
            await one.send(WATCH)
        for _ in range(rounds):
            states = await asyncio.gather(*(receive(one, {"topicState"}) for one in sockets))
            assert {state["topic"] for state in states} == {"board/shop"}
    took = reads[-1] - reads[0]
    assert rounds <= len(reads) <= took / room.EVERY + 2


@pytest.mark.scale
async def test_many_watchers_of_a_board_cost_one_reading_at_a_time(
    open_server: Serving, reads: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many readings as one of them would cost, and each is sent each state: for 1,000 one a second."""
    monkeypatch.setattr(room, "EVERY", 0.1 if SCALE == 1 else 1.0)
    await watch_from_many(open_server, scaled(100, full=1000), reads, scaled(3, full=10))


async def test_what_one_replica_is_told_another_sends(left_to_act: Left) -> None:
    """Two servers over one Redis: a job is retried at one, and who watches it at the other sees it."""
    left = left_to_act
    app, other = (create_app(left.url, left.namespace) for _ in range(2))
    async with serving(app) as first, serving(other) as second, second.socket() as one, first.client() as client:
        await one.send(json.dumps({"type": "watchTopic", "topic": f"job/shop/{left.ids['failed']}"}))
        state = await receive(one, {"topicState"})
        assert state["state"]["job"]["state"] == "failed"
        assert (await client.post("/api/v1/jobs/retry", json={"id": left.ids["failed"]})).status_code == 200
        while state["state"].get("job", {}).get("state") != "waiting":
            state = await receive(one, {"topicState"})


@pytest.mark.scale
async def test_where_nobody_looks_redis_is_asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a watcher has gone and a page was asked for; seen by MONITOR, which sees a ping of the test at the end."""
    if SCALE == 1:
        monkeypatch.setattr(room, "EVERY", 0.1)
    with private_server() as url:
        await leave(url, "")
        async with serving(create_app(url)) as server, server.client() as client:
            assert (await client.get("/api/v1/flows/list")).status_code == 200
            async with server.socket() as one:
                await one.send(WATCH)
                await receive(one, {"topicState"})
            redis = Redis.from_url(url)
            await until(lambda: _nobody_listens(redis))
            async with redis.monitor() as monitor:
                await asyncio.sleep(60 if SCALE != 1 else 3 * room.EVERY)
                await redis.ping()
                seen = [(await monitor.next_command())["command"]]
                while "PING" not in seen:
                    seen.append((await monitor.next_command())["command"])
            await redis.aclose()
    assert [command for command in seen if not command.startswith(("PING", "CLIENT", "HELLO"))] == []


async def _nobody_listens(redis: Redis) -> bool:
    return not await redis.pubsub_channels("flows:*")


class Room:
    """A server whose topics are in the hands of a test, and what of it is still there."""

    def __init__(self) -> None:
        self.source = SetSource(n=0)
        self.rooms = Rooms(made(lambda _topic, _caller: self.source))
        self.connections = 0

    async def watch(self, one: WebSocket) -> None:
        """Serve a socket."""

        async def identify(_token: str | None) -> Session:
            return Session(VERA)

        self.connections += 1
        try:
            await LiveConnection(one, self.rooms, NO_TREES, identify).run()
        finally:
            self.connections -= 1


@asynccontextmanager
async def stalled(server: Serving) -> AsyncIterator[None]:
    """Watch, and read nothing after the handshake."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)  # noqa: FBT003 - so it is
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", server.port))
    async with server.socket(sock=raw) as one:
        await one.send(WATCH)
        await receive(one, {"topicState"})
        one.transport.pause_reading()
        try:
            yield
        finally:
            one.transport.abort()


async def test_who_takes_nothing_is_closed_and_the_others_see_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is meant for it does not pile up: one state is on its way, and after a time its place is free."""
    monkeypatch.setattr("flows.server.patient_stream.TAKEN_WITHIN", patient(1.0))
    one_room = Room()
    app = Starlette(routes=[WebSocketRoute("/live", one_room.watch)])
    async with serving(app) as server, server.socket() as other:
        await other.send(WATCH)
        await receive(other, {"topicState"})
        async with stalled(server):
            await until(lambda: one_room.connections == 2)
            number = 0
            while one_room.connections == 2:
                number += 1
                one_room.source.change(n=number, text=f"{number}" * (4_000_000 if number < 4 else 1))
                while (await receive(other, {"topicState"}))["state"].get("n") != number:
                    pass
        one_room.source.change(n=-1, text="")
        assert (await receive(other, {"topicState"}))["state"]["n"] == -1
        assert one_room.connections == 1
    await one_room.rooms.close()


async def test_a_fault_of_ours_ends_the_room_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody holds a state for ever that nobody reads any more; the log says what it was, not the client."""
    one_room = Room()
    app = Starlette(routes=[WebSocketRoute("/live", one_room.watch)])
    async with serving(app) as server, server.socket() as one:
        await one.send(WATCH)
        await receive(one, {"topicState"})
        with caplog.at_level(logging.CRITICAL + 1, "flows.server"):
            one_room.source.error = ZeroDivisionError("secret")
            one_room.source.hint()
            told = await receive(one, {"appError"})
    assert (told["topic"], "secret" in told["error"]["message"]) == ("board/shop", False)
    await one_room.rooms.close()


async def test_who_may_not_watch_does_not_enter_an_open_room(left: Left) -> None:
    """A viewer, of whom the audit is not, watches beside an operator, who has opened the room; over both ways in."""

    def auth(connection: object) -> Caller:
        role = connection.headers.get("x-role", "nobody")  # type: ignore[attr-defined]
        return Caller(name=role, role=role)

    async with serving(create_app(left.url, left.namespace, auth=auth)) as server:
        for topic, may, may_not in (("audit", "operator", "viewer"), ("flows", "viewer", "nobody")):
            message = json.dumps({"type": "watchTopic", "topic": topic})
            async with server.socket(x_role=may) as opened, server.socket(x_role=may_not) as other:
                await opened.send(message)
                assert (await receive(opened, {"appError", "topicState"}))["type"] == "topicState"
                await other.send(message)
                told = await receive(other, {"appError", "topicState"})
                assert told["error"]["code"] == "forbidden"
                async with server.client(**{"x-role": may_not}) as client:
                    assert (await client.get("/live", params={"topic": topic})).status_code == 403


async def test_a_stream_ends_with_the_rights_of_its_reader(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a socket does: who has been taken back is told, and sent nothing more."""
    monkeypatch.setattr(protocol, "CHECKED_EVERY", 0.05)
    known = [True]

    def auth(_connection: object) -> Caller | None:
        return Caller(name="ana") if known[0] else None

    async with (
        serving(create_app(left.url, left.namespace, auth=auth)) as server,
        server.client() as client,
        client.stream("GET", "/live", params={"topic": "flows"}) as stream,
    ):
        lines = stream.aiter_lines()
        await anext(lines)
        known[0] = False
        rest = [line async for line in lines]
    assert '"code":"unauthenticated"' in rest[-2]


async def test_a_token_that_ends_is_told_of_before_and_then_ends_the_connection() -> None:
    """A client that brings no new one is closed, and not a minute later."""
    ends_at: list[float] = []
    one_room = Room()

    async def identify(_token: str | None) -> Session | None:
        if not ends_at:
            ends_at.append(time.time() + 0.3)
        return Session(VERA, ends_at[0]) if time.time() < ends_at[0] else None

    async def watch(one: WebSocket) -> None:
        await LiveConnection(one, one_room.rooms, NO_TREES, identify).run()

    async with serving(Starlette(routes=[WebSocketRoute("/live", watch)])) as server, server.socket() as one:
        assert (await receive(one, {"tokenEnds"}))["ms"] <= 300
        with pytest.raises(ConnectionClosed) as closed:
            await receive(one, {"beat"})
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == protocol.NO_TOKEN
