"""The two commands of the README, and a board that moves: no Node.js, no network, five seconds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, expect

from tests.browser.page_view import Faults, axe
from tests.faults.ports import free_port
from tests.waiting import blocking_until, patient

FLOWS = [sys.executable, "-m", "flows"]
WITHIN = 5.0


def jobs_on(page: Page) -> set[str]:
    """Return the jobs that the board shows: those that run, wait and have ended."""
    return set(page.locator("main a[href*='/jobs/']").evaluate_all("links => links.map((one) => one.href)"))


def opens(page: Page, url: str) -> bool:
    """Go there, unless nobody listens there yet."""
    with suppress(httpx.TransportError):
        httpx.get(url)
        page.goto(url)
        return True
    return False


def test_the_board_shows_moving_jobs_soon(browser: Browser, tmp_path: Path) -> None:
    """Within five seconds of `flows web`, where a demo runs; and who starts it is told who may act."""
    environment = {**os.environ, "FLOWS_DATA_DIR": str(tmp_path), "PATH": "/nothing"}
    port = free_port()
    page = browser.new_page()
    faults = Faults(page)
    with subprocess.Popen([*FLOWS, "demo"], env=environment, stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stderr is not None
        assert "a shop on" in demo.stderr.readline()
        began = time.monotonic()
        command = [*FLOWS, "web", "--port", str(port)]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as web:
            try:
                blocking_until(lambda: opens(page, f"http://127.0.0.1:{port}/flows/shop"))
                blocking_until(lambda: jobs_on(page))
                first = jobs_on(page)
                blocking_until(lambda: jobs_on(page) - first)
                took = time.monotonic() - began
                unexpected = faults.unexpected()
                page.close()
            finally:
                web.terminate()
                demo.terminate()
            said = web.stderr.read() if web.stderr else ""
    assert unexpected == []
    assert f"http://127.0.0.1:{port}/ looks at" in said
    assert "every user of this machine is an operator" in said
    assert took <= patient(WITHIN), f"{took:.1f} s"


def test_a_token_for_this_start_is_taken_from_the_address(browser: Browser, redis_url: str) -> None:
    """And is in the address no longer, nor in the history; without it there is a form, which takes it as well."""
    command = [*FLOWS, "web", "--token", "--redis-url", redis_url, "--port", str(free_port())]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as web:
        try:
            assert web.stderr is not None
            web.stderr.readline()
            found = re.search(r"(http://\S+/)#token=(\S+)", web.stderr.readline())
            assert found
            url, token = found.groups()
            blocking_until(lambda: _answers(url))
            page = browser.new_page()
            page.goto(f"{url}jobs#token={token}")
            expect(page.locator("nav").first).to_be_visible()
            assert page.url == f"{url}jobs"
            other = browser.new_page()
            other.goto(url)
            box = other.get_by_label("token", exact=False).first
            expect(box).to_be_visible()
            axe(other)
            box.fill("x")
            box.press("Enter")
            expect(other.get_by_role("alert")).to_be_visible()
            box.fill(token)
            box.press("Enter")
            expect(other.locator("nav").first).to_be_visible()
        finally:
            web.terminate()
    for one in (page, other):
        one.close()


def _answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}healthz").is_success
    return False
