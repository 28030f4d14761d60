"""The page of processes: what stands out comes first and is said in sentences; stacks are taken where that is asked."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest
from playwright.sync_api import expect
from redis import Redis

from flows.server import create_app
from tests.browser.conftest import OpenPage, Shop
from tests.browser.fleet import Fleet, write_fleet
from tests.browser.live_server import LiveServer, live_server
from tests.browser.page_view import axe, fits


@pytest.fixture(scope="module")
def fleet(redis_url: str, _sweeper: Redis) -> Iterator[tuple[LiveServer, Fleet]]:
    """Show what 194 processes say of themselves, one of which is blocked and one silent."""
    namespace = f"t{secrets.token_hex(6)}:"
    with ThreadPoolExecutor() as pool:  # this thread has the loop of the browser
        written = pool.submit(asyncio.run, write_fleet(_sweeper, redis_url, namespace, extra=180)).result()
    with live_server(create_app(redis_url, namespace)) as server:
        yield server, written
    _sweeper.unlink(*_sweeper.scan_iter(f"{namespace}*", count=1000))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_stands_out_comes_first(
    fleet: tuple[LiveServer, Fleet], open_page: OpenPage, theme: Literal["light", "dark"]
) -> None:
    """Where it is blocked and what follows for its jobs; by when those of a silent one come back."""
    page = open_page("workers", server=fleet[0], theme=theme)
    blocked = page.get_by_role("status").filter(has_text="is blocked")
    expect(blocked).to_contain_text(
        re.compile(
            r"score_wallet in app/access\.py:212 has held its event loop for .* 12 jobs stand still; .* hang limit"
        )
    )
    expect(page.get_by_role("status").filter(has_text="was not heard of")).to_contain_text(
        re.compile(r"since .*\. Its 8 jobs come back by \d\d:\d\d:\d\d")
    )
    rows = page.locator(".procs tbody tr")
    expect(rows.nth(0)).to_contain_text("blocked")
    expect(rows.nth(1)).to_contain_text("8 jobs come back by")
    expect(page.get_by_text("1 died in the last hour")).to_be_visible()
    expect(page.locator(".roll")).to_have_attribute("aria-label", "189 new, 2 leaving, 3 old")
    expect(page.get_by_role("row").filter(has_text="failed")).to_contain_text("times fewer")
    expect(page.get_by_role("row").filter(has_text="timeout")).to_contain_text("10 s became 8 s")
    axe(page)
    fits(page)


def test_hundreds_are_shown_by_and_by_and_found_by_their_address(
    fleet: tuple[LiveServer, Fleet], open_page: OpenPage
) -> None:
    """Ten first; chips and menus narrow them, and the address has it all."""
    page = open_page("workers", server=fleet[0])
    rows = page.locator(".procs tbody tr")
    expect(rows.first).to_be_visible()
    assert rows.count() < 60
    page.get_by_role("button", name="Show 100 at once").click()
    expect(rows).to_have_count(100)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("101 to 194 of 194")).to_be_visible()
    page.get_by_label("Find a process").fill("BIG-0017")
    expect(rows).to_have_count(1)
    page.get_by_label("Find a process").fill("")
    page.get_by_role("button", name="leaving").click()
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Release: any").click()
    page.get_by_role("menuitem").nth(1).press("Enter")
    assert {"state=leaving", "release="} <= {
        part if "release" not in part else "release=" for part in page.url.partition("?")[2].split("&")
    }
    address = page.url.removeprefix(f"{fleet[0].url}/")
    again = open_page(address.replace("state=leaving", "state=died"), server=fleet[0])
    expect(again.get_by_role("button", name="died")).to_have_attribute("aria-pressed", "true")


def test_stacks_are_taken_by_an_operator_by_keyboard(shop: Shop, open_page: OpenPage) -> None:
    """They come with the next heartbeat, the dialog gives the focus back, and the audit has it."""
    page = open_page("workers?flow=mails")
    button = page.get_by_role("button", name="Dump the stacks of").first
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("main thread, event loop")).to_be_visible(timeout=15_000)
    expect(dialog.get_by_text("Taken at")).to_be_visible()
    axe(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(button).to_be_focused()
    assert shop.ask("audit.list", doing="workers.dump")["actions"][0]["operation"] == "workers.dump"


def test_a_viewer_is_told_why_there_are_no_stacks(
    open_page: OpenPage, closed: LiveServer, tokens: dict[str, str]
) -> None:
    """The button stays, greyed, and says so."""
    page = open_page(f"workers?flow=mails#token={tokens['vera']}", server=closed)
    expect(page.get_by_role("button", name="Dump the stacks of").first).to_have_attribute(
        "title", "vera is viewer: an operator may do this"
    )


def test_no_process_works(redis_url: str, namespace: str, open_page: OpenPage) -> None:
    """The page says what would be here, and the command that brings it."""
    with live_server(create_app(redis_url, namespace)) as server:
        page = open_page("workers", server=server)
        expect(page.get_by_role("heading", name="No process works")).to_be_visible()
        expect(page.get_by_text("flows run MODULE:FLOW")).to_be_visible()
        axe(page)
