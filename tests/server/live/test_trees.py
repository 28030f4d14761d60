"""Watching and commanding instances of trees over a real socket: what happens is sent, to whom may see it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import BaseModel
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from flows.model.live.watch_token import WatchRight
from flows.server import create_app
from flows.server.guard import Guard
from flows.tree.annotations import TaskInput
from flows.tree.backend.sync import SyncBackend
from flows.tree.current import current_task
from flows.tree.declare import Task, Tree
from flows.tree.index.memory import MemoryIndex
from flows.tree.instance import Instance
from flows.tree.storage.memory import MemoryStorage
from flows.tree.trees import Trees
from tests.server.live.tree_client import TreeClient
from tests.server.serving import Serving, receive, serving

KEY = "k" * 32
ALL: tuple[WatchRight, ...] = ("watch", "execute", "results", "logs")


class Site(BaseModel):
    """The data."""

    url: str
    fails: bool = False


class Fetch(TaskInput):
    """What fetching sees."""

    url: str
    fails: bool


class Publish(TaskInput):
    """What publishing sees."""

    pages: list[str]


class Made:
    """An app of trees, and a gate at which its first task waits."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.go.set()
        self.ran: list[str] = []
        self.trees = Trees("imports", backend=SyncBackend(), storage=MemoryStorage(), index=MemoryIndex(), live_key=KEY)
        self.site = self.trees.generator("site")(self._site)

    def _site(self, _data: Site) -> Tree:
        return Tree(Task("fetch", self._fetch, dest="pages"), Task("publish", self._publish, weight=3))

    async def _fetch(self, view: Fetch) -> list[str]:
        current = current_task()
        current.log("begins", of=view.url)
        current.progress(0.5, "half of it")
        await self.go.wait()
        self.ran.append("fetch")
        if view.fails:
            raise ValueError("secret of the site")
        return [view.url]

    async def _publish(self, view: Publish) -> int:
        self.ran.append("publish")
        return len(view.pages)


@asynccontextmanager
async def made_server(redis_url: str, namespace: str, **options: Any) -> AsyncIterator[tuple[Serving, Made]]:
    """Serve an app of trees whose code is here."""
    made = Made()
    async with made.trees, serving(_app(redis_url, namespace, made, **options)) as server:
        yield server, made


def _app(redis_url: str, namespace: str, made: Made, **options: Any) -> Guard:
    return create_app(redis_url, namespace, trees=[made.trees], live_key=KEY, **options)


async def say(socket: ClientConnection, kind: str, **message: Any) -> None:
    """Send a message."""
    await socket.send(json.dumps({"type": kind, **message}))


async def take(socket: ClientConnection, client: TreeClient, until: str) -> None:
    """Take messages until the instance is told to be so."""
    while client.workflow.get("status") != until:
        client.take_message(await receive(socket))


async def answer(socket: ClientConnection, ref: str) -> dict[str, Any]:
    """Return the answer to a command."""
    while (found := await receive(socket)).get("ref") != ref:
        pass
    return found


async def enter(socket: ClientConnection, made: Made, **claims: Any) -> None:
    """Say who this is, as a page of another site."""
    await receive(socket, {"hello"})
    await say(socket, "authenticate", token=made.trees.watch_token(**claims))


async def code_of(socket: ClientConnection) -> int:
    """Return with which code a connection is closed."""
    with pytest.raises(ConnectionClosed) as closed:
        await receive(socket, {"nothing"})
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


async def new(made: Made, **more: Any) -> Instance[Site]:
    """Return a new instance."""
    return await made.site.create(Site(url="x", fails=more.pop("fails", False)), **more)


async def until_over(instance: Instance[Site]) -> None:
    """Wait until nothing works on an instance."""
    async for state in instance.watch():
        if state.status != "working":
            return


