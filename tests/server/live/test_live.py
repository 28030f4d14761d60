"""Watching over a real socket: what changes in Redis is sent, to whom may see it, and to nobody else."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from flows.api import Caller, jobs
from flows.server import create_app, watch_token
from flows.server.live.connection import MOST_MESSAGES
from flows.server.live.merge_patch import apply_patch
from tests.api.conftest import Left
from tests.api.shop import CANARY
from tests.server.conftest import Callers
from tests.server.serving import Serving, receive, serving


async def say(socket: Any, **message: Any) -> None:
    """Send a message."""
    await socket.send(json.dumps(message))


async def send_all(socket: Any, texts: list[str]) -> None:
    """Send texts, and read until the connection ends."""
    for text in texts:
        await socket.send(text)
    while True:
        await receive(socket)


async def test_a_change_reaches_who_watches(left_to_act: Left) -> None:
    """A job is retried by somebody: the watcher of that job is sent the difference, and holds the job as it is."""
    left = left_to_act
    async with serving(create_app(left.url, left.namespace)) as server, server.socket() as socket:
        assert await receive(socket) == {"type": "hello", "protocol": 1, "beat": 15000, "auth": "none"}
        await say(socket, type="watchTopic", topic=f"job/shop/{left.ids['failed']}")
        first = await receive(socket)
        assert (first["type"], first["from"]) == ("topicState", 0)
        assert first["state"]["job"]["state"] == "failed"
        async with left.admin() as admin:
            await jobs.retry(admin, left.ids["failed"])
            state, seen = first["state"], first["rev"]
            while state["job"]["state"] == "failed":
                update = await receive(socket, {"topicState"})
                assert update["from"] == seen
                state, seen = apply_patch(state, update["state"]), update["rev"]
        assert state["explanation"]["sentence"] != first["state"]["explanation"]["sentence"]


async def test_each_topic_can_be_watched(open_server: Serving, left: Left) -> None:
    """All that the dashboard shows; and what is no topic is told, without an end of the connection."""
    one = left.ids["passed"]
    async with open_server.socket() as socket:
        await receive(socket)
        for topic in ("flows", "board/shop", "jobs?q=flow:shop state:failed", f"job/shop/{one}"):
            await say(socket, type="watchTopic", topic=topic)
            while (await receive(socket, {"topicState"}))["topic"] != topic:
                pass  # of a board there is something new each second
        for topic, code in (
            ("nothing", "unknown"),
            ("board", "unknown"),
            ("board/nothing", "unknown"),
            ("jobs?q=colour:red&flow=shop", "invalid"),
        ):
            await say(socket, type="watchTopic", topic=topic)
            told = await receive(socket, {"appError"})
            assert (told["topic"], told["error"]["code"]) == (topic, code)


async def test_who_comes_back_with_its_cursor_is_sent_nothing_old(open_server: Serving) -> None:
    """While somebody keeps the room open; a cursor from elsewhere gets the whole."""
    async with open_server.socket() as keeps, open_server.socket() as socket:
        await say(keeps, type="watchTopic", topic="flows")
        await receive(keeps, {"topicState"})
        await say(socket, type="watchTopic", topic="flows")
        first = await receive(socket, {"topicState"})
        await say(socket, type="watchTopic", topic="flows", cursor="abc.1")
        assert (await receive(socket, {"topicState"}))["from"] == 0
        await say(socket, type="watchTopic", topic="flows", cursor=first["cursor"])
        await say(socket, type="watchTopic", topic="board/shop")
        assert (await receive(socket, {"topicState"}))["topic"] == "board/shop"


@pytest.mark.parametrize("origin", ["https://evil.example", None, "null"])
async def test_a_page_of_another_site_does_not_watch(open_server: Serving, origin: str | None) -> None:
    """Though its browser is on this machine."""
    with pytest.raises(InvalidStatus) as refused:
        async with open_server.socket(origin=origin):
            pass
    assert refused.value.response.status_code == 403


async def test_a_token_of_a_watcher_is_for_its_topics(server: Serving, left: Left) -> None:
    """A page of another site says first who it is, and then sees what the token names, and nothing else."""
    topic = f"job/shop/{left.ids['passed']}"
    async with server.socket(origin="https://shop.example") as socket:
        assert (await receive(socket))["auth"] == "token"
        await say(socket, type="watchTopic", topic=topic)
        assert (await receive(socket))["error"]["code"] == "unauthenticated"
        await say(socket, type="authenticate", token=watch_token("k" * 32, "user 7", [topic], hide=["email"]))
        await say(socket, type="watchTopic", topic="flows")
        assert (await receive(socket))["error"]["code"] == "forbidden"
        await say(socket, type="watchTopic", topic=topic)
        assert (await receive(socket))["state"]["job"]["id"] == left.ids["passed"]


@pytest.mark.parametrize("token", ["", "x", watch_token("x" * 32, "eve", ["flows"])])
async def test_a_token_of_nobody_ends_the_connection(server: Serving, token: str) -> None:
    """With the code that says why: of another key as well."""
    async with server.socket(origin="https://shop.example") as socket:
        await receive(socket)
        await say(socket, type="authenticate", token=token)
        with pytest.raises(ConnectionClosed) as closed:
            await receive(socket)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


async def test_what_is_hidden_and_other_flows_are_in_no_message(server: Serving, callers: Callers, left: Left) -> None:
    """By the rights of who watches, as everywhere."""
    topic = f"job/shop/{left.ids['passed']}"
    async with server.socket(origin=None, authorization=f"Bearer {callers.tokens['hugo']}") as socket:
        await say(socket, type="watchTopic", topic=topic)
        text = json.dumps(await receive(socket, {"topicState"}))
        assert left.ids["passed"] in text
        assert CANARY not in text
    async with server.socket(origin=None, authorization=f"Bearer {callers.tokens['otto']}") as socket:
        await say(socket, type="watchTopic", topic="board/shop")
        told = await receive(socket, {"appError", "topicState"})
        assert told["error"]["code"] in {"forbidden", "unknown"}, told


@pytest.mark.parametrize("text", ["", "x", "[]", '{"type": "nothing"}', '{"type": "watchTopic"}', '{"topic": 1}'])
async def test_a_message_that_is_none_is_told(open_server: Serving, text: str) -> None:
    """And the connection goes on."""
    async with open_server.socket() as socket:
        await receive(socket)
        await socket.send(text)
        assert (await receive(socket))["error"]["code"] == "invalid"
        await say(socket, type="watchTopic", topic="flows")
        assert (await receive(socket))["type"] == "topicState"


async def test_who_sends_too_much_is_closed(open_server: Serving) -> None:
    """By number and by bytes; the others see nothing of it."""
    async with open_server.socket() as other:
        for sent in ([json.dumps({"type": "unwatchTopic", "topic": "x"})] * (3 * MOST_MESSAGES), ["x" * 70_000]):
            async with open_server.socket() as socket:
                await receive(socket)
                with pytest.raises(ConnectionClosed) as closed:
                    await send_all(socket, sent)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4413
        await say(other, type="watchTopic", topic="flows")
        assert (await receive(other, {"topicState"}))["topic"] == "flows"


async def test_a_server_that_goes_says_so(left: Left) -> None:
    """With the code on which a client comes back after a moment of its own."""
    async with serving(create_app(left.url, left.namespace)) as server:
        socket = await server.socket()
        await receive(socket)
    with pytest.raises(ConnectionClosed) as closed:
        await receive(socket)
    await socket.wait_closed()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012


async def test_an_app_that_is_closed_ends_what_is_watched(left: Left) -> None:
    """Its sockets with the same code, its streams by their end, who waits for a job by 503; then others may come."""
    app = create_app(left.url, left.namespace)
    async with serving(app) as server, server.client() as client, server.socket() as socket:
        await say(socket, type="watchTopic", topic="flows")
        await receive(socket, {"topicState"})
        async with client.stream("GET", "/live", params={"topic": "flows"}) as stream:
            lines = stream.aiter_lines()
            await anext(lines)
            await app.end_watching()
            assert [line async for line in lines][-1] == ""
        with pytest.raises(ConnectionClosed) as closed:
            await send_all(socket, [])
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        waiting = asyncio.create_task(client.get(f"/api/v1/jobs/wait?id={left.ids['waiting']}&timeout=1h"))
        while not waiting.done():  # at first it has not begun to wait
            await app.end_watching()
            await asyncio.sleep(0.01)
        assert (waiting.result().status_code, waiting.result().headers["retry-after"]) == (503, "1")
        async with server.socket() as again:
            await say(again, type="watchTopic", topic=f"job/shop/{left.ids['failed']}")
            await receive(again, {"topicState"})


async def test_events_over_plain_http_are_the_same_room(open_server: Serving) -> None:
    """With the cursor as the id of an event; who brings it back is sent what came since."""
    async with open_server.client() as client:
        async with client.stream("GET", "/live", params={"topic": "board/shop"}) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = stream.aiter_lines()
            cursor = (await anext(lines)).removeprefix("id: ")
            state = json.loads((await anext(lines)).removeprefix("data: "))
            assert (state["topic"], state["cursor"]) == ("board/shop", cursor)
        assert (await client.get("/live", params={"topic": "nothing"})).status_code == 404
        assert (await client.get("/live")).status_code == 422


async def test_rights_that_are_taken_back_end_the_connection(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each minute, here sooner, it is looked again who this is."""
    monkeypatch.setattr("flows.server.live.protocol.CHECKED_EVERY", 0.05)
    known = [True]

    def auth(_connection: object) -> Caller | None:
        return Caller(name="ana") if known[0] else None

    async with serving(create_app(left.url, left.namespace, auth=auth)) as server, server.socket() as socket:
        await receive(socket)
        known[0] = False
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(receive(socket), 60)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401
