"""A server does what is begun at it: no worker has to live for an action on many jobs."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from flows.api import bulk
from flows.server import create_app
from tests.api.conftest import Left
from tests.api.test_bulk import FAILED
from tests.server.serving import serving
from tests.waiting import until


async def test_an_action_that_is_begun_at_a_server_is_done_by_it(left_to_act: Left) -> None:
    """Failed jobs are retried by a query, over HTTP alone, where none of the flow's processes runs."""
    app = create_app(left_to_act.url, left_to_act.namespace)
    async with serving(app) as server, server.client() as client:
        given = {"verb": "retry", "query": "flow:shop state:failed"}
        seen = (await client.get("/api/v1/bulk/preview", params=given)).json()["count"]
        assert seen == 2
        begun = await client.post("/api/v1/bulk/apply", json={**given, "seen": seen, "undo": 0})
        assert begun.status_code == 200, begun.text
        await done(client, begun.json()["id"])
        found = (await client.get("/api/v1/jobs/find", params={"query": "flow:shop state:failed"})).json()
        assert found["jobs"] == []


async def done(client: httpx.AsyncClient, action: str) -> None:
    """Wait until an action is done."""

    async def is_done() -> bool:
        return bool((await client.get("/api/v1/bulk/show", params={"id": action})).json()["state"] == "done")

    await until(is_done)


async def test_a_server_looks_again_for_what_others_have_left(
    left_to_act: Left, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that has found nothing when it started takes up, while it is asked, what a killed one was to do."""
    monkeypatch.setattr("flows.api.bulk_work.LOOK_AGAIN", 0)
    async with serving(create_app(left_to_act.url, left_to_act.namespace)) as server, server.client() as client:
        assert (await client.get("/api/v1/flows/list")).status_code == 200
        async with left_to_act.admin() as admin:  # which serves nothing
            begun = await bulk.apply(admin, "retry", FAILED, 2, undo=timedelta(0))
        await done(client, begun.id)


async def test_one_that_is_delayed_holds_up_no_other(left_to_act: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server sleeps until the first is due, and begins what comes meanwhile at once."""
    monkeypatch.setattr("flows.api.bulk_work._LONGEST", 1e6)
    async with left_to_act.admin() as admin:
        await admin.serve_bulk()
        later = await bulk.apply(admin, "retry", FAILED, 2, undo=timedelta(hours=1))
        work = await admin.bulk.of("shop")
        await until(lambda: work._asked.is_set() is False)
        await asyncio.sleep(0)
        begun = await bulk.apply(admin, "retry", FAILED, 2, undo=timedelta(0))

        async def is_done() -> bool:
            return (await bulk.show(admin, begun.id)).state == "done"

        await until(is_done)
        assert (await bulk.show(admin, later.id)).state == "delayed"
