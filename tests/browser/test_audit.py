"""The log of actions: who raised a limit is found at a glance, with what it was and is, and where to look further."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from playwright.sync_api import expect

from flows.server import create_app
from tests.browser.conftest import OpenPage, Shop
from tests.browser.live_server import LiveServer, live_server
from tests.browser.page_view import axe, fits

HOSTILE = "<img src=x onerror=alert(1)>\u202e`tls " + "x" * 500


def test_who_raised_a_limit_is_one_press_away(shop: Shop, open_page: OpenPage) -> None:
    """As a sentence, live; the address says what is shown, and a link leads to the limits."""
    page = open_page("audit")
    page.get_by_role("button", name="limits").click()
    raised = page.get_by_role("listitem").filter(has_text="bo lowered the limit of")
    expect(raised).to_contain_text("mails-send from 100 to 50")
    before = shop.ask("queues.limits", queue="shop-ship")["limits"][0]["live"]
    shop.act("queues.set_limit", queue="shop-ship", limiter="shop-ship:1", reservoir=before + 5)
    first = page.locator(".action").first
    expect(first).to_contain_text(f"raised the limit of shop-ship from {before} to {before + 5}")
    first.get_by_role("button", name="All that was told").click()
    expect(first).to_contain_text("queues.set_limit")
    expect(first.get_by_role("link", name="The limits")).to_have_attribute("href", "limits?flow=shop")
    again = open_page(page.url.removeprefix(f"{shop.server.url}/"))
    expect(again.locator(".action.open")).to_contain_text("queues.set_limit")
    expect(again.locator(".action").filter(has_text="paused")).to_have_count(0)


def test_what_was_refused_is_said_and_leads_to_its_job(shop: Shop, open_page: OpenPage) -> None:
    """An action that came to nothing stands there with the error's name."""
    done = shop.server.client.post(f"{shop.server.url}/api/v1/jobs/retry", json={"id": shop.ids["parent"]})
    assert done.status_code == 409
    page = open_page(f"audit?about={shop.ids['parent']}")
    entry = page.locator(".action").first
    expect(entry).to_contain_text("refused: StateError")
    entry.get_by_role("link", name="The job").click()
    expect(page).to_have_url(re.compile(f"/flows/shop/jobs/{shop.ids['parent']}$"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_hostile_texts_break_nothing(shop: Shop, open_page: OpenPage, theme: Literal["light", "dark"]) -> None:
    """Markup, a mark that turns the direction, and a long word stand there as they are."""
    shop.act("queues.pause", queue="reports-write", lasting=1, note=HOSTILE)
    page = open_page("audit?doing=queues.pause", theme=theme)
    entry = page.locator(".action").first
    expect(entry).to_contain_text("paused reports-write for 1 s: <img src=x onerror=alert(1)>")
    entry.get_by_role("button", name="All that was told").press("Enter")
    expect(entry).to_contain_text('"note"')
    axe(page)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        fits(page)


def test_an_audit_without_entries_says_what_would_be_there(redis_url: str, namespace: str, open_page: OpenPage) -> None:
    """And the command that brings it; a filter that finds nothing leads back to all."""
    with live_server(create_app(redis_url, namespace)) as server:
        page = open_page("audit", server=server)
        expect(page.get_by_role("heading", name="Nobody has done anything yet")).to_be_visible()
        axe(page)
        page.get_by_role("button", name="limits").click()
        expect(page.get_by_role("heading", name="Nothing like that was done")).to_be_visible()
        page.get_by_role("button", name="Show all").click()
        expect(page.get_by_role("heading", name="Nobody has done anything yet")).to_be_visible()


def test_a_viewer_is_told_that_it_is_for_operators(
    open_page: OpenPage, closed: LiveServer, tokens: dict[str, str]
) -> None:
    """And who gives the role; nothing is asked that would be refused."""
    page = open_page(f"audit#token={tokens['vera']}", server=closed)
    expect(page.get_by_role("heading", name="Not for you")).to_be_visible()
    expect(page.get_by_text("flows web token vera --role operator")).to_be_visible()
    axe(page)