@pytest.mark.parametrize(
    ("may", "refused"),
    [
        (("watch",), {"executeAllTasks", "cancelExecution", "getResult"}),
        (("watch", "execute"), {"getResult"}),
        (("results",), {"executeAllTasks", "cancelExecution", "watchWorkflowInstance"}),
    ],
)
async def test_each_right_is_its_own(
    redis_url: str, namespace: str, may: Sequence[WatchRight], refused: set[str]
) -> None:
    """Who may watch may not execute, and who may execute sees no result."""
    async with made_server(redis_url, namespace) as (server, made), server.socket(origin="https://a.example") as socket:
        instance = await new(made)
        await (await instance.execute_all()).wait(60)
        await enter(socket, made, instances=[instance.id], may=may)
        found: set[str] = set()
        for kind in ("executeAllTasks", "getResult", "cancelExecution"):
            path = {"taskPath": "#.fetch"} if kind == "getResult" else {}
            await say(socket, kind, workflowId=instance.id, ref=kind, **path)
            told = await answer(socket, kind)
            found |= {kind} if told.get("error", {}).get("code") == "forbidden" else set()
        await say(socket, "watchWorkflowInstance", workflowId=instance.id)
        told = await receive(socket, {"appError", "setTasksStatuses"})
        found |= {"watchWorkflowInstance"} if told["type"] == "appError" else set()
        assert found == refused


async def test_messages_of_errors_and_logs_are_for_who_may_read_them(redis_url: str, namespace: str) -> None:
    """A watcher without that right sees which kind of error it was, and no line."""
    async with made_server(redis_url, namespace) as (server, made):
        instance = await new(made, fails=True, realm="acme")
        await instance.execute_all()
        for may, sees in ((("watch",), False), (("watch", "logs"), True)):
            async with server.socket(origin="https://a.example") as socket:
                await enter(socket, made, realm="acme", may=may)
                await say(socket, "watchWorkflowInstance", workflowId=instance.id)
                client = TreeClient()
                await take(socket, client, "failed")
                assert client.differs(await instance.state(), sees_errors=sees) == []
                assert ("secret" in json.dumps([client.statuses, client.workflow])) is sees
                assert client.workflow["error"]["type"] == "ValueError"
                await say(socket, "watchWorkflowInstance", workflowId=instance.id, logs={"#.fetch": 0})
                told = await receive(socket, {"appError", "taskLog"})
                assert (told["type"] == "taskLog") is sees


async def test_a_token_is_for_what_it_names(redis_url: str, namespace: str) -> None:
    """Not for another's instance, nor another realm, nor for topics; and a realm is not the empty one."""
    async with made_server(redis_url, namespace) as (server, made):
        mine, other, nobodys = await new(made, realm="acme"), await new(made, realm="umbrella"), await new(made)
        async with server.socket(origin="https://a.example") as socket:
            await enter(socket, made, realm="acme", may=ALL)
            for one in (other, nobodys):
                await say(socket, "watchWorkflowInstance", workflowId=one.id)
                told = await receive(socket, {"appError", "setTasksStatuses"})
                assert (told["id"], told["error"]["code"]) == (one.id, "forbidden")
                for kind in ("executeAllTasks", "cancelExecution"):
                    await say(socket, kind, workflowId=one.id, ref=one.id + kind)
                    assert (await answer(socket, one.id + kind))["error"]["code"] == "forbidden"
            for topic in ("flows", "audit", mine.id):
                await say(socket, "watchTopic", topic=topic)
                assert (await receive(socket, {"appError"}))["error"]["code"] == "forbidden"
            for name in ("run/1", "job/a/1"):
                await say(socket, "watchWorkflowInstance", workflowId=name)
                assert (await receive(socket, {"appError"}))["error"]["code"] == "forbidden"
            await say(socket, "watchWorkflowInstance", workflowId=mine.id)
            assert (await receive(socket, {"appError", "setTasksStatuses"}))["type"] == "setTasksStatuses"
        assert made.ran == []


async def test_a_narrower_token_ends_what_it_does_not_name(redis_url: str, namespace: str) -> None:
    """Who brings the next token keeps the instances of that one, and does only what it lets."""
    async with made_server(redis_url, namespace) as (server, made), server.socket(origin="https://a.example") as socket:
        one, two = await new(made), await new(made)
        await enter(socket, made, instances=[one.id, two.id], may=ALL, subject="ana")
        for instance in (one, two):
            await say(socket, "watchWorkflowInstance", workflowId=instance.id)
            await receive(socket, {"setTasksStatuses"})
        await say(socket, "authenticate", token=made.trees.watch_token(instances=[two.id], subject="ana"))
        told = await receive(socket, {"appError"})
        assert (told["id"], told["error"]["code"]) == (one.id, "forbidden")
        await say(socket, "executeAllTasks", workflowId=two.id, ref="one")
        assert (await answer(socket, "one"))["error"]["code"] == "forbidden"
        await say(socket, "authenticate", token=made.trees.watch_token(instances=[two.id], subject="eve"))
        assert await code_of(socket) == 4401


