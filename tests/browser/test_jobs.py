"""The list of jobs: rows that never jump, what is selected, the preview before and the undo after, and long lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import expect
from redis import Redis

from tests.browser.conftest import OpenPage
from tests.browser.live_server import LiveServer
from tests.browser.page_view import axe, fits
from tests.browser.stock import Store, store

expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def stock(redis_url: str, _sweeper: Redis) -> Iterator[Store]:
    """Return what puts jobs there on which nobody works."""
    with store(redis_url, _sweeper) as found:
        yield found


def counts(stock: Store, batch: str) -> dict[str, int]:
    """Return how many jobs of a batch are in which state."""
    found = stock.server.ask("jobs.count", query=f"flow:stock batch:{batch}")
    return {one["state"]: one["count"] for one in found["states"] if one["count"]}


def test_rows_stay_where_they_are(stock: Store, open_page: OpenPage) -> None:
    """Later ones wait behind a line; one that no longer matches stays, cannot be selected, and says why."""
    first, second, gone = stock.put("stays", 3)
    page = open_page("jobs?q=flow:stock+batch:stays+state:waiting", server=stock.server)
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(3)
    stock.put("stays", 2)
    expect(page.get_by_role("button", name="2 further match · show them")).to_be_visible()
    expect(rows).to_have_count(3)
    stock.server.act("jobs.cancel", id=first)
    stock.server.act("jobs.delete", id=gone)
    expect(rows.nth(0)).to_contain_text("cancelled: no match now")
    expect(rows.nth(2)).to_contain_text("deleted: no match now")
    expect(rows.nth(0).get_by_role("checkbox")).to_be_disabled()
    page.keyboard.press("a")
    expect(page.get_by_role("toolbar")).to_contain_text("1 selected")
    page.get_by_role("button", name="further match").click()
    expect(rows).to_have_count(3)
    expect(rows.nth(0).get_by_role("link")).to_have_attribute("href", f"flows/stock/jobs/{second}")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_that_match_are_shown_before_and_undone(
    stock: Store, open_page: OpenPage, theme: Literal["light", "dark"]
) -> None:
    """All are said in words, with the way back; the preview counts them; what is undone has touched none."""
    batch = f"all-{theme}"
    stock.put(batch, 60)
    page = open_page(f"jobs?q=flow:stock+batch:{batch}", server=stock.server, theme=theme)
    page.get_by_role("checkbox", name="Select the rows shown").check()
    bar = page.get_by_role("toolbar")
    expect(bar).to_contain_text("50 selected")
    bar.get_by_role("button", name="All 60 that match").click()
    bar.get_by_role("button", name="Only these 50").click()
    page.keyboard.press("Shift+A")
    expect(bar).to_contain_text(re.compile(r"All 60 that match\s*are selected"))
    bar.get_by_role("button", name="Cancel…").click()
    preview = page.get_by_role("region", name="Preview: cancel 60 jobs")
    expect(preview).to_contain_text(re.compile(r"60 jobs.*counted exactly.*stock-take60.*Their children are cancelled"))
    axe(page)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        fits(page)
    preview.get_by_role("button", name="Cancel 60 jobs").click()
    expect(page.locator("tbody tr").nth(0)).to_contain_text(re.compile(r"cancelled in \d s"))
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone: nothing was touched")).to_be_visible()
    assert counts(stock, batch) == {"waiting": 60}


def test_an_action_goes_on_by_its_address(stock: Store, open_page: OpenPage) -> None:
    """The palette's address opens the preview of all; after the time to undo it is done, also for who comes later."""
    stock.put("goes", 55)
    page = open_page("jobs?q=flow:stock+batch:goes+state:waiting&act=cancel", server=stock.server)
    page.get_by_role("region", name="Preview: cancel 55 jobs").get_by_label("Why, for their records").fill("sold")
    page.get_by_role("button", name="Cancel 55 jobs").click()
    expect(page).to_have_url(re.compile(r"bulk="))
    page.reload()
    expect(page.get_by_text("Done: 55 cancelled.")).to_be_visible()
    assert counts(stock, "goes") == {"cancelled": 55}
    page.get_by_role("button", name="Hide").click()
    expect(page).not_to_have_url(re.compile(r"bulk="))


def test_chosen_jobs_are_acted_on_one_by_one(stock: Store, open_page: OpenPage) -> None:
    """By keys alone: `j`, `x`, `m`; what cannot be done to any of them says so."""
    stock.put("chosen", 3)
    page = open_page("jobs?q=flow:stock+batch:chosen", server=stock.server)
    page.locator("tbody tr").nth(2).wait_for()
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    bar = page.get_by_role("toolbar")
    expect(bar).to_contain_text("2 selected")
    expect(bar.get_by_role("button", name="Retry…")).to_have_attribute("title", re.compile("No selected job"))
    page.keyboard.press("m")
    page.get_by_label("To which queue").select_option("stock-check")
    page.get_by_role("button", name="Move 2 jobs").click()
    expect(page.get_by_text("2 jobs moved")).to_be_visible()
    found = stock.server.ask("jobs.find", query="flow:stock batch:chosen queue:stock-check")
    assert found["total"] == 2


