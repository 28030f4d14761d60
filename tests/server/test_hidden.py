"""What is hidden from a caller is in nothing that it is sent, whatever it asks, does and watches; nor in the log."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from flows.api import operations
from flows.server import Tokens, create_app
from flows.server.live.topics import _TOPICS
from tests.api.callers import given
from tests.api.conftest import Left
from tests.api.shop import CANARY, leave_all
from tests.server.conftest import Callers
from tests.server.serving import Serving, receive, serving
from tests.server.test_operation_routes import ask
from tests.waiting import until

#: One topic of each kind at least, over what was left.
TOPICS = (
    *("flows", "flows?own=true", "board/shop", "queue/shop-price", "workers", "releases/shop", "server", "check"),
    *("schedules", "audit", "overview", "groups/shop-ship"),
    *("jobs?q=flow:shop", "jobs?q=state:failed|waiting&flow=shop", "runs", "runs?status=failed&status=suspended"),
    *("workflows", "schedules?slots=9", "queues"),
    *("counts?q=flow:shop", "bulk/shop/{bulk}", "children/shop/{passed}"),
    *("trees", "trees?realm=acme", "tree/{tree_done}", "tree/{tree_failed}"),
    *("job/shop/{failed}", "job/shop/{passed}", "log/shop/{failed}", "run/{run_asked}", "run/{run_failed}"),
)


def topics(left: Left) -> Iterator[str]:
    """Yield the topics; where no action on many jobs was left, the one of another job, which is refused."""
    ids = {"bulk": left.ids["failed"], **left.ids}
    yield from (topic.format(**ids) for topic in TOPICS)


def test_no_topic_is_left_out() -> None:
    """Who adds a kind of topic says here how it is watched."""
    assert {topic.partition("?")[0].partition("/")[0] for topic in TOPICS} == set(_TOPICS)


async def watch(socket: ClientConnection, topic: str) -> dict[str, Any]:
    """Watch a topic, and return the first message about it."""
    await socket.send(json.dumps({"type": "watchTopic", "topic": topic}))
    while (message := await receive(socket, {"topicState", "appError"})).get("topic") != topic:
        pass
    return message


@pytest.mark.parametrize(("caller", "refused"), [("vera", {"audit"}), ("ana", set[str]()), ("otto", None)])
async def test_each_caller_watches_what_its_role_may(
    server: Serving, callers: Callers, left: Left, caller: str, refused: set[str] | None
) -> None:
    """Over a socket: a viewer all but the audit, an operator all, and who sees another flow nothing of this one.

    Nobody has no socket (`test_guard`); and no operation is the name of a topic, so none is done by one.
    """
    for topic in topics(left):
        async with server.socket(origin=None, authorization=f"Bearer {callers.tokens[caller]}") as socket:
            message = await watch(socket, topic)
            if refused is None:
                about = "shop" in topic or topic.startswith(("run", "workflows", "schedules", "tree"))
                assert message["type"] == ("appError" if about else "topicState"), (topic, message)
                assert "shop" not in json.dumps(message.get("state", {}))
            else:
                assert (message["type"] == "appError") is (topic in refused), (topic, message)
    names = sorted(operations())
    for first in range(0, len(names), 15):
        async with server.socket(origin=None, authorization=f"Bearer {callers.tokens[caller]}") as socket:
            for name in names[first : first + 15]:
                assert (await watch(socket, name))["error"]["code"] == "unknown"


async def test_what_is_hidden_is_in_nothing_that_is_sent(
    redis_url: str, namespace: str, callers: Callers, caplog: pytest.LogCaptureFixture
) -> None:
    """In no answer, also of what acts; in no error, state, patch, file or metric; and not in the server's log."""
    left = Left(redis_url, namespace, await leave_all(redis_url, namespace))
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    for client in ("websockets", "httpx", "httpcore"):  # of this test, which show all that is sent
        caplog.set_level(logging.WARNING, client)
    sent: dict[str, list[str]] = {"hugo": [], "ana": []}
    async with serving(create_app(left.url, namespace, auth=Tokens(callers.text))) as server:
        every = [*topics(left)]
        listening = [
            asyncio.create_task(_listen(server, callers.tokens[name], some, sent[name]))
            for name in sent
            for some in (every[::2], every[1::2])  # a socket takes 20 messages a second
        ]
        await until(lambda: all(len(texts) >= len(TOPICS) for texts in sent.values()))
        async with server.client(callers.tokens["hugo"]) as client:
            for name in operations():
                asked = given(name, left.ids)
                if operations()[name].verb == "wait":
                    asked["timeout"] = "10ms"
                sent["hugo"].append((await ask(client, name, asked))[1])
            for path in ("/metrics", "/scale?queue=shop-price", "/export/jobs?q=flow:shop", "/api/v1/me"):
                sent["hugo"].append((await client.get(path)).text)
            sent["hugo"].append((await client.get("/export/jobs?q=flow:shop&format=jsonl")).text)
        marker = len(sent["ana"])
        await until(lambda: len(sent["ana"]) > marker)
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
    assert any(CANARY in text for text in sent["ana"])
    assert [text for text in sent["hugo"] if CANARY in text] == []
    assert len(sent["hugo"]) > len(TOPICS) + len(operations())
    assert [line for line in caplog.messages if CANARY in line] == []


async def _listen(server: Serving, token: str, some: Sequence[str], texts: list[str]) -> None:
    """Watch topics over a socket, and keep what is sent."""
    async with server.socket(origin=None, authorization=f"Bearer {token}") as socket:
        for topic in some:
            await socket.send(json.dumps({"type": "watchTopic", "topic": topic}))
        while True:
            texts.append(str(await socket.recv()))
