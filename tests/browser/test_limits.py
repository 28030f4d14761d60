"""Limits and groups: who has set what, changes that say what they do before they are made, shares and holds."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, Shop
from tests.browser.page_view import axe


@pytest.fixture(autouse=True)
def _as_declared(shop: Shop) -> None:
    """Take back what other tests have set: all of them look at one shop."""
    shop.act("queues.set_limit", queue="shop-ship", limiter="shop-ship:1")


def test_a_limit_says_how_much_is_used_and_who_has_set_it(open_page: OpenPage) -> None:
    """Live and declared differ: both are shown."""
    page = open_page("limits?queue=mails-send")
    card = page.get_by_role("region", name="mails-send · starts per user_id")
    expect(card).to_contain_text("declared 100")
    expect(card).to_contain_text("lowered from 100 to 50 by bo at")
    page = open_page("flows/shop")
    page.get_by_role("region", name="queue shop-ship").locator("a.chip").click()
    expect(page).to_have_url(re.compile(r"limits\?flow=shop&queue=shop-ship"))
    expect(page.get_by_role("region", name="shop-ship · starts")).to_contain_text("of 30 tokens used")


def test_a_change_says_what_it_does_before_it_is_made(shop: Shop, open_page: OpenPage) -> None:
    """It takes whole numbers and times; it can be undone."""
    page = open_page("limits?queue=shop-ship")
    card = page.get_by_role("region", name="shop-ship · starts")
    card.get_by_role("button", name="Change…").click()
    form = card.get_by_role("form", name="Change live")
    number, interval = form.get_by_label("How many"), form.get_by_label("In which time")
    expect(number).to_be_focused()
    number.fill("none")
    expect(form).to_contain_text("Give a whole number from 1 to 1,000,000.")
    number.fill("10")
    interval.fill("30 s")
    expect(form.get_by_role("status")).to_contain_text("At 10 in 30s")
    expect(form.get_by_role("status")).to_contain_text("It holds from the next claim on; nobody is stopped.")
    axe(page)
    number.press("Enter")
    expect(form).to_be_hidden()
    expect(card).to_contain_text("lowered from 30 to 10 by")
    expect(page.get_by_text("shop-ship · starts: now 10 in 30s")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(card).to_contain_text("of 30 tokens used")
    [limit] = [one for one in shop.ask("queues.limits", queue="shop-ship")["limits"] if one["kind"] == "limiter"]
    assert (limit["live"], limit["interval"]) == (30, 60)


def test_limits_of_all_flows_or_of_the_one_that_was_looked_at(open_page: OpenPage) -> None:
    """The address says which; groups are shown for queues of all flows too, and each with its own field."""
    page = open_page("limits")
    expect(page.get_by_role("button", name="Choose a flow")).to_have_text("All flows")
    expect(page.get_by_role("region", name="queue mails-send").get_by_role("table")).to_be_visible()
    expect(page.get_by_role("main")).not_to_contain_text("of mails")
    page.get_by_role("main").get_by_role("link", name="shop-ship", exact=True).click()
    page.get_by_role("navigation").get_by_role("link", name=re.compile("^shop")).click()
    page.get_by_role("navigation").get_by_role("link", name=re.compile("^Limits")).click()
    expect(page).to_have_url(re.compile(r"limits\?flow=shop$"))
    page.get_by_role("link", name="flows", exact=True).click()
    expect(page.get_by_role("button", name="Choose a flow")).to_have_text("All flows")


def test_a_group_gets_a_share_and_is_held_and_freed(shop: Shop, open_page: OpenPage) -> None:
    """Each group is a row; a hold asks for how long."""
    page = open_page("limits?queue=mails-send")
    row = page.get_by_role("row", name=re.compile("user_id 2"))
    share = row.get_by_label("share of user_id 2")
    share.fill("4")
    share.press("Enter")
    expect(page.get_by_text("The share of user_id 2 is 4")).to_be_visible()
    row.get_by_role("button", name="Hold user_id 2").click()
    dialog = page.get_by_role("dialog", name="Hold user_id 2")
    dialog.get_by_role("button", name="1 h").click()
    dialog.get_by_role("button", name="Hold", exact=True).click()
    expect(row).to_contain_text("held")
    expect(page.get_by_text(re.compile("user_id 2 is held for 59 m"))).to_be_visible()
    row.get_by_role("button", name="Free now").click()
    expect(row.get_by_role("button", name="Hold user_id 2")).to_be_visible()
    groups = {one["group"]: one for one in shop.ask("queues.groups", queue="mails-send")["groups"]}
    assert (groups[2]["share"], groups[2]["held"]) == (4, False)
