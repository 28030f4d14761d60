"""What is new is sent at once where the server of the socket can, and comes to the same where it cannot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from flows.api import Caller
from flows.errors import NothingThere
from flows.server.frame_socket import FrameSocket
from flows.server.identity import Session
from flows.server.live.connection import LiveConnection
from flows.server.live.protocol import Watched
from flows.server.live.room import Watch
from flows.server.live.rooms import Rooms
from flows.server.live.sending import AT_ONCE, Sending
from flows.server.live.topic_room import TopicRoom
from tests.server.live.sources import NO_TREES, SetSource, made
from tests.server.serving import Serving, receive, serving
from tests.waiting import until

WATCH = json.dumps({"type": "watchTopic", "topic": "board/shop"})


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[tuple[FrameSocket, Sequence[str]]]:
    """Note what was sent at once, and by which socket."""
    sent: list[tuple[FrameSocket, Sequence[str]]] = []
    send_texts = FrameSocket.send_texts

    def noting(socket: FrameSocket, texts: Sequence[str]) -> None:
        sent.append((socket, texts))
        send_texts(socket, texts)

    monkeypatch.setattr(FrameSocket, "send_texts", noting)
    return sent


@asynccontextmanager
async def one_room(**options: Any) -> AsyncIterator[tuple[Serving, SetSource]]:
    """Serve a room that says what a test sets."""
    source = SetSource(n=0)
    rooms = Rooms(made(lambda _topic, _caller: source))

    async def identify(_token: str | None) -> Session | None:
        return Session(Caller(name="vera"))

    async def watch(one: WebSocket) -> None:
        await LiveConnection(one, rooms, NO_TREES, identify).run()

    async with serving(Starlette(routes=[WebSocketRoute("/live", watch)]), **options) as server:
        yield server, source
        await rooms.close()


@pytest.mark.parametrize("ws", [FrameSocket, "websockets-sansio"])
async def test_what_is_told_is_the_same_at_once_and_by_asgi(
    ws: object, at_once: list[tuple[FrameSocket, Sequence[str]]]
) -> None:
    """Ten watchers get each state, in order, of whatever size; at once it is framed once for all of them."""
    sizes = (1, 125, 126, 65_535, 65_536, 200_000)
    async with one_room(ws=ws) as (server, source), AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(server.socket()) for _ in range(10)]
        for one in sockets:
            await one.send(WATCH)
            assert (await receive(one, {"topicState"}))["state"]["n"] == 0
        at_once.clear()
        for number, size in enumerate(sizes, 1):
            source.change(n=number, text="é" * size)
            for one in sockets:
                told = await receive(one, {"topicState"})
                assert (told["state"]["n"], told["state"]["text"]) == (number, "é" * size)
    if ws is FrameSocket:
        assert len(at_once) > len(sizes)
        assert len({id(texts) for _socket, texts in at_once}) <= len(sizes)
    else:
        assert at_once == []


async def test_for_who_reads_nothing_no_more_is_held_than_its_socket_takes(
    at_once: list[tuple[FrameSocket, Sequence[str]]],
) -> None:
    """Forty large states are told; the one that reads on then gets what it was being sent, and the last one."""
    most = 0
    async with one_room(most_unsent=4096) as (server, source), server.socket() as other, server.socket() as stalled:
        for one in (stalled, other):
            await one.send(WATCH)
            await receive(one, {"topicState"})
        stalled.transport.pause_reading()
        for number in range(1, 41):
            source.change(n=number, text=f"{number:02}" * 25_000)
            assert (await receive(other, {"topicState"}))["state"]["n"] == number
            most = max(most, *(socket.transport.get_write_buffer_size() for socket, _texts in at_once))
        stalled.transport.resume_reading()
        seen = [(await receive(stalled, {"topicState"}))["state"]["n"]]
        while seen[-1] != 40:
            seen.append((await receive(stalled, {"topicState"}))["state"]["n"])
    assert 65_536 < most < 65_536 + 2 * 60_000
    assert seen == [*range(1, len(seen)), 40]
    assert len(seen) < 40


class SlowSocket:
    """A socket that says whether it takes more, and notes what comes at once, and what by ASGI, when it lets it."""

    def __init__(self) -> None:
        self.takes = True
        self.goes = asyncio.Event()
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.scope = {"extensions": {AT_ONCE: self}}

    def send_texts(self, texts: Sequence[str]) -> None:
        """Take texts at once."""
        self.sent += (("at once", json.loads(text)) for text in texts)

    async def send_text(self, text: str) -> None:
        """Take a text by ASGI."""
        await self.goes.wait()
        self.sent.append(("asgi", json.loads(text)))


@asynccontextmanager
async def slowly(source: SetSource) -> AsyncIterator[tuple[SlowSocket, Sending, Callable[[], Awaitable[None]]]]:
    """Watch a room by a slow socket; what is yielded last makes something new in it."""
    one = SlowSocket()
    room = TopicRoom("board/shop", source)
    watches: dict[Watched, Watch] = {}
    sending = Sending(one, watches, lambda _watched: None)  # type: ignore[arg-type]
    await room.open()
    told = asyncio.Event()
    watches[Watched("topic", "board/shop")] = room.enter(lambda: (sending.tell(), told.set()))  # type: ignore[func-returns-value]
    task = asyncio.create_task(sending.keep_sending())
    await asyncio.sleep(0)

    async def change() -> None:
        told.clear()
        source.change(n=source.state["n"] + 1)
        await told.wait()

    try:
        yield one, sending, change
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await room.close()


async def test_to_who_takes_nothing_nothing_is_sent_at_once() -> None:
    """Nor behind what waits for it by ASGI: when that has gone, all that is new by then comes, each revision once."""
    async with slowly(SetSource(n=0)) as (one, _sending, change):
        await change()
        one.takes = False
        await change()
        one.takes = True
        await change()
        await change()
        assert [how for how, _told in one.sent] == ["at once"]
        one.goes.set()
        await until(lambda: one.sent[-1][1]["state"]["n"] == 4)
        await change()
    assert [how for how, _told in one.sent] == ["at once", "asgi", "asgi", "at once"]
    assert [(told["from"], told["rev"], told["state"]["n"]) for _how, told in one.sent] == [
        (0, 2, 1),
        (2, 3, 2),
        (3, 5, 4),
        (5, 6, 5),
    ]


async def test_a_word_to_the_client_comes_before_what_is_new_after_it() -> None:
    """It waits for the socket, and what is told meanwhile waits behind it."""
    async with slowly(SetSource(n=0)) as (one, sending, change):
        await change()
        sending.say(json.dumps({"type": "accepted", "state": {"n": 0}}))
        await change()
        assert [how for how, _told in one.sent] == ["at once"]
        one.goes.set()
        await until(lambda: one.sent[-1][1]["state"]["n"] == 2)
    assert [told["type"] for _how, told in one.sent] == ["topicState", "accepted", "topicState"]


async def test_that_a_room_has_ended_is_told() -> None:
    """What is not new in the room is said all the same, by the task of the connection."""
    source = SetSource(n=0)
    async with slowly(source) as (one, _sending, change):
        await change()
        one.goes.set()
        source.error = NothingThere("it is gone")
        source.hint()
        await until(lambda: one.sent[-1][0] == "asgi")
    assert [told["type"] for _how, told in one.sent] == ["topicState", "appError"]


async def test_who_takes_nothing_does_not_keep_the_others_waiting() -> None:
    """A room rests for each watcher that has taken what was told before, and for no other."""
    source = SetSource(n=0)
    room = TopicRoom("board/shop", source)
    await room.open()
    watches = [room.enter(lambda: None) for _ in range(10_000)]

    async def tell() -> float:
        source.change(n=source.state["n"] + 1)
        revision = room.revision
        await until(lambda: room.revision > revision)
        return room._spacing

    assert await tell() == 0
    for watch in watches[:5_000]:
        assert watch.news()
    assert await tell() == pytest.approx(0.1)
    await room.close()
