"""A server that shows no stacks: source paths of a process are for who operates it."""

from __future__ import annotations

from flows.server import create_app
from tests.api.conftest import Left
from tests.server.serving import serving


async def test_stacks_may_be_left_out(left: Left) -> None:
    """The operation is no route then, and stands in no document; else it is, for operators."""
    path = "/api/v1/workers/dump"
    for dumps, status in ((False, 404), (True, 404)):
        async with serving(create_app(left.url, left.namespace, dumps=dumps)) as server, server.client() as client:
            assert (path in (await client.get("/api/v1/openapi.json")).json()["paths"]) == dumps
            answer = await client.post(path, json={"process": "nobody", "flow": "shop"})
            assert answer.status_code == status
            assert ("no process" in answer.text) == dumps
