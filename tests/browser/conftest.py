"""A browser that looks at a shop: see `shop.py` for what is in it. Tests of pages are plain functions, not `async`."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from redis import Redis

from flows.server import Tokens, create_app
from flows.server.page import STATIC
from flows.server.tokens import new_token
from tests.browser.live_server import LiveServer, live_server
from tests.browser.page_view import CHROMIUM, Faults, launch

REQUIRED = os.environ.get("FLOWS_TEST_BROWSER") == "required"
ROOT = Path(__file__).resolve().parents[2]


#: A machine may be busy: what is expected comes within so many milliseconds.
_PATIENCE = 20_000
expect.set_options(timeout=_PATIENCE)


@dataclass(frozen=True)
class Shop:
    """The shop, and the server that shows it to everyone on this machine.

    Args:
        url: Of Redis.
        namespace: Where its keys are.
        ids: Of jobs and runs, by what they are: see `shop.py`.
        server: Shows it.
    """

    url: str
    namespace: str
    ids: dict[str, str]
    server: LiveServer

    def ask(self, operation: str, **params: Any) -> Any:
        """Return the answer of an operation that looks."""
        return self.server.ask(operation, **params)

    def act(self, operation: str, **params: Any) -> Any:
        """Return the answer of an operation that acts."""
        return self.server.act(operation, **params)


@pytest.fixture(scope="session")
def shop(redis_url: str, _sweeper: Redis) -> Iterator[Shop]:
    """Run the shop, and a server for it, for all tests: what a test changes there others see."""
    namespace = f"t{secrets.token_hex(6)}:"
    command = [sys.executable, "-m", "tests.browser.shop", redis_url, namespace]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True) as program:
        try:
            assert program.stdout is not None
            ids = json.loads(program.stdout.readline())
            with live_server(create_app(redis_url, namespace)) as server:
                yield Shop(redis_url, namespace, ids, server)
        finally:
            program.kill()
    _sweeper.unlink(*_sweeper.scan_iter(f"{namespace}*", count=1000))


@pytest.fixture(scope="session")
def tokens() -> dict[str, str]:
    """Make a token of an operator, `ana`, and of a viewer, `vera`; `file` has their lines."""
    (ana, operator), (vera, viewer) = new_token("ana", "operator"), new_token("vera", "viewer")
    return {"ana": ana, "vera": vera, "file": f"{operator}\n{viewer}\n"}


@pytest.fixture(scope="session")
def closed(shop: Shop, tokens: dict[str, str]) -> Iterator[LiveServer]:
    """Serve the same shop to those who have a token, who may log in as often as tests do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.server.guard.MOST_LOGINS", 1000)
        app = create_app(shop.url, shop.namespace, auth=Tokens(tokens["file"]))
    with live_server(app) as server:
        yield server


@pytest.fixture(scope="session")
def behind(shop: Shop) -> Iterator[LiveServer]:
    """Serve the same shop at `/ops/flows`, behind a proxy that takes that away."""
    with live_server(create_app(shop.url, shop.namespace), prefix="/ops/flows") as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the browser, once."""
    missing = "no Chromium" if CHROMIUM is None else "" if (STATIC / "index.html").exists() else "no build: make ui"
    if missing and not REQUIRED:
        pytest.skip(missing)
    assert not missing
    with sync_playwright() as playwright:
        found = launch(playwright)
        yield found
        found.close()


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, shop: Shop) -> Iterator[OpenPage]:
    """Return what opens a page: a path of the dashboard, in a browser of its own.

    An error on the console, a request that fails and an answer that refuses fail the test in the end, unless `expect`
    has a pattern that is found in it.
    """
    opened: list[tuple[Page, Faults]] = []

    def open_page(  # noqa: PLR0913 - how one looks at a page
        path: str = "",
        *,
        theme: Literal["light", "dark"] = "light",
        width: int = 1560,
        height: int = 1000,
        server: LiveServer | None = None,
        token: str | None = None,
        expect: tuple[str, ...] = (),
    ) -> Page:
        context = browser.new_context(
            color_scheme=theme,
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="Europe/Berlin",
        )
        if server and token:
            context.add_cookies([{"name": "flows", "value": server.cookie(token), "url": server.url}])
        page = context.new_page()
        page.set_default_timeout(_PATIENCE)
        opened.append((page, Faults(page, expect)))
        page.goto(f"{(server or shop.server).url}/{path}")
        page.locator("main").first.wait_for()
        return page

    yield open_page
    unexpected = [fault for _page, faults in opened for fault in faults.unexpected()]
    for page, _faults in opened:
        page.context.close()
    assert unexpected == []
