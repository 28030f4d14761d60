"""Every page: opens by its address alone, at both prefixes, in both themes, without an error, and fits its window."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, Response

from tests.browser.conftest import ROOT, OpenPage, Shop
from tests.browser.live_server import LiveServer
from tests.browser.page_view import axe, fits

#: Each page by its pattern in `web/src/pages/index.ts`: addresses of the shop.
PAGES = {
    "": [""],
    "flows/:flow": ["flows/shop", "flows/mails", "flows/reports"],
    "flows/:flow/jobs/:id": ["flows/shop/jobs/{failed}", "flows/shop/jobs/{parent}"],
    "jobs": ["jobs?q=flow:shop+state:failed", "jobs?q=flow:shop+user_id:1234"],
    "new": ["new?flow=shop"],
    "runs": ["runs"],
    "runs/:id": ["runs/{run}", "runs/{run_asked}"],
    "trees": ["trees"],
    "trees/:id": ["trees/{tree}", "trees/{tree}?path=%23.fetch"],
    "schedules": ["schedules"],
    "workers": ["workers"],
    "limits": ["limits?flow=shop", "limits?queue=shop-ship&limit=shop-ship:1", "limits?queue=mails-send"],
    "audit": ["audit"],
    "server": ["server"],
    "*": ["nowhere"],
}
ADDRESSES = [address for addresses in PAGES.values() for address in addresses]


def test_the_table_has_each_page() -> None:
    """A page that is added is looked at."""
    there = re.findall(r"""page\(\s*"([^"]*)",""", (ROOT / "web/src/pages/index.ts").read_text("utf-8"))
    assert set(there) == set(PAGES)


def test_the_board_loads_little(browser: Browser, shop: Shop) -> None:
    """Its own chunks too are among the 130 kB of packed script that a first visit costs."""
    page = browser.new_page()
    sizes: dict[str, int] = {}

    def note(response: Response) -> None:
        if response.url.endswith(".js"):
            sizes[response.url] = int(response.headers["content-length"])

    page.on("response", note)
    page.goto(f"{shop.server.url}/flows/shop")
    page.locator("h1").first.wait_for()
    page.wait_for_load_state("networkidle")
    page.close()
    assert sum(sizes.values()) <= 130_000, sizes


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_is_well(shop: Shop, open_page: OpenPage, address: str, theme: Literal["light", "dark"]) -> None:
    """No error, no violation, a heading that says where one is; as wide as its window, from a phone on."""
    page = open_page(address.format(**shop.ids), theme=theme)
    page.locator("h1").first.wait_for()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    for width in (1560, 1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        fits(page)
        if width != 1280:
            axe(page)


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_opens_behind_a_proxy(shop: Shop, behind: LiveServer, open_page: OpenPage, address: str) -> None:
    """Under a prefix, and again after a reload; nothing is asked beside the prefix."""
    page = open_page(address.format(**shop.ids), server=behind)
    page.locator("h1").first.wait_for()
    page.reload()
    page.locator("h1").first.wait_for()
    assert page.url.startswith(f"{behind.url}/")
