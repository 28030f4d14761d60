"""The server or its Redis is away: the last state stays, grey, with its age, and comes alive again by itself."""

from __future__ import annotations

import os
import signal

import pytest
from playwright.sync_api import Page, expect
from redis import Redis

from flows.testing import private_server
from tests.api.shop import leave
from tests.browser.conftest import OpenPage, Shop
from tests.browser.live_server import aside, web_process
from tests.browser.page_view import axe
from tests.faults.ports import free_port

#: What a browser says of a server that has gone.
GONE = ("WebSocket", "failed: ", "ERR_CONNECTION_REFUSED", "status 503", "status of 503")


def is_old(page: Page) -> None:
    """Check that what is shown is the last state, says so, and acts no more."""
    expect(page.locator(".was").first).to_be_visible(timeout=60_000)
    expect(page.locator("main")).to_contain_text("ago")


def is_live(page: Page) -> None:
    """Check that what is shown is live."""
    expect(page.locator(".was")).to_have_count(0, timeout=60_000)
    expect(page.locator(".live")).not_to_have_class("off", timeout=60_000)


@pytest.mark.parametrize("address", ["flows/shop", "flows/shop/jobs/{failed}", "workers"])
def test_a_server_that_goes_leaves_its_last_state(shop: Shop, open_page: OpenPage, address: str) -> None:
    """And the page is live again, without a reload, when another stands in its place."""
    options = ("--redis-url", shop.url, "--namespace", shop.namespace, "--port", str(free_port()))
    with web_process(*options) as (server, process):
        page = open_page(address.format(**shop.ids), server=server, expect=GONE)
        expect(page.locator(".live")).to_have_text("Live")
        page.locator(".is").first.wait_for()
        process.kill()
        is_old(page)
        expect(page.locator(".live.off")).to_be_visible()
        axe(page)
    with web_process(*options):
        is_live(page)
        page.context.close()


def test_a_redis_that_hangs_leaves_its_last_state(open_page: OpenPage) -> None:
    """The server is there, and says since when Redis is not."""
    with private_server() as url:
        aside(leave(url, ""))
        with Redis.from_url(url) as redis:
            process_id = redis.info("server")["process_id"]
        with web_process("--redis-url", url, "--port", str(free_port())) as (server, _process):
            page = open_page("flows/shop", server=server, expect=GONE)
            page.locator(".is").first.wait_for()
            try:
                os.kill(process_id, signal.SIGSTOP)
                is_old(page)
            finally:
                os.kill(process_id, signal.SIGCONT)
            is_live(page)
            page.context.close()