async def test_nobody_comes_in_without_a_token(redis_url: str, namespace: str) -> None:
    """Not with none, not with one in the URL, not from a page that no key lets in, not with one of another key."""
    async with made_server(redis_url, namespace, auth=lambda _connection: None) as (server, made):
        instance = await new(made)
        token = made.trees.watch_token(instances=[instance.id])
        async with server.socket(origin="https://a.example") as socket:
            await say(socket, "watchWorkflowInstance", workflowId=instance.id)
            assert (await receive(socket, {"appError"}))["error"]["code"] == "unauthenticated"
            await say(socket, "executeAllTasks", workflowId=instance.id, ref="one")
            assert (await answer(socket, "one"))["error"]["code"] == "unauthenticated"
            await say(socket, "authenticate", token=Trees("x", live_key="x" * 32).watch_token(realm="acme"))
            assert await code_of(socket) == 4401
        async with server.client() as client:
            assert (await client.get(f"/live/{instance.id}?token={token}")).status_code == 401
            assert (
                await client.get("/api/v1/flows/list", headers={"authorization": f"Bearer {token}"})
            ).status_code == 401
    made = Made()
    async with made.trees, serving(create_app(redis_url, namespace, trees=[made.trees])) as server:
        with pytest.raises(InvalidStatus) as refused:
            async with server.socket(origin="https://evil.example"):
                pass
        assert refused.value.response.status_code == 403


async def test_a_client_that_does_too_much_is_told_or_closed(
    redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watch more than a hundred, here than two; a frame of over 64 KB."""
    monkeypatch.setattr("flows.server.live.connection.MOST_ROOMS", 2)
    async with made_server(redis_url, namespace) as (server, made):
        instance = await new(made)
        async with server.socket() as socket:
            for one in (instance, await new(made), await new(made)):
                await say(socket, "watchWorkflowInstance", workflowId=one.id)
                told = await receive(socket, {"setTasksStatuses", "appError"})
            assert (told["id"], told["error"]["code"]) == (one.id, "too_many")
        async with server.socket() as socket:
            await say(socket, "executeAllTasks", workflowId=instance.id, ref="one", argument="x" * 66_000)
            assert await code_of(socket) == 4413


async def test_events_over_plain_http_are_the_same_room(redis_url: str, namespace: str) -> None:
    """A telling an event, the cursor as its id; a token of a watcher comes as a header, and is for that alone."""
    async with made_server(redis_url, namespace, auth=lambda _connection: None) as (server, made):
        instance, other = await new(made), await new(made)
        await (await instance.execute_all()).wait(60)
        token = made.trees.watch_token(instances=[instance.id])
        async with server.client(token) as client:
            async with client.stream("GET", f"/live/{instance.id}") as stream:
                assert stream.headers["content-type"].startswith("text/event-stream")
                events, held = TreeClient(), ""
                async for line in stream.aiter_lines():
                    if line.startswith("id: "):
                        held = line.removeprefix("id: ")
                    elif line.startswith("data: "):
                        events.take([line.removeprefix("data: ")])
                    if events.rev:
                        break
            assert events.differs(await instance.state()) == []
            assert events.cursor == held
            assert (await client.get(f"/live/{other.id}")).status_code == 403
            assert (await client.get("/live?topic=flows")).status_code == 403
            await instance.update(name="other")
            async with client.stream("GET", f"/live/{instance.id}", headers={"last-event-id": held}) as stream:
                async for line in stream.aiter_lines():
                    if line.startswith("data: "):
                        events.take([line.removeprefix("data: ")])
                        if events.workflow.get("name") == "other":
                            break
            assert events.tellings == 2
