"""Redis has ended, or hangs: who asks is told so soon, and who watches keeps the last state with its age."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

from flows.server import create_app
from flows.testing import private_server
from tests.api.shop import leave
from tests.server.serving import Serving, receive, serving
from tests.waiting import patient

BOARD, SHOP = json.dumps({"type": "watchTopic", "topic": "board/shop"}), "/api/v1/jobs/find?query=flow:shop"


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give Redis a second, in which it answers on a busy machine, and workers for ever.

    Whoever waits as they do does not come back.
    """
    monkeypatch.setattr("flows.server.app.ANSWERED_WITHIN", patient(1.0))
    monkeypatch.setattr("flows.store.client.connection.DEADLINE", 1e6)
    monkeypatch.setattr("flows.server.live.room.EVERY", 0.1)
    monkeypatch.setattr("flows.server.live.room.HEARD_WITHIN", patient(0.4))


@asynccontextmanager
async def watched() -> AsyncIterator[tuple[Serving, ClientConnection, dict[str, str], int]]:
    """Serve a shop over a server of its own; yield a socket on its board too, the ids, and that server's process."""
    with private_server() as url:
        ids = await leave(url, "")
        async with Redis.from_url(url) as redis:
            process_id = (await redis.info("server"))["process_id"]
        async with serving(create_app(url)) as server, server.socket() as one:
            await one.send(BOARD)
            await receive(one, {"topicState"})
            yield server, one, ids, process_id


async def state_of(one: ClientConnection, *, away: bool) -> dict[str, Any]:
    """Return the next state that says that Redis is away, or that it is there."""
    while ("awaySince" in (message := await receive(one, {"topicState"}))) is not away:
        pass
    return message


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
async def test_who_asks_while_redis_is_away_is_told_soon(how: signal.Signals) -> None:
    """503 with the seconds to wait, for what looks and what acts, for one and for many at once; the process answers.

    When Redis goes on, rooms and pages come back by themselves, and a change is seen by who has watched all the time.
    """
    async with watched() as (server, one, ids, process_id), server.client() as client, server.socket() as late:
        assert (await client.get(SHOP)).status_code == 200
        os.kill(process_id, how)
        try:
            asked = [client.get(SHOP) for _ in range(5)]
            asked.append(client.post("/api/v1/jobs/retry", json={"id": ids["failed"]}))
            asked += [client.get("/live?topic=workers"), client.get("/metrics"), client.get("/export/jobs?q=flow:shop")]
            for answer in await asyncio.gather(*asked):
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "1"), answer.text
                assert answer.json()["type"] == "StoreUnavailable"
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.get("/readyz")).status_code == 503
            told = await state_of(one, away=True)
            assert told["awaySince"] >= told["at"]
            await late.send(BOARD.replace("board/shop", "workers"))
            assert (await receive(late, {"appError"}))["error"]["code"] == "again"
        finally:
            if how is signal.SIGSTOP:
                os.kill(process_id, signal.SIGCONT)
        if how is signal.SIGSTOP:
            await _comes_back(client, one, ids)


async def _comes_back(client: httpx.AsyncClient, one: ClientConnection, ids: dict[str, str]) -> None:
    back = await state_of(one, away=False)
    while (await client.get(SHOP)).status_code == 503:
        await receive(one, {"topicState"})
    assert (await client.post("/api/v1/jobs/cancel", json={"id": ids["waiting"]})).status_code == 200
    while "shop-price" not in back["state"].get("queues", {}):
        back = await receive(one, {"topicState"})


@pytest.mark.usefixtures("soon")
async def test_a_server_that_has_never_met_redis_says_so() -> None:
    """To whoever asks and to whoever opens a socket, by the same words; it needs no Redis to start."""
    async with serving(create_app("redis://127.0.0.1:1/0")) as server, server.client() as client:
        assert (await client.get(SHOP)).status_code == 503
        with pytest.raises(InvalidStatus) as refused:
            async with server.socket():
                pass
        assert (refused.value.response.status_code, refused.value.response.headers["retry-after"]) == (503, "1")
