"""Plain jobs and runs are told as instances of trees are: by the same messages, with their progress rolled up."""

from __future__ import annotations

import json

from flows.api import jobs, runs
from flows.server import create_app, watch_token
from tests.api.conftest import Left
from tests.server.live.tree_client import TreeClient
from tests.server.serving import Serving, receive, serving


async def test_a_job_is_watched_like_a_tree(left_to_act: Left) -> None:
    """It has no tasks; when somebody retries it, it works again. With its cursor nothing old comes."""
    left = left_to_act
    name = f"job/shop/{left.ids['failed']}"
    watch = {"type": "watchWorkflowInstance", "workflowId": name}
    async with serving(create_app(left.url, left.namespace)) as server, server.socket() as socket:
        await socket.send(json.dumps(watch))
        client = TreeClient()
        while client.workflow.get("status") != "failed":
            client.take_message(await receive(socket))
        assert (client.tasks, client.statuses) == ([], {})
        assert client.workflow["id"] == name
        assert client.workflow["error"]["type"]
        async with left.admin() as admin:
            await jobs.retry(admin, left.ids["failed"])
            while client.workflow["status"] != "working":
                client.take_message(await receive(socket))
            assert "error" not in client.workflow
            assert client.progress == (await jobs.show(admin, left.ids["failed"])).overall
        await socket.send(json.dumps({**watch, "cursor": client.cursor}))
        await socket.send(json.dumps({"type": "executeAllTasks", "workflowId": name, "ref": "one"}))
        told = await receive(socket)
        assert (told["type"], told["ref"], told["error"]["code"]) == ("appError", "one", "invalid")


async def test_a_run_is_watched_by_its_steps(open_server: Serving, left: Left) -> None:
    """Each a task; what is done is ok, and how far the run is is what its operation says."""
    async with left.admin() as admin, open_server.socket() as socket:
        page = await runs.list_runs(admin)
        one = await runs.show(admin, page.runs[0].id)
        await socket.send(json.dumps({"type": "watchWorkflowInstance", "workflowId": f"run/{one.id}"}))
        client = TreeClient()
        while not client.rev:
            client.take_message(await receive(socket))
    assert client.workflow["execution"] == one.id
    assert client.workflow["status"] == (one.status if one.status in {"done", "failed", "cancelled"} else "working")
    assert [task["path"] for task in client.tasks] == [f"#.{step.name}" for step in one.steps]
    for step in one.steps:
        told = client.statuses[f"#.{step.name}"]["status"]
        assert told == {"done": "ok", "waiting": "running", "failed": "failed"}[step.status]
    assert client.progress == one.overall


async def test_a_token_names_a_job_by_its_topic(server: Serving, left: Left) -> None:
    """The same name as for `watchTopic`; another one it does not let in."""
    mine, other = (f"job/shop/{left.ids[name]}" for name in ("passed", "failed"))
    async with server.socket(origin="https://shop.example") as socket:
        await receive(socket)
        await socket.send(json.dumps({"type": "authenticate", "token": watch_token("k" * 32, "user 7", [mine])}))
        await socket.send(json.dumps({"type": "watchWorkflowInstance", "workflowId": other}))
        told = await receive(socket, {"appError"})
        assert (told["id"], told["error"]["code"]) == (other, "forbidden")
        await socket.send(json.dumps({"type": "watchWorkflowInstance", "workflowId": mine}))
        assert (await receive(socket, {"setTasksStatuses"}))["id"] == mine
