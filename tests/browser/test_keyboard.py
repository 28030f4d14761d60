"""Keys, the palette, the help and the search: the dashboard without a mouse."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage, Shop
from tests.browser.page_view import axe, fits


def search(page: Page) -> str:
    """Return the words in the search."""
    return " ".join(page.locator(".search .tok").all_text_contents())


def palette_of(page: Page) -> Locator:
    """Open the palette."""
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="What do you look for?").wait_for()
    return page.get_by_role("dialog", name="Command palette")


def test_two_keys_go_to_each_page(open_page: OpenPage) -> None:
    """`g`, then its letter; not while a word is being written."""
    page = open_page("workers")
    places = {"j": "jobs", "r": "runs", "t": "trees", "s": "schedules", "w": "workers", "l": "limits"}
    for key, path in places.items():
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page).to_have_url(re.compile(rf"/{path}$"))
    page.keyboard.press("/")
    page.keyboard.type("gj")
    expect(page.get_by_role("combobox")).to_have_value("gj")
    assert page.url.endswith("/limits")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_help_has_what_the_page_has(open_page: OpenPage, theme: Literal["light", "dark"]) -> None:
    """It opens by `?`, is well, closes by Escape; nothing in it deletes."""
    page = open_page("server", theme=theme)
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Keyboard")
    expect(help_.get_by_text("Schedules")).to_be_visible()
    assert "delete" not in help_.inner_text().lower()
    axe(page)
    page.set_viewport_size({"width": 390, "height": 800})
    fits(page)
    axe(page)
    page.keyboard.press("Escape")
    expect(help_).to_be_hidden()


def test_single_keys_can_be_turned_off(open_page: OpenPage) -> None:
    """Then only the palette's is left, also after a reload (WCAG 2.1.4)."""
    page = open_page("server")
    page.keyboard.press("?")
    page.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.locator("h1").first.wait_for()
    page.keyboard.press("g")
    page.keyboard.press("j")
    page.keyboard.press("?")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Command palette")).to_be_visible()
    expect(page.get_by_role("dialog", name="Keyboard")).to_have_count(0)
    assert page.url.endswith("/server")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_palette_finds_jobs_by_value(open_page: OpenPage, theme: Literal["light", "dark"]) -> None:
    """What they carry, under each name, with how many there are; and what can be done with all of them."""
    page = open_page("server?flow=shop", theme=theme)
    palette = palette_of(page)
    palette.get_by_role("option", name="Workers").wait_for()
    axe(page)
    page.keyboard.type("retry 62")
    expect(palette.get_by_role("option", name=re.compile("user_id 62 in shop"))).to_contain_text("failed")
    many = palette.get_by_role("option", name=re.compile("Retry failed jobs of user_id 62"))
    expect(many).to_contain_text("preview first")
    axe(page)
    page.set_viewport_size({"width": 390, "height": 800})
    fits(page)
    axe(page)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"jobs\?q=flow%3Ashop\+user_id%3A62\+state%3Afailed"))


def test_the_palette_finds_trees_by_name(shop: Shop, open_page: OpenPage) -> None:
    """How each stands is said beside it; the rail says how many there are."""
    page = open_page("server?flow=shop")
    expect(page.locator(".rail a", has_text="Trees").locator(".n")).to_have_text("1")
    palette = palette_of(page)
    page.keyboard.type("acme")
    expect(palette.get_by_role("option", name=re.compile("acme.com import-site of imports"))).to_contain_text("idle")
    axe(page)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"trees/{shop.ids['tree']}$"))


def test_the_palette_goes_by_an_id(shop: Shop, open_page: OpenPage) -> None:
    """A job's, a run's, or a tree's, of which the server is asked last."""
    page = open_page("flows/mails", expect=("status 404: .*/runs/show", "status of 404"))
    for name, path in {"failed": "flows/shop/jobs/", "run": "runs/", "tree": "trees/"}.items():
        palette_of(page)
        page.keyboard.type(shop.ids[name])
        page.get_by_role("option", name=re.compile("of this id")).wait_for()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(f"{path}{shop.ids[name]}$"))


def test_the_search_completes_names_and_values(open_page: OpenPage) -> None:
    """A name by its first letters, a state by its own, a value by those that jobs carry; Enter then searches."""
    page = open_page("server?flow=shop")
    page.keyboard.press("/")
    page.keyboard.type("us")
    page.get_by_role("option", name=re.compile("^user_id:")).wait_for()
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox")).to_have_value("user_id:")
    page.get_by_role("option", name=re.compile(r"^user_id:\d+")).first.wait_for()
    page.keyboard.type("62 state:fa")
    axe(page)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"jobs\?q=flow%3Ashop\+user_id%3A62\+state%3Afailed$"))
    assert search(page) == "flow:shop user_id:62 state:failed"
    page.keyboard.press("Backspace")
    expect(page.get_by_role("combobox")).to_have_value("state:failed")
    assert search(page) == "flow:shop user_id:62"


def test_the_search_goes_to_a_job_by_its_id(shop: Shop, open_page: OpenPage) -> None:
    """Also where another flow is looked at."""
    page = open_page("flows/mails")
    page.keyboard.press("/")
    page.keyboard.type(shop.ids["failed"])
    page.get_by_role("link", name="shop").wait_for()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"flows/shop/jobs/{shop.ids['failed']}$"))


def test_a_key_changes_the_theme(open_page: OpenPage) -> None:
    """And it stays."""
    page = open_page("server", theme="light")
    page.keyboard.press("Shift+D")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_page_stands_still_by_a_key(open_page: OpenPage) -> None:
    """And goes on by the same."""
    page = open_page("server")
    page.get_by_role("button", name="Live").wait_for()
    page.keyboard.press(".")
    page.get_by_role("button", name="Paused").wait_for()
    page.keyboard.press(".")
    page.get_by_role("button", name="Live").wait_for()


def test_rows_are_gone_through_by_keys(open_page: OpenPage) -> None:
    """Also on a page that has no keys for them itself: the focus goes down and up, and Enter presses."""
    page = open_page("workers")
    page.locator("main tbody tr").nth(1).wait_for()
    focused = "[...document.querySelectorAll('main tbody tr')].findIndex(row => row.contains(document.activeElement))"
    assert page.evaluate(focused) == -1
    page.keyboard.press("j")
    first = page.evaluate(focused)
    page.keyboard.press("j")
    assert page.evaluate(focused) > first
    page.keyboard.press("k")
    assert page.evaluate(focused) == first >= 0


def test_a_queue_of_the_board_is_paused_by_keys(open_page: OpenPage) -> None:
    """The key presses the button of the queue that has the focus; the palette has it by its name."""
    page = open_page("flows/shop")
    page.locator(".q").first.wait_for()
    page.keyboard.press("p")
    page.get_by_text("Choose a row first").wait_for()
    page.locator(".q").first.get_by_role("link").first.focus()
    page.keyboard.press("p")
    expect(page.get_by_role("dialog")).to_contain_text("shop-")
    page.keyboard.press("Escape")
    palette_of(page)
    page.keyboard.type("pause")
    expect(page.get_by_role("option", name="Pause shop-price")).to_be_visible()


def test_the_range_of_the_board_by_keys(open_page: OpenPage) -> None:
    """It is in the address."""
    page = open_page("flows/shop")
    page.get_by_role("button", name="1 h", exact=True).wait_for()
    page.keyboard.press("]")
    expect(page).to_have_url(re.compile("since=6h"))
    page.keyboard.press("[")
    page.keyboard.press("[")
    expect(page).to_have_url(re.compile("since=15m"))
