"""The board: what is wrong and what mends it, numbers that lead to their lists, actions that ask, charts as numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from playwright.sync_api import Page, expect
from redis import Redis

from flows.model.fleet.histogram import base36, write_histogram
from flows.model.fleet.statistics import TOTALS
from flows.store.keys.jobs import JobKeys
from tests.browser.conftest import OpenPage, Shop
from tests.browser.live_server import LiveServer
from tests.browser.page_view import axe


def _log_in(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")
    page.locator(".rail").wait_for()


def test_the_overview_says_of_each_flow_how_it_stands(open_page: OpenPage) -> None:
    """All that its board says is wrong, the most urgent first; a card leads to the board."""
    page = open_page()
    expect(page.get_by_role("region", name="Flow reports")).to_contain_text("Nobody works on reports-write")
    expect(page.get_by_role("region", name="Flow mails")).to_contain_text("mails-send is paused.")
    page.get_by_role("main").get_by_role("link", name="shop", exact=True).click()
    expect(page).to_have_url(re.compile("flows/shop$"))
    expect(page.get_by_role("region", name="queue shop-check")).to_be_visible()


def test_the_rail_says_which_flows_stand_still(open_page: OpenPage) -> None:
    """One that nobody serves, and one that is paused; the first page is of all flows."""
    page = open_page()
    rail = page.get_by_role("navigation")
    expect(rail.get_by_role("link", name=re.compile("^reports"))).to_contain_text("nobody works on it")
    expect(rail.get_by_role("link", name=re.compile("^mails"))).to_contain_text("paused")
    expect(page.get_by_role("button", name="Choose a flow")).to_have_text("All flows")


def test_the_board_says_what_is_wrong_and_who_did_it(open_page: OpenPage) -> None:
    """A queue that nobody serves; one that somebody has paused, and why."""
    page = open_page("flows/reports")
    wrong = page.get_by_role("region", name="What is wrong")
    expect(wrong).to_contain_text("Nobody works on reports-write. 1 job is there")
    page = open_page("flows/mails")
    wrong = page.get_by_role("region", name="What is wrong")
    expect(wrong).to_contain_text("mails-send is paused. By bo since")
    expect(wrong).to_contain_text("“the provider is down”")
    expect(wrong.get_by_role("button", name="Resume")).to_be_enabled()


def test_queues_stand_in_order_of_travel_and_numbers_lead_to_their_lists(shop: Shop, open_page: OpenPage) -> None:
    """Children inside of their parent; a row is a job."""
    page = open_page("flows/shop")
    price = page.get_by_role("region", name="queue shop-price")
    price.wait_for()
    names = page.locator("main section.q").evaluate_all("found => found.map(one => one.ariaLabel)")
    queues = ["shop-check", "shop-price", "shop-pack", "shop-pack:part", "shop-ship"]
    assert names == [f"queue {name}" for name in queues]
    expect(price.get_by_role("link", name=re.compile("2 failed"))).to_have_attribute(
        "href", re.compile(r"jobs\?q=flow%3Ashop\+queue%3Ashop-price\+state%3Afailed")
    )
    ended = price.locator(".lane", has_text="Ended last").locator("a.jobrow").first
    expect(ended).to_contain_text("SupplierTimeout · attempt 2")
    ended.click()
    expect(page).to_have_url(re.compile(f"flows/shop/jobs/({shop.ids['failed']}|{shop.ids['failed2']})"))


def test_a_pause_asks_first_and_is_seen_at_once(shop: Shop, open_page: OpenPage) -> None:
    """With the note of who paused; the same button lets it go on."""
    page = open_page("flows/shop")
    check = page.get_by_role("region", name="queue shop-check")
    check.get_by_role("button", name="Pause shop-check").click()
    dialog = page.get_by_role("dialog", name="Pause shop-check")
    axe(page)
    dialog.get_by_role("textbox").fill("for a look")
    dialog.get_by_role("button", name="1 h").click()
    dialog.get_by_role("button", name="Pause", exact=True).click()
    expect(check.get_by_text("paused until")).to_be_visible()
    expect(page.get_by_role("region", name="What is wrong")).to_contain_text("“for a look”")
    [queue] = shop.ask("queues.show", queue="shop-check")["queues"]
    assert queue["paused"]
    check.get_by_role("button", name="Resume shop-check").click()
    expect(check.get_by_text("paused until")).to_be_hidden()


def test_failed_jobs_are_retried_after_a_preview_and_can_be_left(shop: Shop, open_page: OpenPage) -> None:
    """The menu works by keyboard; what was begun can be undone for some seconds."""
    page = open_page("flows/shop")
    page.get_by_role("button", name="More for shop-price").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("r")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Retry what has failed in shop-price")
    expect(dialog).to_contain_text("2 jobs that have failed by now")
    dialog.get_by_role("button", name="Retry 2").click()
    expect(page.get_by_text("Retrying 2 failed jobs of shop-price")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Nothing was retried")).to_be_visible()
    assert shop.ask("jobs.show", id=shop.ids["failed"])["state"] == "failed"


def test_a_viewer_is_told_why_nothing_can_be_pressed(
    closed: LiveServer, tokens: dict[str, str], open_page: OpenPage
) -> None:
    """Buttons stay in their places."""
    page = open_page("flows/shop", server=closed, expect=("401",))
    _log_in(page, tokens["vera"])
    pause = page.get_by_role("button", name="Pause shop-check")
    expect(pause).to_have_attribute("aria-disabled", "true")
    expect(pause).to_have_attribute("title", "vera is viewer: an operator may do this")
    pause.click(force=True)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_charts_are_numbers_too_and_the_window_stands_in_the_address(shop: Shop, open_page: OpenPage) -> None:
    """A history of half an hour: lines, a sentence that tells them, and a table."""
    minute = int(datetime.now(UTC).timestamp()) // 60
    steps = range(minute - 30, minute)
    with Redis.from_url(shop.url) as redis:
        key = JobKeys(shop.namespace).stats("reports-write")
        redis.hset(key, mapping={f"m{at}": _sample(done=10 * (at - minute + 31)) for at in steps})
    page = open_page("flows/reports?since=15m")
    chart = page.get_by_role("img", name=re.compile("jobs that ended per minute, last 15 minutes: 140 done"))
    expect(chart.locator("canvas")).to_be_visible()
    page.get_by_text("As a table").first.click()
    expect(page.get_by_role("row").filter(has_text="10").first).to_be_visible()
    page.get_by_role("button", name="1 h", exact=True).click()
    expect(page).to_have_url(re.compile("flows/reports$"))
    expect(page.get_by_role("img", name=re.compile("ended per minute, last hour: 300 done"))).to_be_visible()
    axe(page)


def _sample(done: int) -> str:
    """Return a minute in which ten jobs began and ended within 10 ms, as heartbeats write it."""
    totals = ",".join(base36(done) if verb == "done" else "" for verb in TOTALS)
    times = write_histogram([0, 0, 0, 0, 0, 10])
    return f"{totals}|1,,,|{times}|{times}"
