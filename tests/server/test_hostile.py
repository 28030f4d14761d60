"""A job that means harm, in every text that it has: pages answer, what they answer is data, and no log has a secret."""

from __future__ import annotations

import json
import logging
import time
from operator import itemgetter
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from flows import Flow, FlowOptions, Job, QueueOptions, Step, Workflows, current_job
from flows.api import Caller, operations
from flows.api.reading.hiding import HIDDEN
from flows.api.reading.shortening import MOST
from flows.server import Tokens, create_app, watch_token
from flows.server.guard import Rates
from flows.server.operation_routes import path_of
from flows.tree import Instance, Task, TaskInput, Tree, Trees, current_task
from tests.api.conftest import Left
from tests.scale import SCALE, scaled
from tests.server.conftest import Callers
from tests.server.serving import receive, serving
from tests.waiting import until

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>\u202egnp.exe\x1b[31m\r\nx-evil: 1"


class Form(BaseModel):
    """What somebody has filled in."""

    title: str
    text: str
    keys: dict[str, int]


class Read(Job):
    """A form that is read."""

    title: str
    text: str
    keys: dict[str, int]


async def read(job: Read) -> None:
    """Fail, with all that there is in every text."""
    current_job().log(job.title, note=job.title)
    current_job().progress(0.5, job.title)
    raise ValueError(job.title + job.text[:100_000])


async def leave_hostile(url: str, namespace: str) -> dict[str, str]:
    """Leave the job, failed, and a run that was started with the same, failed as well; return their ids."""
    options = FlowOptions(
        "forms",
        [QueueOptions("forms-read", job=Read, group_by="title")],
        lookup_attributes=["title"],
        redis_url=url,
        namespace=namespace,
        max_payload=4 << 20,
    )
    flow = Flow[Read, Form, Literal["title"]](options)
    flow.create_workers(Read, read)
    await flow.start_all()
    keys = {f"{MARKUP[:20]}{number}": number for number in range(10_000)}
    form = Form(title=MARKUP, text="x" * 1_000_000, keys=keys)
    job_id = await flow.create_job(form, idempotency_key=f"key {MARKUP[:20]}")
    await flow.wait_for(job_id, 60)
    await flow.stop_all()
    app = Workflows("readers", redis_url=url, namespace=namespace)

    @app.define("read", lookup=["title"])
    async def read_form(form: Form, step: Step) -> str:
        await step.run("read", lambda form: form.text, form)
        raise ValueError(form.title + form.text[:100_000])

    app.create_workers(concurrency=1)
    async with app:
        run = await read_form.run(form.model_copy(update={"text": "x" * 700_000}), tags=["<b>"])
        await until(lambda: _has_failed(run))
    return {"job": job_id, "run": run.id, "tree": await _leave_tree(url, namespace, form)}


class Kept(TaskInput):
    """A form of which a task keeps the text, before another one fails."""

    title: str
    text: str


async def _keep(view: Kept) -> str:
    current_task().log(view.title, note=view.title)
    current_task().progress(0.5, view.title)
    return view.text


async def _refuse(view: Kept) -> None:
    raise ValueError(view.title + view.text[:100_000])


async def _leave_tree(url: str, namespace: str, form: Form) -> str:
    """Leave an instance of a tree that was made of the same, and has failed; return its id."""
    trees = Trees("keepers", redis_url=url, namespace=namespace)

    @trees.generator("keep")
    def keep(data: Form) -> Tree:
        return Tree(Task("keep", _keep, description=data.title), Task("refuse", _refuse, dest="none"))

    trees.create_workers(concurrency=1)
    async with trees:
        text = form.text[:700_000]
        data = form.model_copy(update={"text": text})
        instance = await keep.create(data, realm=MARKUP, name=MARKUP, labels={MARKUP: MARKUP}, execute=True)
        await until(lambda: _tree_has_failed(instance))
    return instance.id


async def _tree_has_failed(instance: Instance[Form]) -> bool:
    return (await instance.state()).status == "failed"


async def _has_failed(run: Any) -> bool:
    return bool(await run.status() == "failed")


def _sees_no_keys(_connection: object) -> Caller:
    return Caller(name="hugo", hide=frozenset({"keys"}))


#: They are about a schedule, and about runs that a step has started: there are none.
_OF_OTHERS = frozenset({"schedules.slots", "runs.children"})

#: What they are asked besides.
_ASKED = {
    "runs.steps": {"start": "0"},
    "trees.log": {"path": "#.keep"},
    "trees.result": {"path": "#.keep"},
    "schedules.day": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T12:00:00Z"},
}


@pytest.mark.scale
async def test_a_hostile_job_is_shown_as_data(redis_url: str, namespace: str) -> None:
    """By each operation that looks: JSON by its type, in no header, of a size that has an end; live, and in a file.

    Where more is hidden than can be looked for in each text, no text is shown.
    """
    ids = await leave_hostile(redis_url, namespace)
    job_id = ids["job"]
    asked = {"flow": "forms", "query": "flow:forms", "queue": "forms-read", "timeout": "10s", "verb": "retry"}
    slow: dict[str, float] = {}
    async with serving(create_app(redis_url, namespace)) as server, server.client() as client:
        for name, operation in operations().items():
            if operation.acts or (operation.group == "bulk" and operation.verb != "preview") or name in _OF_OTHERS:
                continue
            of = {**asked, "id": ids[{"runs": "run", "trees": "tree"}.get(operation.group, "job")]}
            known = {key: value for key, value in of.items() if key in operation.params.model_fields}
            known |= _ASKED.get(name, {})
            began = time.monotonic()
            answer = await client.get(path_of(operation), params=known)
            slow[name] = time.monotonic() - began
            assert answer.status_code == 200, (name, answer.text[:500])
            assert answer.headers["content-type"] == "application/json"
            assert "x-evil" not in answer.headers
            assert len(answer.content) < 2 * MOST, name
        if SCALE != 1:
            print("slowest:", sorted(slow.items(), key=itemgetter(1))[-3:])  # noqa: T201 - figures
            assert max(slow.values()) <= 0.2
        shown = (await client.get("/api/v1/jobs/show", params={"id": job_id})).json()
        fields = {field["name"]: field for field in shown["fields"]}
        assert (shown["cut"], fields["title"]["cut"], fields["title"]["value"]) == (True, False, MARKUP)
        assert fields["text"]["cut"]
        assert fields["text"]["value"].endswith("xxx… 1,000,000 characters in all")
        assert (len(fields["keys"]["value"]), fields["keys"]["value"]["…"]) == (201, "10,000 members in all")
        assert MARKUP in shown["error"]["message"]
        whole = (await client.get("/api/v1/jobs/show", params={"id": job_id, "whole": "true"})).json()
        fields = {field["name"]: field["value"] for field in whole["fields"]}
        assert (whole["cut"], len(fields["text"]), len(fields["keys"])) == (False, 1_000_000, 10_000)
        run = (await client.get("/api/v1/runs/show", params={"id": ids["run"]})).json()
        assert (run["cut"], run["steps"][0]["cut"]) == (True, True)
        run = (await client.get("/api/v1/runs/show", params={"id": ids["run"], "whole": "true"})).json()
        assert (run["cut"], len(run["input"]["text"]), len(run["steps"][0]["result"])) == (False, 700_000, 700_000)
        async with serving(create_app(redis_url, namespace, auth=_sees_no_keys)) as other, other.client() as hugo:
            shown = (await hugo.get("/api/v1/jobs/show", params={"id": job_id, "whole": "true"})).json()
            fields = {field["name"]: field["value"] for field in shown["fields"]}
            assert (fields["keys"], fields["title"], shown["error"]["message"]) == (None, HIDDEN, HIDDEN)
        answer = await client.get("/export/jobs", params={"q": "flow:forms"})
        assert answer.headers["content-type"].startswith("text/csv")
        answer = await client.get("/api/v1/jobs/show", params={"id": MARKUP})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        async with server.socket() as socket:
            await socket.send(json.dumps({"type": "watchTopic", "topic": f"job/forms/{job_id}"}))
            state = (await receive(socket, {"topicState"}))["state"]["job"]
            assert MARKUP in state["error"]["message"]
            assert state["cut"]


def test_who_comes_under_ever_other_names_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 addresses try to log in and each is counted; one more, and the one longest ago is forgotten."""
    monkeypatch.setattr("flows.server.rates._MOST_NAMES", 1_000)
    rates = Rates(1, 60)
    for number in range(10_000):
        assert rates.take(f"address {number}") is None
    assert len(rates._rates) == 1_000
    wait = rates.take("address 9999")
    assert wait is not None
    assert 0 < wait <= 60


@pytest.mark.scale
async def test_ten_thousand_logins_are_answered_and_no_guess_is_right(left: Left, callers: Callers) -> None:
    """Of one address: five are looked at, all others are 429 before a token is compared. Then a cookie that is over."""
    app = create_app(left.url, left.namespace, auth=Tokens(callers.text))
    statuses: dict[int, int] = {}
    many = scaled(500, full=10_000)
    for number in range(many):
        status = await _log_in(app, f"guess {number}")
        statuses[status] = statuses.get(status, 0) + 1
    assert statuses[401] <= 10
    assert statuses[401] + statuses[429] == many


async def _log_in(app: Any, token: str) -> int:
    """Log in by ASGI itself: sockets would take most of the time."""
    body = json.dumps({"token": token}).encode()
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/login",
        "raw_path": b"/login",
        "query_string": b"",
        "root_path": "",
        "client": ("203.0.113.7", 1),
        "server": ("127.0.0.1", 80),
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"origin", b"http://127.0.0.1"),
            (b"content-type", b"application/json"),
            (b"x-flows", b"1"),
        ],
    }
    statuses: list[int] = []

    async def receive_body() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive_body, send)
    return statuses[0]


async def test_a_login_ends(left: Left, callers: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    """After twelve hours the cookie is nobody's, whatever the browser keeps."""
    app = create_app(left.url, left.namespace, auth=Tokens(callers.text))
    async with serving(app) as server, server.client() as client:
        assert (await client.post("/login", json={"token": callers.tokens["vera"]})).status_code == 204
        assert (await client.get("/api/v1/me")).status_code == 200
        later = time.time() + 12 * 3600
        monkeypatch.setattr("flows.server.identity.time.time", lambda: later)
        assert (await client.get("/api/v1/me")).status_code == 401


async def test_tokens_are_in_no_log_and_no_url(left: Left, callers: Callers, caplog: pytest.LogCaptureFixture) -> None:
    """Not at DEBUG of all that there is; and a token in a URL is nobody's."""
    key, topic = "k" * 32, "flows"
    watcher = watch_token(key, "user 7", [topic])
    app = create_app(left.url, left.namespace, auth=Tokens(callers.text), live_key=key)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("websockets").setLevel(logging.INFO)  # the client of this test shows all frames at DEBUG
    async with serving(app) as server:
        async with server.client(callers.tokens["ana"]) as client:
            assert (await client.get("/api/v1/me")).status_code == 200
        async with server.client() as client:
            await client.post("/login", json={"token": callers.tokens["ana"]})
            client.cookies.clear()
            for name in ("token", "access_token", "authorization"):
                assert (await client.get("/api/v1/me", params={name: callers.tokens["vera"]})).status_code == 401
        async with server.socket(origin="https://shop.example") as socket:
            await socket.send(json.dumps({"type": "authenticate", "token": watcher}))
            await socket.send(json.dumps({"type": "watchTopic", "topic": topic}))
            await receive(socket, {"topicState"})
    logging.getLogger("websockets").setLevel(logging.NOTSET)
    ours = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))
    )
    for token in (callers.tokens["ana"], watcher):
        assert token not in ours
