"""A server does what is begun at it: no worker has to live for an action on many jobs."""

from __future__ import annotations

from flows.server import create_app
from tests.api.conftest import Left
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

        async def is_done() -> bool:
            shown = (await client.get("/api/v1/bulk/show", params={"id": begun.json()["id"]})).json()
            return bool(shown["state"] == "done")

        await until(is_done)
        found = (await client.get("/api/v1/jobs/find", params={"query": "flow:shop state:failed"})).json()
        assert found["jobs"] == []
