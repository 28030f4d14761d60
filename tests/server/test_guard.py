"""What stands before every route: each rule by itself, and that nothing is reached around it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from websockets.exceptions import InvalidStatus

from flows.api import Caller
from flows.errors import DeclarationError
from flows.server import Tokens, create_app, watch_token
from flows.server.body import LONGEST_BODY
from flows.server.guard import MOST_ACTS
from tests.api.conftest import Left
from tests.server.conftest import Callers
from tests.server.serving import OWN, Serving, receive, serving
from tests.waiting import until

RETRY = "/api/v1/jobs/retry"
TESTS = Path(__file__).parents[1]


def test_each_rule_names_the_tests_that_are_there() -> None:
    """No row of the table in SECURITY.md is without a test, and none names one that has gone."""
    rows = re.findall(r"^\| (.+) \| (`test_.+) \|$", (TESTS.parent / "SECURITY.md").read_text("utf-8"), re.MULTILINE)
    named = {name for _what, tests in rows for name in re.findall(r"`(test_\w+)`", tests)}
    there = {
        name
        for folder in ("api", "browser", "cli", "server")
        for path in (TESTS / folder).rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
    }
    assert len(rows) == 13
    assert named - there == set()


@pytest.mark.parametrize("host", ["ops.example.org", "127.0.0.1.example.org", "localhost@example.org", "", "[::2]:1"])
async def test_a_name_that_is_not_ours_is_refused(open_server: Serving, host: str) -> None:
    """A page whose name was bound to this address after it had loaded reads nothing."""
    async with open_server.client(host=host) as client:
        for path in ("/api/v1/flows/list", "/healthz", "/live?topic=flows"):
            assert (await client.get(path)).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8570", "127.0.0.1:1", "[::1]", "[::1]:8570"])
async def test_the_names_of_this_machine_are_ours(open_server: Serving, host: str) -> None:
    """Whatever the port."""
    async with open_server.client(host=host) as client:
        assert (await client.get("/healthz")).status_code == 200


async def test_a_server_without_identity_answers_this_machine_alone(left: Left, open_server: Serving) -> None:
    """What a proxy passes on is somebody else's; and another name needs a way to say who calls."""
    async with open_server.client(**{"x-forwarded-for": "203.0.113.7"}) as client:
        assert (await client.get("/api/v1/flows/list")).status_code == 403
    with pytest.raises(DeclarationError, match=r"auth=Tokens\.file.*leave hosts= out"):
        create_app(left.url, hosts=["ops.example.org"])


async def test_nobody_gets_further_than_health(server: Serving) -> None:
    """Not with a token that is none, nor with one that is over."""
    for token in (None, "x", "."):
        async with server.client(token) as client:
            for path in (
                "/api/v1/me",
                "/api/v1/flows/list",
                "/metrics",
                "/scale?queue=a",
                "/api/x",
                "/live?topic=flows",
            ):
                answer = await client.get(path)
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"] == "Bearer"
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.get("/readyz")).status_code == 200


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "multipart/form-data; boundary=application/json"}, 415),
        ({"x-flows": "0"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
    ],
)
async def test_a_page_of_another_site_cannot_act(open_server: Serving, changed: dict[str, str], status: int) -> None:
    """Not by a form, not by a plain fetch, though the browser sends them from this machine."""
    async with open_server.client(**changed) as client:
        answer = await client.post(RETRY, content=b"{}")
    assert answer.status_code == status


async def test_no_origin_is_not_our_own(open_server: Serving) -> None:
    """A browser that hides where it comes from does not act either."""
    async with open_server.client() as client:
        del client.headers["origin"]
        assert (await client.post(RETRY, content=b"{}")).status_code == 403


async def test_a_token_needs_no_page(server: Serving, callers: Callers) -> None:
    """A program acts with its token alone: no browser adds that by itself."""
    async with server.client(callers.tokens["ana"]) as client:
        for name in ("origin", "x-flows"):
            del client.headers[name]
        assert (await client.post(RETRY, content=b"{}")).status_code == 422


