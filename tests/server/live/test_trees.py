"""Watching and commanding instances of trees over a real socket: what happens is sent, to whom may see it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import BaseModel
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from flows.api import Caller
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


async def answer(socket: ClientConnection, ref: str, client: TreeClient | None = None) -> dict[str, Any]:
    """Return the answer to a command; what is told before it is the client's."""
    while (found := await receive(socket)).get("ref") != ref:
        if client is not None:
            client.take_message(found)
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


async def test_who_executes_and_watches_sees_all_of_it(redis_url: str, namespace: str) -> None:
    """A page that has a token for one instance: to the end, its result, its log; and who comes late sees the same."""
    async with made_server(redis_url, namespace) as (server, made):
        instance = await new(made, realm="acme", name="acme.com")
        async with server.socket(origin="https://acme.example") as socket:
            await enter(socket, made, instances=[instance.id], subject="ana", may=ALL)
            client = TreeClient()
            made.go.clear()
            await say(socket, "watchWorkflowInstance", workflowId=instance.id, logs={"#.fetch": 0})
            await take(socket, client, "idle")
            assert client.workflow["name"] == "acme.com"
            await say(socket, "executeAllTasks", workflowId=instance.id, ref="one")
            started = await answer(socket, "one", client)
            assert (started["type"], len(started["execution"])) == ("accepted", 36)
            while client.statuses.get("#.fetch", {}).get("message") != "half of it":
                client.take_message(await receive(socket))
            made.go.set()
            while client.workflow.get("status") != "done" or not client.lines:
                client.take_message(await receive(socket))
            assert client.differs(await instance.state()) == []
            assert client.progress == 1.0
            [[number, at, text]] = client.lines
            assert (number, at > 10**12, text) == (1, True, "begins of='x'")
            await say(socket, "getResult", workflowId=instance.id, taskPath="#.fetch", ref="two")
            assert await answer(socket, "two") == {"type": "result", "ref": "two", "result": ["x"]}
            late = TreeClient()
            async with server.socket(origin="https://acme.example") as other:
                await enter(other, made, realm="acme")
                await say(other, "watchWorkflowInstance", workflowId=instance.id)
                await take(other, late, "done")
            assert late.differs(await instance.state()) == []
            await instance.destroy()
            assert await receive(socket, {"workflowDestroyed"}) == {"type": "workflowDestroyed", "id": instance.id}


async def test_a_command_that_comes_twice_begins_once(redis_url: str, namespace: str) -> None:
    """With the same `ref`, also over another socket: the first answer was lost."""
    async with made_server(redis_url, namespace) as (server, made):
        instance = await new(made)
        executions: set[str] = set()
        for _ in range(2):
            async with server.socket(origin="https://acme.example") as socket:
                await enter(socket, made, instances=[instance.id], may=ALL)
                await say(socket, "executeAllTasks", workflowId=instance.id, ref="one")
                executions.add((await answer(socket, "one"))["execution"])
                client = TreeClient()
                await say(socket, "watchWorkflowInstance", workflowId=instance.id)
                await take(socket, client, "done")
        assert len(executions) == 1
        assert made.ran == ["fetch", "publish"]


