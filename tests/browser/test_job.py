"""The page of a job: why it is where it is, its way, what it carries, and what can be done with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import expect
from redis import Redis

from tests.browser.conftest import OpenPage, Shop
from tests.browser.live_server import LiveServer
from tests.browser.page_view import axe, fits
from tests.browser.stock import Store, store

expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def stock(redis_url: str, _sweeper: Redis) -> Iterator[Store]:
    """Return what puts jobs there on which nobody works."""
    with store(redis_url, _sweeper) as found:
        yield found


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_says_why_a_job_failed(shop: Shop, open_page: OpenPage, theme: Literal["light", "dark"]) -> None:
    """In a sentence and with its traceback; each attempt with its error; its fields with who wrote them; its log."""
    page = open_page(f"flows/shop/jobs/{shop.ids['failed']}", theme=theme)
    expect(page.locator(".explain")).to_contain_text("SupplierTimeout: no answer about customer 62")
    expect(page.locator(".failure")).to_contain_text("raise SupplierTimeout")
    attempts = page.get_by_role("region", name="Attempts")
    expect(page.locator(".attempts tbody tr:not(.because)")).to_have_count(3)
    expect(attempts).to_contain_text(re.compile(r"1 / 2.*failed, tried again.*2 / 2.*failed"))
    fields = page.get_by_role("region", name="Fields")
    expect(fields.get_by_role("row").filter(has_text="<b>urgent</b>")).to_contain_text("params")
    expect(page.get_by_role("log")).to_contain_text("the order is complete user_id=62")
    page.get_by_role("button", name="Show the facts").click()
    expect(page.locator(".facts-of")).to_contain_text("queue")
    page.get_by_role("button", name="JSON", exact=True).click()
    expect(page.locator("pre.json-of")).to_contain_text('"user_id": 62')
    page.get_by_role("button", name="Schema", exact=True).click()
    expect(page.get_by_role("heading", name="Params · Order")).to_be_visible()
    axe(page)


def test_shows_the_children_of_a_parent(shop: Shop, open_page: OpenPage) -> None:
    """Rolled up, each with a link, in the timeline as well; the sentence names for which it waits."""
    page = open_page(f"flows/shop/jobs/{shop.ids['parent']}")
    expect(page.locator(".explain")).to_contain_text(re.compile("It waits in 'shop-pack' for 1 of its 2 children"))
    expect(page.locator(".tree")).to_contain_text(re.compile(r"shop-pack1 of 2part1 of 2"))
    expect(page.locator(".wf .row")).to_have_count(6)
    page.locator(".explain li a").click()
    expect(page.locator(".jobhd .state")).to_have_text("processing")
    expect(page.locator(".jobhd .chip")).to_contain_text([f"child of {shop.ids['parent']}"])
    expect(page.get_by_role("button", name="Move…")).to_have_attribute("title", re.compile("Only a job that waits"))


def test_is_acted_on_where_it_can_be(stock: Store, open_page: OpenPage) -> None:
    """What cannot be done is off and says why; cancelled with a reason, retried, moved with another field, deleted."""
    [job] = stock.put("acted", 1)
    page = open_page(f"flows/stock/jobs/{job}", server=stock.server, expect=("422",))
    expect(page.locator(".explain")).to_contain_text("no process has workers of it")
    expect(page.get_by_role("button", name="Retry")).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("c")
    page.get_by_label("Why, for its record").fill("not wanted")
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.locator(".jobhd .state")).to_have_text("cancelled")
    expect(page.locator(".explain")).to_contain_text("not wanted")
    expect(page.locator(".taken")).to_contain_text(re.compile(r"localcancel: cancelled"))
    page.keyboard.press("r")
    expect(page.locator(".jobhd .state")).to_have_text("waiting")
    page.keyboard.press("m")
    dialog = page.get_by_role("dialog", name="Move this job")
    dialog.get_by_role("button", name="number").click()
    dialog.get_by_label("Other values of some of its fields").fill('{"number": "x"}')
    dialog.get_by_label("Params may be among them").check()
    axe(page)
    dialog.get_by_role("button", name="Move the job").click()
    expect(dialog.get_by_role("alert")).to_contain_text("number: it has to be of type integer")
    dialog.get_by_label("Other values of some of its fields").fill('{"number": 5}')
    dialog.get_by_role("button", name="Move the job").click()
    expect(page.locator(".crumb")).to_contain_text("stock-check")
    expect(page.get_by_role("region", name="Fields").get_by_role("row").filter(has_text="number")).to_contain_text("5")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete…").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Yes, delete it for good").click()
    expect(page.get_by_role("status").filter(has_text="This job is gone meanwhile")).to_be_visible()
    expect(page.get_by_role("button", name="Move…")).to_have_attribute("title", "This job is gone.")


def test_a_job_that_is_not_there(stock: Store, open_page: OpenPage) -> None:
    """It says so; where its id is of another flow, it leads there."""
    [job] = stock.put("there", 1)
    gone = "01900000-0000-7000-8000-000000000000"
    page = open_page(f"flows/stock/jobs/{gone}", server=stock.server)
    expect(page.get_by_role("heading", name="There is no such job.")).to_be_visible()
    page.goto(f"{stock.server.url}/flows/invoices/jobs/{job}")
    page.get_by_role("link", name="Open it").click()
    expect(page.locator("h1")).to_have_text(job)
    page.set_viewport_size({"width": 390, "height": 900})
    fits(page)


def test_a_viewer_sees_who_may(shop: Shop, closed: LiveServer, tokens: dict[str, str], open_page: OpenPage) -> None:
    """What acts is off, and says why; who did what is for operators."""
    page = open_page(f"flows/shop/jobs/{shop.ids['failed2']}", server=closed, token=tokens["vera"])
    expect(page.get_by_role("button", name="Retry")).to_have_attribute("title", re.compile("vera is viewer"))
    expect(page.get_by_text("Operators see who did what.")).to_be_visible()
