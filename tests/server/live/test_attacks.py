"""What a client of a socket may try: none of it ends the server, and nobody sees by it what is not for them."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from flows.api import Admin, Caller
from flows.server import Tokens, create_app, watch_token
from flows.server.live import rooms
from flows.server.live.connection import MOST_ROOMS
from flows.server.live.topic_room import TopicRoom
from flows.server.live.topics import TopicSource
from flows.server.tokens import new_token
from tests.api.conftest import Left
from tests.server.live.sources import SetSource, since
from tests.server.serving import Serving, receive, serving
from tests.waiting import until

KEY = "k" * 32


async def say(socket: ClientConnection, **message: Any) -> None:
    """Send a message."""
    await socket.send(json.dumps(message))


async def code_of(socket: ClientConnection) -> int | None:
    """Read until the connection ends, and return the code with which the server has closed it."""
    try:
        while True:
            await receive(socket)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


async def test_bytes_are_no_message(open_server: Serving) -> None:
    """They are told so, as any other; the connection goes on, and no fault stands in the log."""
    async with open_server.socket() as socket:
        await receive(socket)
        for frame in (b"\xff\x00", b"", b'{"type": "watchTopic"}'):
            await socket.send(frame)
            assert (await receive(socket))["error"]["code"] == "invalid"
        await socket.send(json.dumps({"type": "watchTopic", "topic": "flows"}).encode())
        assert (await receive(socket, {"topicState"}))["topic"] == "flows"


@pytest.mark.parametrize("text", ["[" * 60_000, '{"type":' * 8_000, '"' + "\\ud800" * 9_000 + '"', "1" * 60_000])
async def test_json_that_is_made_to_hurt_is_no_message(open_server: Serving, text: str) -> None:
    """Deep, or long, or with half a character: it is told so."""
    async with open_server.socket() as socket:
        await receive(socket)
        await socket.send(text)
        assert (await receive(socket))["error"]["code"] == "invalid"


async def test_a_connection_has_so_many_rooms(open_server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is refused, one that it has already is not, and one that it leaves makes place."""
    monkeypatch.setattr("flows.server.live.connection.MOST_ROOMS", 2)
    assert MOST_ROOMS == 100
    async with open_server.socket() as socket:
        for topic in ("flows", "workers"):
            await say(socket, type="watchTopic", topic=topic)
            await receive(socket, {"topicState"})
        await say(socket, type="watchTopic", topic="audit")
        assert (await receive(socket, {"appError"}))["error"]["code"] == "too_many"
        await say(socket, type="watchTopic", topic="flows")
        assert (await receive(socket, {"topicState", "appError"}))["topic"] == "flows"
        await say(socket, type="unwatchTopic", topic="workers")
        await say(socket, type="watchTopic", topic="audit")
        while (await receive(socket, {"topicState"}))["topic"] != "audit":
            pass


async def test_a_role_that_changes_ends_the_connection_before_the_next_topic(left: Left, tmp_path: Path) -> None:
    """An operator becomes a viewer in the file of tokens: it opens no room by what it was."""
    file = tmp_path / "tokens"
    token, line = new_token("ana", "operator")
    file.write_text(line)
    app = create_app(left.url, left.namespace, auth=Tokens.file(file))
    async with serving(app) as server:
        async with server.socket(origin=None, authorization=f"Bearer {token}") as socket:
            await say(socket, type="watchTopic", topic="audit")
            await receive(socket, {"topicState"})
            file.write_text(line.replace("operator", "viewer  "))
            await say(socket, type="watchTopic", topic="flows")
            assert await code_of(socket) == 4401
        async with server.socket(origin=None, authorization=f"Bearer {token}") as socket:
            await say(socket, type="watchTopic", topic="audit")
            assert (await receive(socket, {"topicState", "appError"}))["error"]["code"] == "forbidden"


async def test_a_narrower_token_ends_what_it_does_not_name(server: Serving) -> None:
    """Who brings the next token keeps the topics of that one; a token of somebody else ends the connection."""
    async with server.socket(origin="https://shop.example") as socket:
        await say(socket, type="authenticate", token=watch_token(KEY, "user 7", ["flows", "workers"]))
        for topic in ("flows", "workers"):
            await say(socket, type="watchTopic", topic=topic)
            await receive(socket, {"topicState"})
        await say(socket, type="authenticate", token=watch_token(KEY, "user 7", ["workers"]))
        told = await receive(socket, {"appError"})
        assert (told["topic"], told["error"]["code"]) == ("flows", "forbidden")
        await say(socket, type="authenticate", token=watch_token(KEY, "user 8", ["workers"]))
        assert await code_of(socket) == 4401


