"""The page of the server: what is wrong with what to do, whose the memory is, what is slow; and when it is away."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import expect
from redis import Redis

from tests.browser.conftest import OpenPage, Shop
from tests.browser.live_server import LiveServer
from tests.browser.page_view import axe, fits


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_says_what_is_wrong_and_what_to_do(open_page: OpenPage, theme: Literal["light", "dark"]) -> None:
    """A queue that nobody serves, with the way to its board; what is fine is folded."""
    page = open_page("server", theme=theme)
    wrong = page.get_by_role("listitem").filter(has_text="no live process serves 'reports-write'")
    expect(wrong).to_contain_text("What to do: Start a process that serves it: flows run MODULE:FLOW.")
    expect(wrong.get_by_role("link", name="The board")).to_have_attribute("href", "flows/reports")
    page.get_by_text("checks are fine").press("Enter")
    expect(page.get_by_text("drops nothing").first).to_be_visible()
    axe(page)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        fits(page)


def test_tells_whose_memory_it_is_and_names_slow_scripts(shop: Shop, open_page: OpenPage, redis: Redis) -> None:
    """By a sample; scripts by name, of others the first word alone, and both again where that is asked."""
    threshold = redis.config_get("slowlog-log-slower-than")["slowlog-log-slower-than"] or "10000"
    page = open_page("server")
    expect(page.get_by_text("By a sample of 300 keys")).to_be_visible()
    expect(page.get_by_text("jobs and what they hold")).to_be_visible()
    try:
        redis.config_set("slowlog-log-slower-than", 0)
        shop.act("queues.set_limit", queue="shop-ship", limiter="shop-ship:1", reservoir=31)
    finally:
        redis.config_set("slowlog-log-slower-than", threshold)
    page.get_by_role("button", name="Measure again").click()
    expect(page.get_by_text("script of flows").first).to_be_visible(timeout=20_000)
    redis.slowlog_reset()


def test_a_viewer_repairs_nothing(open_page: OpenPage, closed: LiveServer, tokens: dict[str, str]) -> None:
    """The button stays, greyed, and says why."""
    page = open_page(f"server#token={tokens['vera']}", server=closed)
    expect(page.get_by_role("button", name="Repair")).to_have_attribute(
        "title", "vera is viewer: an operator may do this"
    )