async def test_what_cannot_begin_is_told_with_its_code(redis_url: str, namespace: str) -> None:
    """Not ready, busy, no such task, no such instance, and a name that languages have use for."""
    async with made_server(redis_url, namespace) as (server, made), server.socket(origin="https://a.example") as socket:
        instance = await new(made)
        await enter(socket, made, instances=[instance.id], may=ALL)
        cases: list[tuple[dict[str, Any], str]] = [
            ({"type": "executeTask", "taskPath": "#.publish"}, "not_ready"),
            ({"type": "executeTask", "taskPath": "#.publishx"}, "unknown"),
            ({"type": "executeTask", "taskPath": "__proto__"}, "unknown"),
            ({"type": "getResult", "taskPath": "__proto__"}, "unknown"),
            ({"type": "executeTask", "taskPath": "#.fetch", "missing": "all"}, "invalid"),
            ({"type": "executeTask"}, "invalid"),
            ({"type": "executeAllTasks", "workflowId": "imports"}, "forbidden"),
        ]
        for number, (message, code) in enumerate(cases):
            await socket.send(json.dumps({"workflowId": instance.id, "ref": f"r{number}", **message}))
            told = await answer(socket, f"r{number}")
            assert (told["type"], told["error"]["code"]) == ("appError", code), message
        made.go.clear()
        await say(socket, "executeAllTasks", workflowId=instance.id, ref="one")
        assert (await answer(socket, "one"))["type"] == "accepted"
        await say(socket, "executeTask", workflowId=instance.id, taskPath="#.fetch", ref="two")
        assert (await answer(socket, "two"))["error"]["code"] == "busy"
        await say(socket, "cancelExecution", workflowId=instance.id, ref="three")
        assert (await answer(socket, "three"))["type"] == "accepted"
        client = TreeClient()
        await say(socket, "watchWorkflowInstance", workflowId=instance.id)
        await take(socket, client, "cancelled")
        assert client.differs(await instance.state()) == []


async def test_roles_of_the_server_act_and_watch(redis_url: str, namespace: str) -> None:
    """A viewer watches and reads results, an operator executes; who sees other flows sees nothing of trees."""

    def auth(connection: Any) -> Caller:
        role, flows = connection.headers["x-role"], connection.headers.get("x-flows-of")
        return Caller(name=role, role=role, flows=None if flows is None else frozenset([flows]))

    async with made_server(redis_url, namespace, auth=auth) as (server, made):
        instance = await new(made)
        await (await instance.execute_all()).wait(60)
        for role, flows, expected in (
            ("viewer", None, ("setTasksStatuses", "appError", "result")),
            ("operator", "run:tree.imports", ("setTasksStatuses", "accepted", "result")),
            ("operator", "shop", ("appError", "appError", "appError")),
        ):
            headers = {"x_role": role, **({} if flows is None else {"x_flows_of": flows})}
            async with server.socket(**headers) as socket:
                await say(socket, "watchWorkflowInstance", workflowId=instance.id)
                watched = await receive(socket, {"setTasksStatuses", "appError"})
                await say(socket, "executeAllTasks", workflowId=instance.id, ref="one")
                acted = await answer(socket, "one")
                if acted["type"] == "accepted":
                    await until_over(instance)
                await say(socket, "getResult", workflowId=instance.id, taskPath="#.publish", ref="two")
                got = await answer(socket, "two")
            assert (watched["type"], acted["type"], got["type"]) == expected, (role, watched, acted, got)


async def test_nothing_secret_is_logged(redis_url: str, namespace: str, caplog: pytest.LogCaptureFixture) -> None:
    """No token, no argument, no result and no message of an error, at whatever level; nor in what is refused."""
    with caplog.at_level(logging.DEBUG):
        async with made_server(redis_url, namespace) as (server, made):
            instance = await made.site.create(Site(url="https://canary.example", fails=True), realm="acme")
            token = made.trees.watch_token(realm="acme", may=ALL)
            async with server.socket(origin="https://a.example") as socket:
                await say(socket, "authenticate", token=token)
                await say(socket, "watchWorkflowInstance", workflowId=instance.id, logs={"#.fetch": 0})
                await say(socket, "executeAllTasks", workflowId=instance.id, ref="one", argument="canary argument")
                await take(socket, TreeClient(), "failed")
                await say(socket, "getResult", workflowId=instance.id, taskPath="#.fetch", ref="two")
                assert (await answer(socket, "two"))["error"]["code"] == "not_ready"
                await say(socket, "authenticate", token=token[:-4] + "AAAA")
                assert await code_of(socket) == 4401
    text = "\n".join(
        f"{record.getMessage()} {record.__dict__}" for record in caplog.records if record.name != "websockets.client"
    )
    for secret in (token, token.split(".")[2][:20], "canary", "secret of the site", KEY):
        assert secret not in text, secret