async def test_who_says_nothing_takes_no_place_of_others(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of anybody may open so many sockets that have not said who they are; own pages and tokens come in."""
    monkeypatch.setattr("flows.server.live.live.MOST_UNKNOWN", 1)
    token = watch_token(KEY, "user 7", ["flows"])
    async with server.socket(origin="https://evil.example") as socket:
        with pytest.raises(InvalidStatus) as refused:
            async with server.socket(origin="https://shop.example"):
                pass
        assert refused.value.response.status_code == 503
        await say(socket, type="authenticate", token=token)
        await say(socket, type="watchTopic", topic="flows")
        await receive(socket, {"topicState"})
        async with server.socket(origin="https://shop.example") as other:
            await say(other, type="authenticate", token=token)
            await say(other, type="watchTopic", topic="flows")
            await receive(other, {"topicState"})
    async with server.socket(origin="https://shop.example") as socket:
        assert (await receive(socket))["auth"] == "token"


async def test_who_waits_for_redis_has_a_place(open_server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """A burst while Redis is away: no more sockets and streams wait than there are places, and these come free."""
    monkeypatch.setattr("flows.server.live.live.MOST_CONNECTIONS", 2)
    waiting, opened, there = list[Admin](), Admin.open, asyncio.Event()

    async def open_late(admin: Admin) -> None:
        waiting.append(admin)
        await there.wait()
        await opened(admin)

    async def watch() -> bool:
        with suppress(InvalidStatus):
            async with open_server.socket() as socket:
                await receive(socket)
                return True
        return False

    async def stream() -> bool:
        async with open_server.client() as client, client.stream("GET", "/live?topic=flows") as answer:
            return answer.status_code == 200

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Admin, "open", open_late)
        asked = [asyncio.create_task(one()) for one in (watch, watch, watch, stream, stream)]
        try:
            await until(lambda: len(waiting) + sum(one.done() for one in asked) == len(asked))
        finally:
            there.set()
            let_in = sum(await asyncio.gather(*asked))
    assert (len(waiting), let_in) == (2, 2)
    await until(watch)
    await until(stream)


async def test_no_message_acts(open_server: Serving) -> None:
    """Not by the name of an operation: a socket watches, and acts on nothing but trees."""
    async with open_server.socket() as socket:
        await receive(socket)
        for kind in ("jobs.retry", "trees.execute", "hello"):
            await say(socket, type=kind, topic="flows", workflowId="1", ref="1", id="1")
            assert (await receive(socket))["error"]["code"] == "invalid"


async def test_so_many_rooms_read_at_a_time(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many topics a viewer makes up, Redis is asked for a few at once, and all of them are answered in turn."""
    reading, most = 0, 0
    read = TopicSource.read

    async def counting(source: TopicSource) -> Any:
        nonlocal reading, most
        reading, most = reading + 1, max(most, reading + 1)
        try:
            return await read(source)
        finally:
            reading -= 1

    monkeypatch.setattr(TopicSource, "read", counting)
    async with serving(create_app(left.url, left.namespace)) as server, server.socket() as socket:
        wanted = {f"jobs?q=flow:shop user_id:{number}" for number in range(15)}
        for topic in wanted:
            await say(socket, type="watchTopic", topic=topic)
        while wanted:
            wanted.discard((await receive(socket, {"topicState"}))["topic"])
    assert most == rooms.MOST_READING


async def test_cursors_that_are_made_up_take_no_memory() -> None:
    """One message for all who get the whole, whatever revision they claim to have seen."""
    source = SetSource(n=0)
    room = TopicRoom("board/a", source)
    await room.open()
    for number in range(40):
        source.state["n"] = number
        await room._read()
    epoch = room.cursor.partition(".")[0]
    texts = [since(room, room.seen(f"{epoch}.{revision}")) for revision in range(1, 20)]
    assert len({id(text) for text in texts if text is not None}) == 1
    await room.close()


async def test_who_opens_and_leaves_at_once_leaves_nothing(left: Left) -> None:
    """Sockets that end in each phase: no room and no place of a connection stays behind."""
    made: list[rooms.Rooms] = []
    kept = rooms.Rooms.__init__

    def keeping(self: rooms.Rooms, *args: Any) -> None:
        kept(self, *args)
        made.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rooms.Rooms, "__init__", keeping)
        app = create_app(left.url, left.namespace, auth=lambda _connection: Caller(name="vera"))
    async with serving(app) as server:
        for number in range(12):
            socket = await server.socket()
            if number % 3:
                await say(socket, type="watchTopic", topic=f"jobs?q=flow:shop user_id:{number}")
            if number % 3 == 2:
                await receive(socket, {"topicState"})
            socket.transport.abort()
            await asyncio.sleep(0)
        await until(lambda: len(made[0]) == 0)
