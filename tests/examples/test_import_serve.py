"""The page of the site import: what it asks of the example's server, and that it watches by its token alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from import_serve import make_app
from import_site import create_it
from import_terms import SAMPLE, Settings, read_site
from tests.server.serving import receive, serving


async def test_the_page_watches_by_a_token(
    redis_url: str, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets its instance and a token, watches that instance, and begins an execution; a bad token gets nothing."""
    monkeypatch.setenv("FLOWS_LIVE_KEY", "k" * 32)
    settings = Settings(namespace=namespace, redis_url=redis_url, directory=tmp_path, pace=0.1, max_crashes=3)
    instance_id = await create_it(settings, read_site(SAMPLE))
    async with serving(make_app(settings, instance_id)) as server, server.client() as client:
        page = (await client.get("/")).text
        [script] = [part.split('"')[0] for part in page.split('src="')[1:]]
        assert (await client.get(script.lstrip("."))).status_code == 200
        assert (await client.get("/instance")).json() == {"workflowId": instance_id}
        token = (await client.get("/token")).text
        assert (await client.get("/api/v1/trees/list")).status_code == 401
        with pytest.raises(InvalidStatus, match="401"):
            await server.socket(authorization="Bearer wrong")
        async with server.socket() as socket:
            assert json.loads(await socket.recv())["auth"] == "token"
            for message in (
                {"type": "authenticate", "token": token},
                {"type": "watchWorkflowInstance", "workflowId": instance_id},
            ):
                await socket.send(json.dumps(message))
            assert (await receive(socket, {"workflowDescription"}))["tasks"][0]["path"] == "#.fetch"
            await socket.send(json.dumps({"type": "executeAllTasks", "workflowId": instance_id, "ref": "click"}))
            assert (await receive(socket, {"accepted"}))["ref"] == "click"
