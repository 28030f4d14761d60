"""A job that means harm, in every text that it has: nothing of it runs, nothing of it covers the page, all is quick."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, Request
from redis import Redis

from flows.server import create_app
from tests.browser.conftest import OpenPage
from tests.browser.live_server import LiveServer, aside, live_server
from tests.browser.page_view import axe, fits
from tests.server.test_hostile import MARKUP, leave_hostile
from tests.waiting import patient

ADDRESSES = (
    "",
    "flows/forms",
    "flows/forms/jobs/{job}",
    "jobs?q=flow:forms",
    "jobs?q={markup}",
    "new?flow=forms",
    "runs",
    "runs/{run}",
    "limits",
    "audit",
    "workers",
    "{markup}",
)
#: Texts that turn the direction of what follows, and no element around them that ends that.
TURNED = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        if (!/[\\u202a-\\u202e]/.test(node.data)) continue;
        let at = node.parentElement;
        const isolates = (e) => /isolate|plaintext/.test(getComputedStyle(e).unicodeBidi);
        const isInline = (e) => getComputedStyle(e).display === "inline";
        while (isInline(at) && !isolates(at)) at = at.parentElement;
        if (!isolates(at) && at.textContent !== node.data) found.push(`${at.tagName}.${at.className}: ${node.data}`);
    }
    return found;
}"""


@dataclass(frozen=True)
class Hostile:
    """What was left, and who serves it."""

    ids: dict[str, str]
    server: LiveServer


@pytest.fixture(scope="module")
def hostile(redis_url: str, _sweeper: Redis) -> Iterator[Hostile]:
    """Leave the job and the run, and an action that names them."""
    namespace = f"t{secrets.token_hex(6)}:"
    ids = aside(leave_hostile(redis_url, namespace))
    with live_server(create_app(redis_url, namespace)) as server:
        server.act("queues.pause", queue="forms-read", note=MARKUP)
        yield Hostile({**ids, "markup": "%3Cscript%3Ealert(1)%3C%2Fscript%3E%E2%80%AEgnp"}, server)
    _sweeper.unlink(*_sweeper.scan_iter(f"{namespace}*", count=1000))


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_hostile_job_is_only_text(hostile: Hostile, open_page: OpenPage, address: str) -> None:
    """No dialog, no element of its own, no line wider than the window, no direction that leaks; answers in 200 ms."""
    expect = ("status 4", "status of 4") if "q={markup}" in address else ()
    answered: list[tuple[str, float]] = []

    def note(request: Request) -> None:
        if "/api/" in request.url:
            answered.append((request.url, request.timing["responseStart"] - request.timing["requestStart"]))

    page = open_page("nowhere", server=hostile.server, expect=expect)
    page.on("dialog", lambda dialog: answered.append((f"dialog {dialog.message}", 1e9)))
    page.on("requestfinished", note)
    page.goto(f"{hostile.server.url}/{address.format(**hostile.ids)}")
    page.locator("h1").first.wait_for()
    page.wait_for_load_state("networkidle")
    assert [(url, took) for url, took in answered if took > patient(0.2) * 1000] == []
    _is_only_text(page)
    fits(page)
    axe(page)
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)


def _is_only_text(page: Page) -> None:
    assert page.evaluate("[...document.scripts].filter((one) => !one.src).length") == 0
    assert page.locator("img[src=x], [onerror]").count() == 0
    assert page.evaluate(TURNED) == []
    assert page.evaluate("document.querySelectorAll('*').length") < 20_000