def test_deleting_asks_twice(stock: Store, open_page: OpenPage) -> None:
    """No key deletes; the first press of the button asks whether it is meant."""
    stock.put("doomed", 2)
    page = open_page("jobs?q=flow:stock+batch:doomed", server=stock.server)
    page.get_by_role("checkbox", name="Select the rows shown").check()
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Delete 2 jobs").click()
    page.get_by_role("button", name="Yes, delete 2 jobs for good").click()
    expect(page.get_by_text("2 jobs deleted")).to_be_visible()
    assert counts(stock, "doomed") == {}


def test_a_long_list_is_a_window(stock: Store, open_page: OpenPage) -> None:
    """With places, a jump, and a bar that says where it is; the address is the window."""
    stock.put("long", 1200)
    page = open_page("jobs?q=flow:stock+queue:stock-take+state:waiting", server=stock.server)
    first = page.locator("tbody tr").nth(0)
    expect(first.locator(".c-place")).to_have_text("1")
    expect(page.get_by_text("The list shows a window")).to_be_visible()
    page.get_by_label("jump to").fill("1,001")
    page.keyboard.press("Enter")
    expect(first.locator(".c-place")).to_have_text("1,001")
    expect(page).to_have_url(re.compile(r"at=1000"))
    expect(page.locator("tbody tr")).to_have_count(20)
    page.get_by_role("slider", name="Place in the list").press("Home")
    expect(first.locator(".c-place")).to_have_text("1")
    page.get_by_role("button", name="Last").click()
    expect(first.locator(".c-place")).to_have_text(re.compile(r"1,\d\d\d"))
    axe(page)
    page.set_viewport_size({"width": 390, "height": 900})
    fits(page)


def test_chips_lead_to_a_state_and_back(stock: Store, open_page: OpenPage) -> None:
    """Each has its count; the one that is on is left by itself."""
    ids = stock.put("chips", 4)
    stock.server.act("jobs.cancel", id=ids[0])
    page = open_page("jobs?q=flow:stock+batch:chips+state:waiting", server=stock.server)
    chips = page.get_by_role("navigation", name="States")
    expect(chips.get_by_role("link", name="waiting 3")).to_have_attribute("aria-current", "page")
    chips.get_by_role("link", name="cancelled 1").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    chips.get_by_role("link", name="cancelled 1").click()
    expect(page.locator("tbody tr")).to_have_count(4)
    expect(page).to_have_url(re.compile(r"q=flow%3Astock\+batch%3Achips$"))


def test_a_search_without_a_job_offers_less(stock: Store, open_page: OpenPage) -> None:
    """The same with a word less, with counts; and what cannot be read is told in a sentence."""
    stock.put("less", 2)
    page = open_page("jobs?q=flow:stock+batch:less+state:failed", server=stock.server)
    page.get_by_role("link", name="without state:failed 2").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.goto(f"{stock.server.url}/jobs?q=flow:stock+shelf:7")
    expect(page.get_by_role("status").filter(has_text="no lookup attribute 'shelf'")).to_be_visible()


def test_a_viewer_looks(closed: LiveServer, tokens: dict[str, str], open_page: OpenPage) -> None:
    """What acts stays in its place, and says why it is off."""
    page = open_page("jobs?q=flow:shop+state:failed", server=closed, token=tokens["vera"])
    page.get_by_role("checkbox", name="Select the rows shown").check()
    button = page.get_by_role("toolbar").get_by_role("button", name="Retry…")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_have_attribute("title", re.compile("viewer"))


def test_enter_answers_the_preview(stock: Store, open_page: OpenPage) -> None:
    """`j x c Enter` does what was asked; Escape leaves it."""
    stock.put("enter", 2)
    page = open_page("jobs?q=flow:stock+batch:enter", server=stock.server)
    page.locator("tbody tr").nth(1).wait_for()
    for key in ("j", "x", "c"):
        page.keyboard.press(key)
    answer = page.get_by_role("button", name="Cancel 1 job")
    expect(answer).to_be_focused()
    page.keyboard.press("Escape")
    expect(answer).to_have_count(0)
    page.keyboard.press("c")
    expect(answer).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 job cancelled")).to_be_visible()
    assert counts(stock, "enter") == {"cancelled": 1, "waiting": 1}


def test_a_row_opens_its_job(stock: Store, open_page: OpenPage) -> None:
    """Anywhere but at a control; and the flow that was chosen before stands in the address."""
    [job] = stock.put("opens", 1)
    page = open_page("jobs?q=flow:stock", server=stock.server)
    page.locator("tbody tr").nth(0).wait_for()
    page.goto(f"{stock.server.url}/jobs?q=batch:opens")
    page.wait_for_url("**/jobs?q=batch%3Aopens&flow=stock")
    page.get_by_role("checkbox", name="Select 0").check()
    page.locator("tbody tr").get_by_text("stock-take").click()
    expect(page.locator("h1")).to_have_text(job)


def test_an_unknown_word_is_corrected(stock: Store, open_page: OpenPage) -> None:
    """By a link to what was meant, with how many it finds."""
    stock.put("meant", 2)
    page = open_page("jobs?q=flow:stock+bach:meant", server=stock.server)
    page.get_by_role("link", name="flow:stock batch:meant 2").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.goto(f"{stock.server.url}/jobs?q=flow:stock+meant")
    expect(page.get_by_text("'meant' has no value: write its name before it")).to_be_visible()
    expect(page.get_by_role("link", name="flow:stock batch:meant 2")).to_be_visible()
