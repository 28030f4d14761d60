"""A job that means harm, in every text that it has: pages answer, what they answer is data, and no log has a secret."""

from __future__ import annotations

import json
import logging
import time
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from flows import Flow, FlowOptions, Job, QueueOptions, current_job
from flows.api import operations
from flows.server import Tokens, create_app, watch_token
from flows.server.guard import Rates
from tests.api.conftest import Left
from tests.scale import scaled
from tests.server.conftest import Callers
from tests.server.serving import receive, serving

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


async def leave_hostile(url: str, namespace: str) -> str:
    """Leave the job, failed; return its id."""
    flow = Flow[Read, Form, Literal["title"]](
        FlowOptions(
            "forms",
            [QueueOptions("forms-read", job=Read)],
            lookup_attributes=["title"],
            redis_url=url,
            namespace=namespace,
        )
    )
    flow.create_workers(Read, read)
    await flow.start_all()
    keys = {f"{MARKUP[:20]}{number}": number for number in range(10_000)}
    job_id = await flow.create_job(Form(title=MARKUP, text="x" * 500_000, keys=keys))
    await flow.wait_for(job_id, 60)
    await flow.stop_all()
    return job_id


async def test_a_hostile_job_is_shown_as_data(redis_url: str, namespace: str) -> None:
    """Over HTTP, live, and in a file: JSON or a file by its type, and in no header; nothing is cut off."""
    job_id = await leave_hostile(redis_url, namespace)
    asked: dict[str, dict[str, Any]] = {
        "jobs.find": {"query": "flow:forms"},
        "jobs.show": {"id": job_id},
        "jobs.log": {"id": job_id, "flow": "forms"},
        "jobs.explain": {"id": job_id},
        "jobs.history": {"id": job_id},
        "queues.show": {"flow": "forms"},
        "flows.show": {"flow": "forms"},
    }
    async with serving(create_app(redis_url, namespace)) as server, server.client() as client:
        for name, params in asked.items():
            operation = operations()[name]
            known = {key: value for key, value in params.items() if key in operation.params.model_fields}
            answer = await client.get(f"/api/v1/{operation.group}/{operation.verb}", params=known)
            assert answer.status_code == 200, (name, answer.text[:500])
            assert answer.headers["content-type"] == "application/json"
            assert "x-evil" not in answer.headers
        shown = (await client.get("/api/v1/jobs/show", params={"id": job_id})).json()
        fields = {field["name"]: field["value"] for field in shown["fields"]}
        assert (fields["title"], len(fields["text"]), len(fields["keys"])) == (MARKUP, 500_000, 10_000)
        assert MARKUP in shown["error"]["message"]
        answer = await client.get("/export/jobs", params={"q": "flow:forms"})
        assert answer.headers["content-type"].startswith("text/csv")
        answer = await client.get("/api/v1/jobs/show", params={"id": MARKUP})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        async with server.socket() as socket:
            await socket.send(json.dumps({"type": "watchTopic", "topic": f"job/forms/{job_id}"}))
            state = (await receive(socket, {"topicState"}))["state"]["job"]
            assert state["error"]["message"] == shown["error"]["message"]


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
