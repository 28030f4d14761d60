"""The page and its files: at every path that no route has, under any prefix, to everyone; and nothing else is open."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette._utils import get_route_path
from starlette.routing import Route

from flows.__main__ import main
from flows.server import create_app
from flows.server.page import path_of
from tests.api.conftest import Left
from tests.server.conftest import Callers
from tests.server.serving import Serving, serving

INDEX = '<!doctype html><html lang="en"><head><base href="/" /><title>flows</title></head><body></body></html>'
SCRIPT = "const hundred = 100;\n" * 100
DEEP = ("/", "/flows/shop", "/flows/shop/jobs/0192f0c1", "/jobs?q=flow:shop+state:failed", "/index.html", "//", "/a.b")


@pytest.fixture(autouse=True)
def static(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a build that is small, and beside it what nobody may read."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX, "utf-8")
    (folder / "assets" / "app-1a2b.js").write_text(SCRIPT, "utf-8")
    (folder / "assets" / "inter-3c4d.woff2").write_bytes(b"wOF2")
    (folder / "icon.svg").write_text("<svg/>", "utf-8")
    (tmp_path / "secret").write_text("a secret", "utf-8")
    monkeypatch.setattr("flows.server.page.STATIC", folder)
    return folder


@pytest.fixture(params=["/", "/ops/flows/", "stripped"])
async def at(request: pytest.FixtureRequest, left: Left) -> AsyncIterator[tuple[Serving, str, str]]:
    """Serve by itself, mounted in an application, and behind a proxy that strips a prefix: where, and the base."""
    app = create_app(left.url, left.namespace)
    if request.param == "/":
        async with serving(app) as running:
            yield running, "", "/"
    elif request.param == "stripped":
        async with serving(app, root_path="/ops/flows") as running:
            yield running, "", "/ops/flows/"
    else:
        outer = FastAPI()
        outer.mount("/ops/flows", app)
        async with serving(outer) as running:
            yield running, "/ops/flows", "/ops/flows/"
        await app.close()


async def test_a_link_opens_anywhere(at: tuple[Serving, str, str]) -> None:
    """It is the page, whose base is the prefix; a browser asks again, and is told that nothing has changed."""
    server, prefix, base = at
    async with server.client() as client:
        for path in DEEP:
            answer = await client.get(prefix + path)
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
            assert answer.text == INDEX.replace('<base href="/" />', f'<base href="{base}" />')
            tag = answer.headers["etag"]
            assert (await client.get(prefix + path, headers={"if-none-match": tag})).status_code == 304
        empty = await client.head(f"{prefix}/flows/shop")
        assert (empty.status_code, empty.content) == (200, b"")


async def test_files_are_kept_for_ever(at: tuple[Serving, str, str]) -> None:
    """Their names change with what is in them; packed for who takes that."""
    server, prefix, _base = at
    async with server.client() as client:
        answer = await client.get(f"{prefix}/assets/app-1a2b.js")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "accept-encoding")
        assert answer.text == SCRIPT
        assert int(answer.headers["content-length"]) == len(gzip.compress(SCRIPT.encode(), mtime=0))
        plain = await client.get(f"{prefix}/assets/app-1a2b.js", headers={"accept-encoding": "identity"})
        assert ("content-encoding" in plain.headers, plain.text) == (False, SCRIPT)
        font = await client.get(f"{prefix}/assets/inter-3c4d.woff2")
        assert (font.content, font.headers["content-type"]) == (b"wOF2", "font/woff2")
        icon = await client.get(f"{prefix}/icon.svg")
        assert (icon.headers["content-type"], icon.headers["cache-control"]) == ("image/svg+xml", "no-cache")


async def test_what_is_not_there_is_told(at: tuple[Serving, str, str]) -> None:
    """A file of another version, and an operation that is none, are 404; nothing is sent to the page."""
    server, prefix, _base = at
    async with server.client() as client:
        for path in ("/assets/app-0000.js", "/api/v1/jobs/none", "/api", "/live/else", "/export", "/metrics/x"):
            answer = await client.get(prefix + path)
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), path
        assert (await client.get(f"{prefix}/api/v1/jobs/retry")).status_code == 405
        answer = await client.post(f"{prefix}/flows/shop", content=b"{}")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path",
    ["/../secret", "/assets/../../secret", "/%2e%2e/secret", "/assets/%2e%2e%2f%2e%2e%2fsecret", "/..%5csecret"],
)
async def test_no_path_leads_out_of_the_build(open_server: Serving, path: str) -> None:
    """Whatever is written, however it is written."""
    async with open_server.client() as client:
        answer = await client.get(open_server.url + path)
    assert "a secret" not in answer.text


async def test_nobody_loads_the_page_and_nothing_else(server: Serving, callers: Callers) -> None:
    """Who has not logged in gets the form of the page; each route is closed as before, however its path is written."""
    app = create_app(auth=lambda _connection: None)
    routes = [route for route in app._app.routes if isinstance(route, Route)]  # type: ignore[attr-defined]
    async with server.client() as client:
        for path in (*DEEP, "/assets/app-1a2b.js", "/icon.svg"):
            assert (await client.get(path)).status_code == 200
        assert (await client.post("/flows/shop", content=b"{}")).status_code == 401
        for route in routes:
            if route.path in {"/healthz", "/readyz", "/login"}:
                continue
            for path in (route.path, f"{route.path}/", f"{route.path}/x"):
                assert (await client.get(path)).status_code == 401, path
    async with server.client(callers.tokens["vera"]) as client:
        assert (await client.get("/api/v1/me")).status_code == 200


@pytest.mark.parametrize("root", ["", "/m", "/ops/flows", "/ops/"])
@pytest.mark.parametrize("path", ["", "/", "/m", "/metrics", "/m/metrics", "/ops/flows", "/ops/flowsapi", "/ops//x"])
def test_what_the_guard_judges_is_what_is_routed(root: str, path: str) -> None:
    """The path below the prefix is the same to both: else one would open what the other serves."""
    scope = {"root_path": root, "path": path}
    assert path_of(scope) == get_route_path(scope)


async def test_a_prefix_is_text(left: Left) -> None:
    """Not markup, and not a host."""
    for root, base in (('/a"><b>', "/a%22%3E%3Cb%3E/"), ("//evil.example", "/evil.example/")):
        async with serving(create_app(left.url, left.namespace), root_path=root) as server, server.client() as client:
            assert re.findall(r'<base href="([^"]*)" />', (await client.get("/")).text) == [base]


async def test_a_checkout_without_a_build_says_what_to_do(open_server: Serving, static: Path) -> None:
    """All else is served."""
    (static / "index.html").unlink()
    async with open_server.client() as client:
        answer = await client.get("/flows/shop")
        assert (answer.status_code, "make ui" in answer.text) == (503, True)
        assert (await client.get("/api/v1/me")).status_code == 200


def test_two_ways_to_let_in_are_one_too_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--token` beside a file of tokens."""
    assert main(["web", "--token", "--tokens", str(tmp_path / "tokens")]) == 2
    assert "leave it out" in capsys.readouterr().err