async def test_what_is_too_large_is_not_read(open_server: Serving) -> None:
    """A head over 16 kB, a body over 1 MiB, with its length said or not."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * (LONGEST_BODY // 16)

    async with open_server.client() as client:
        assert (await client.get("/healthz", headers={"x-long": "x" * 17_000})).status_code == 431
        assert (await client.get("/healthz?" + "x" * 17_000)).status_code == 431
        assert (await client.post(RETRY, content=b" " * (LONGEST_BODY + 1))).status_code == 413
        assert (await client.post(RETRY, content=chunks())).status_code == 413


@pytest.mark.parametrize(
    ("asked", "length", "status"),
    [
        (f"POST {RETRY}", "9" * 5_000, b"413"),
        (f"POST {RETRY}", "20", b"408"),
        ("GET /api/v1/jobs/wait?id={waiting}&timeout=1h", "20", b"408"),
    ],
)
async def test_a_body_that_never_comes_holds_no_place(  # noqa: PLR0913, PLR0917 - fixtures and a row
    open_server: Serving, left: Left, monkeypatch: pytest.MonkeyPatch, asked: str, length: str, status: bytes
) -> None:
    """It is given up after a time, of which each byte takes some; a length that no number can hold is none."""
    monkeypatch.setattr("flows.server.body.BODY_WITHIN", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", open_server.port)
    lines = [
        f"{asked.format(**left.ids)} HTTP/1.1",
        f"host: 127.0.0.1:{open_server.port}",
        f"origin: {open_server.url}",
    ]
    lines += [f"{name}: {value}" for name, value in OWN.items()]
    writer.write("\r\n".join([*lines, f"content-length: {length}", "", "{"]).encode())
    assert (await reader.readline()).split()[1] in {status, b"400"}  # what reads HTTP refuses such a length as well
    writer.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, 403),
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "cors", "origin": "http://localhost:3000"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, 200),
        ({"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}, 200),
        ({"sec-fetch-site": "none", "sec-fetch-mode": "navigate"}, 200),
    ],
)
async def test_a_page_of_another_site_loads_nothing(open_server: Serving, sent: dict[str, str], status: int) -> None:
    """By an image or a fetch, though the browser is on this machine: not even how long it takes. Links work."""
    async with open_server.client() as client:
        del client.headers["origin"]
        for path in ("/api/v1/flows/list", "/export/jobs?q=flow:shop", "/healthz"):
            assert (await client.get(path, headers=sent)).status_code == status


async def test_a_caller_acts_so_often_in_a_second(open_server: Serving) -> None:
    """More is 429, with the seconds to wait; what only looks goes on."""
    async with open_server.client() as client:
        answers = await asyncio.gather(*(client.post(RETRY, content=b"{}") for _ in range(5 * MOST_ACTS)))
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert refused[0].json()["retry_after"] <= 1
        assert int(refused[0].headers["retry-after"]) >= 1
        assert (await client.get("/api/v1/flows/list")).status_code == 200


async def test_a_caller_has_so_many_requests_under_way(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that wait and those that stream hold their places; what is over them is 429, until one ends.

    Who waits and goes has ended: nothing is asked for it any more.
    """
    monkeypatch.setattr("flows.server.guard.MOST_AT_ONCE", 2)
    wait = f"/api/v1/jobs/wait?id={left.ids['waiting']}&timeout=1h"
    async with serving(create_app(left.url, left.namespace)) as server, server.client() as client:
        async with client.stream("GET", "/live?topic=flows") as stream:
            lines = stream.aiter_lines()  # it ends with this
            await anext(lines)
            waiting = asyncio.create_task(client.get(wait))
            await until(lambda: _is_refused(client))
        waiting.cancel()
        while (await client.get("/healthz")).status_code == 429:
            pass


async def _is_refused(client: httpx.AsyncClient) -> bool:
    answer = await client.get("/api/v1/me")
    return answer.status_code == 429 and answer.json()["retry_after"] == 1  # less where it asks too often


async def test_every_answer_bears_the_rules_for_a_browser(server: Serving) -> None:
    """Refusals too: nothing from elsewhere, no frames, no sniffing; and no other site may read."""
    async with server.client(origin="https://evil.example") as client:
        for path in ("/healthz", "/api/v1/me", "/nothing"):
            headers = (await client.get(path)).headers
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert "access-control-allow-origin" not in headers


async def test_a_site_that_is_named_may_read(left: Left, callers: Callers) -> None:
    """It asks first, and is told by its own name; a site that is not named is told nothing."""
    app = create_app(left.url, left.namespace, auth=Tokens(callers.text), origins=["https://app.example.org"])
    async with serving(app) as server:
        for origin, allowed in (("https://app.example.org", True), ("https://app.example.org.evil.example", False)):
            async with server.client(callers.tokens["vera"], origin=origin) as client:
                answer = await client.get("/api/v1/me")
                assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
            async with server.client(origin=origin) as client:
                asked = await client.options("/api/v1/me", headers={"access-control-request-method": "GET"})
                assert (asked.headers.get("access-control-allow-origin") == origin) is allowed
                assert (asked.status_code < 300) is allowed


