"""Every operation over HTTP, asked for by every kind of caller, as the registry declares it."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from flows.api import operations
from flows.server import create_app
from flows.server.operation_routes import path_of
from tests.api.callers import OF_ALL, given
from tests.api.conftest import Left
from tests.api.shop import CANARY
from tests.server.conftest import Callers
from tests.server.serving import Serving, serving


async def ask(client: httpx.AsyncClient, name: str, asked: dict[str, object]) -> tuple[int, str]:
    """Ask for an operation over HTTP, again where a caller may not ask so often."""
    operation = operations()[name]
    while True:
        if operation.acts:
            answer = await client.post(path_of(operation), json=asked)
        else:
            answer = await client.get(path_of(operation), params=asked)  # type: ignore[arg-type]
        if answer.status_code != 429:
            return answer.status_code, answer.text
        await asyncio.sleep(answer.json()["retry_after"])


async def test_each_caller_may_what_its_role_may(server: Serving, callers: Callers, left: Left) -> None:
    """401 for nobody, 403 for the wrong role, 403 or 404 for another flow; a viewer is answered what it may see."""
    tokens = callers.tokens
    async with (
        server.client() as nobody,
        server.client(tokens["dora"]) as late,
        server.client(tokens["vera"]) as viewer,
        server.client(tokens["otto"]) as stranger,
    ):
        for name, operation in operations().items():
            asked = given(name, left.ids)
            assert (await ask(nobody, name, asked))[0] == 401, name
            assert (await ask(late, name, asked))[0] == 401, name
            status, text = await ask(viewer, name, asked)
            assert status in ({200, 408} if operation.role == "viewer" else {403}), (name, text)
            status, text = await ask(stranger, name, asked)
            if name in OF_ALL:
                assert "shop" not in text, name
            else:
                assert status in {403, 404}, (name, text)


async def test_what_is_hidden_is_in_no_answer(server: Serving, callers: Callers, left: Left) -> None:
    """The same answers, and what is not for this caller is in none of them."""
    async with server.client(callers.tokens["hugo"]) as client:
        for name, operation in operations().items():
            if not operation.acts:
                _status, text = await ask(client, name, given(name, left.ids))
                assert CANARY not in text, name


async def test_what_acts_is_no_get_and_what_looks_is_no_post(open_server: Serving) -> None:
    """So no link and no image makes a browser act."""
    async with open_server.client() as client:
        for operation in operations().values():
            wrong = client.get if operation.acts else client.post
            answer = await wrong(path_of(operation))
            if answer.status_code == 429:
                await asyncio.sleep(answer.json()["retry_after"])
                answer = await wrong(path_of(operation))
            assert answer.status_code == 405
            assert answer.headers["allow"]
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/api/v1/jobs/find?flow=shop&limit=101", 422, "less than or equal to 100"),
        ("/api/v1/jobs/find?flow=shop&limits=1", 422, "limits"),
        ("/api/v1/jobs/find?flow=shop&flow=other", 422, "flow"),
        ("/api/v1/jobs/find?query=flow:shop colour:red", 422, "colour"),
        ("/api/v1/runs/list?lookup=title:two", 422, "dictionary"),
        ("/api/v1/jobs/show?id=nothing", 422, "nothing"),
        ("/api/v1/jobs/show?id=0192f3a1-0000-7000-8000-000000000000", 404, "0192f3a1"),
        ("/api/v1/queues/show?flow=nothing", 404, "nothing"),
        ("/api/v1/nothing", 404, "openapi"),
    ],
)
async def test_what_is_wrong_is_told(open_server: Serving, path: str, status: int, told: str) -> None:
    """By the sentence of the Python error, as problem JSON."""
    async with open_server.client() as client:
        answer = await client.get(path)
    assert answer.status_code == status
    assert answer.json()["status"] == status
    assert told in answer.json()["detail"]


@pytest.mark.parametrize("body", ["{", "[]", "1", '{"id": 5}', '{"id": "x", "more": 1}', ""])
async def test_a_body_that_is_none_is_refused(open_server: Serving, body: str) -> None:
    """Before anything is written."""
    async with open_server.client() as client:
        answer = await client.post("/api/v1/jobs/retry", content=body)
    assert answer.status_code == 422


async def test_of_two_operators_one_acts(left_to_act: Left) -> None:
    """One gets the word; the other 409 and what the job is, 404 where it has gone, or a word that nothing was done."""
    left = left_to_act
    tried = [("retry", "failed", 409, "retried"), ("cancel", "waiting", 409, "cancelled")]
    tried += [("promote", "delayed", 200, "promoted"), ("delete", "failed2", 404, "deleted")]
    async with serving(create_app(left.url, left.namespace)) as server, server.client() as client:
        for verb, job, status, word in tried:
            asked = {"id": left.ids[job]}
            answers = await asyncio.gather(*(client.post(f"/api/v1/jobs/{verb}", json=asked) for _ in range(2)))
            assert sorted(answer.status_code for answer in answers) == [200, status], [one.text for one in answers]
            [one] = [answer for answer in answers if answer.json().get("word") == word]
            assert one.headers["x-request-id"]
