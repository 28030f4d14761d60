"""The page of `import_site.py --serve` in a browser: it watches and runs a tree, through cuts, restarts and tokens."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from redis import Redis

from tests.browser.page_view import Faults, axe
from tests.faults.ports import free_port
from tests.waiting import blocking_until

ROOT = Path(__file__).resolve().parents[2]
#: What a browser says of a server that has gone, and of a socket that it has closed.
GONE = ("WebSocket", "ERR_CONNECTION_REFUSED", "ERR_INTERNET_DISCONNECTED", "failed: ")


@dataclass(frozen=True)
class Served:
    """A tree with workers, and what serves its page.

    Args:
        url: Of Redis.
        namespace: Where its keys are.
        ids: Of the trees: see `tree_app.py`.
    """

    url: str
    namespace: str
    ids: dict[str, str]

    @contextmanager
    def page_server(self, port: int, tree: str = "fresh") -> Iterator[subprocess.Popen[bytes]]:
        """Serve the page of a tree in a process while the block runs, which may kill it."""
        command = [sys.executable, "-m", "tests.browser.tree_page", self.url, self.namespace, str(port), self.ids[tree]]
        env = {**os.environ, "FLOWS_LIVE_KEY": "a-key-of-tests-that-is-long-enough-for-it"}
        with subprocess.Popen(command, cwd=ROOT, env=env) as process:
            try:
                blocking_until(partial(_answers, port, process))
                yield process
            finally:
                process.kill()


@contextmanager
def served(redis_url: str, sweeper: Redis) -> Iterator[Served]:
    """Run workers of an app of trees of its own while the block runs."""
    namespace = f"t{secrets.token_hex(6)}:"
    command = [sys.executable, "-m", "tests.browser.tree_app", redis_url, namespace]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True) as program:
        try:
            assert program.stdout is not None
            yield Served(redis_url, namespace, json.loads(program.stdout.readline()))
        finally:
            program.kill()
    sweeper.unlink(*sweeper.scan_iter(f"{namespace}*", count=1000))


@pytest.fixture
def site(redis_url: str, _sweeper: Redis) -> Iterator[Served]:
    """Run workers, with a tree that nobody has executed."""
    with served(redis_url, _sweeper) as found:
        yield found


Look = Callable[..., Page]


@pytest.fixture
def look(browser: Browser) -> Iterator[Look]:
    """Return what opens the page at a port as somebody; what goes wrong on it fails the test in the end."""
    opened: list[tuple[Page, Faults]] = []

    def look(port: int, who: str = "owner", *, beside: Page | None = None, expect: tuple[str, ...] = ()) -> Page:
        context = beside.context if beside else browser.new_context(reduced_motion="reduce", locale="en-GB")
        context.add_cookies([{"name": "who", "value": who, "url": f"http://127.0.0.1:{port}"}])
        page = context.new_page()
        page.set_default_timeout(20_000)
        opened.append((page, Faults(page, expect)))
        page.goto(f"http://127.0.0.1:{port}/")
        page.locator("main").wait_for()
        return page

    yield look
    unexpected = [fault for _page, faults in opened for fault in faults.unexpected()]
    for page, _faults in opened:
        page.context.close()
    assert unexpected == []


def shows(page: Page, status: str) -> None:
    """Check that the page says so of the whole tree."""
    expect(page.locator(".state")).to_have_text(status)


def task(page: Page, path: str, status: str) -> None:
    """Check that the page says so of a task."""
    expect(page.locator(f'[role=treeitem][data-path="{path}"]')).to_have_attribute("data-status", status)


def test_a_click_runs_the_tree_to_its_end(site: Served, look: Look) -> None:
    """Its progress is shown on the way, a reload goes on with it, and a tab that comes late shows the same."""
    port = free_port()
    with site.page_server(port):
        page = look(port)
        shows(page, "idle")
        task(page, "#.fetch", "inactive")
        axe(page)
        page.get_by_role("button", name="Import").click()
        shows(page, "working")
        bar = page.get_by_role("progressbar", name="import")
        expect(bar).not_to_have_attribute("aria-valuenow", "0")
        axe(page)
        page.reload()
        expect(page.locator(".state")).to_have_text(re.compile("working|done"))  # a busy machine may be late
        late = look(port, beside=page)
        task(late, "#.publish", "ok")
        for one in (page, late):
            shows(one, "done")
            expect(one.locator(".site")).to_have_text("acme.example is online: 7 words, 10 thumbnails")
            task(one, "#.images.many", "skipped")
        axe(page)


def test_a_path_is_run_with_the_keyboard_and_shows_its_log(site: Served, look: Look) -> None:
    """Arrows and Enter choose it; its result and its log come when it has run."""
    port = free_port()
    with site.page_server(port):
        page = look(port)
        page.locator("[role=treeitem]").first.focus()
        page.keyboard.press("Enter")
        panel = page.locator(".flows-panel")
        panel.get_by_role("button", name="Run").click()
        task(page, "#.fetch", "ok")
        expect(panel.locator(".flows-log")).to_contain_text("10 pages were there")
        expect(panel.locator(".flows-result")).to_contain_text("acme.example/9")
        axe(page)
        page.locator("[role=treeitem]").first.focus()
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        expect(panel).to_contain_text("#.publish")


def test_a_server_that_is_killed_and_comes_back_loses_nothing(site: Served, look: Look) -> None:
    """The tree goes on meanwhile; the page is told what it missed, without a reload."""
    port = free_port()
    with site.page_server(port) as process:
        page = look(port, expect=GONE)
        page.get_by_role("button", name="Import").click()
        shows(page, "working")
        process.kill()
        expect(page.locator(".connection")).to_have_text("offline")
    with site.page_server(port):
        expect(page.locator(".connection")).to_have_text("open", timeout=60_000)
        shows(page, "done")
        task(page, "#.fetch", "ok")
        page.context.close()


def test_a_machine_that_was_offline_goes_on(site: Served, look: Look) -> None:
    """Online again, it connects at once."""
    port = free_port()
    with site.page_server(port) as process:
        page = look(port, expect=GONE)
        shows(page, "idle")
        page.context.set_offline(True)
        process.kill()  # an emulated network cuts no socket that is open
        expect(page.locator(".connection")).to_have_text("offline")
    with site.page_server(port):
        page.context.set_offline(False)
        expect(page.locator(".connection")).to_have_text("open", timeout=60_000)
        page.get_by_role("button", name="Import").click()
        shows(page, "done")
        page.context.close()


def test_a_token_that_ends_is_renewed(site: Served, look: Look) -> None:
    """Before its end, and without a cut."""
    port = free_port()
    with site.page_server(port):
        page = look(port, "brief")
        shows(page, "idle")
        with page.expect_response("**/token") as renewed:
            pass
        assert renewed.value.ok
        page.get_by_role("button", name="Import").click()
        shows(page, "done")
        expect(page.locator(".connection")).to_have_text("open")


def test_what_a_token_does_not_allow_says_so(site: Served, look: Look) -> None:
    """Another realm's is told nothing, one that may watch alone runs nothing, and nobody is asked to log in."""
    port = free_port()
    with site.page_server(port):
        stranger = look(port, "stranger")
        expect(stranger.get_by_role("alert")).to_be_visible()
        shows(stranger, "unknown")
        expect(stranger.locator("[role=treeitem]")).to_have_count(0)
        guest = look(port, "guest")
        shows(guest, "idle")
        guest.get_by_role("button", name="Import").click()
        expect(guest.get_by_role("alert")).to_be_visible()
        shows(guest, "idle")
        nobody = look(port, "nobody", expect=("status 401", "status of 401", "WebSocket"))
        expect(nobody.locator(".connection")).to_have_text("ended")
        nobody.context.close()


def test_the_example_shows_an_import_to_its_end(redis_url: str, look: Look) -> None:
    """`import_site.py --serve` as its user runs it: a click, and the page follows the import until 100 %."""
    port = free_port()
    example = [sys.executable, "examples/import_site.py", "--serve", str(port), "--pace", "2", "--redis", redis_url]
    with subprocess.Popen(example, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            blocking_until(partial(_answers, port, process))
            page = look(port)
            for _again in range(2):
                page.get_by_role("button", name="Import").click()
                shows(page, "working")
                expect(page.get_by_role("progressbar", name="import")).not_to_have_attribute("aria-valuenow", "100")
                expect(page.locator(".state")).to_have_text("done", timeout=90_000)
                expect(page.locator(".site")).to_contain_text("is online")
            axe(page)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "it did not start"
    with suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{port}/instance", timeout=5).is_success
    return False