async def test_a_login_is_a_cookie_that_ends_with_the_tokens(left: Left, callers: Callers) -> None:
    """It is no token, no script reads it, and it holds at every replica that has the same tokens, and at no other."""
    apps = [create_app(left.url, left.namespace, auth=Tokens(text)) for text in (callers.text, callers.text, "")]
    async with serving(apps[0]) as first, serving(apps[1]) as second, serving(apps[2]) as third:
        async with first.client() as client:
            assert (await client.post("/login", json={"token": "wrong"})).status_code == 401
            answer = await client.post("/login", json={"token": callers.tokens["ana"]})
            assert answer.status_code == 204
            cookie = answer.headers["set-cookie"]
            assert callers.tokens["ana"] not in cookie
            assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
            assert (await client.get("/api/v1/me")).json()["name"] == "ana"
            assert (await client.post(RETRY, json={})).status_code == 422
            said = client.cookies["flows"]
            for broken in (said[:-1], said.replace(".", "!"), "", ".", "e30=." + said.partition(".")[2]):
                client.cookies.clear()
                assert (await client.get("/api/v1/me", headers={"cookie": f"flows={broken}"})).status_code == 401
        for server, status in ((second, 200), (third, 401)):
            async with server.client() as client:
                assert (await client.get("/api/v1/me", headers={"cookie": f"flows={said}"})).status_code == status


async def test_who_guesses_tokens_is_stopped(server: Serving) -> None:
    """Five times a minute from one address, then 429, also with the right one."""
    async with server.client() as client:
        statuses = [(await client.post("/login", json={"token": str(n)})).status_code for n in range(8)]
    assert statuses == [401] * 5 + [429] * 3


async def test_your_own_function_says_who_calls(left: Left) -> None:
    """By whatever it finds in the request; None is nobody, and read_only takes the role from everyone."""

    async def auth(connection: object) -> Caller | None:
        name = connection.headers.get("x-user")  # type: ignore[attr-defined]
        return None if name is None else Caller(name=name, role="operator")

    for read_only, status in ((False, 422), (True, 403)):
        async with serving(create_app(left.url, left.namespace, auth=auth, read_only=read_only)) as server:
            async with server.client() as client:
                assert (await client.get("/api/v1/me")).status_code == 401
            async with server.client(**{"x-user": "ana"}) as client:
                assert (await client.get("/api/v1/me")).json()["name"] == "ana"
                assert (await client.post(RETRY, json={} if read_only is False else {"id": "x"})).status_code == status


async def test_it_mounts_under_a_prefix(left: Left) -> None:
    """In FastAPI: the same routes below it, the guard as well, and the rest of the app is as it was."""
    api = FastAPI()

    @api.get("/mine")
    async def mine() -> str:
        return "mine"

    app = create_app(left.url, left.namespace)
    api.mount("/ops/flows", app)
    async with serving(api) as server, server.client() as client:
        assert (await client.get("/mine")).json() == "mine"
        assert (await client.get("/ops/flows/api/v1/flows/list")).status_code == 200
        assert (await client.get("/ops/flows/healthz")).status_code == 200
        foreign = {"origin": "https://evil.example"}
        assert (await client.post(f"/ops/flows{RETRY}", json={}, headers=foreign)).status_code == 403
        await app.close()  # it has no lifespan of its own there
        assert (await client.get("/ops/flows/readyz")).status_code == 200  # and opens again for who still comes
        await app.close()
        await app.close()


@pytest.mark.parametrize("live_key", [None, "k" * 32])
async def test_a_socket_of_nobody_may_bring_a_token_where_there_are_some(left: Left, live_key: str | None) -> None:
    """As that of a page that an app serves beside this one, whose users have no roles here; a wrong one is refused."""
    async with serving(create_app(left.url, left.namespace, auth=lambda _caller: None, live_key=live_key)) as server:
        if live_key is None:
            with pytest.raises(InvalidStatus, match="401"):
                await server.socket()
            return
        with pytest.raises(InvalidStatus, match="401"):
            await server.socket(authorization="Bearer wrong")
        token = watch_token(live_key, topics=["trees"], subject="visitor")
        async with server.socket() as socket:
            assert json.loads(await socket.recv())["auth"] == "token"
            await socket.send(json.dumps({"type": "authenticate", "token": token}))
            await socket.send(json.dumps({"type": "watchTopic", "topic": "trees"}))
            assert (await receive(socket, {"topicState"}))["topic"] == "trees"
