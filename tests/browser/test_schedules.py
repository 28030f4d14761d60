"""The page of schedules: when, in words; what became of slots, and why; what a back-fill would do; a day."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect
from redis import Redis

from flows.server import Tokens, create_app
from tests.browser.conftest import OpenPage
from tests.browser.live_server import LiveServer, live_server
from tests.browser.orders import leave
from tests.browser.page_view import axe, fits

Served = tuple[LiveServer, LiveServer]


@pytest.fixture(scope="module")
def served(redis_url: str, tokens: dict[str, str], _sweeper: Redis) -> Iterator[Served]:
    """Leave schedules, and serve them to everybody and to those who have a token."""
    namespace = f"t{secrets.token_hex(6)}:"
    with ThreadPoolExecutor() as pool:  # this thread has the loop of the browser
        pool.submit(asyncio.run, leave(redis_url, namespace)).result()
    closed = create_app(redis_url, namespace, auth=Tokens(tokens["file"]))
    with live_server(create_app(redis_url, namespace)) as server, live_server(closed) as guarded:
        yield server, guarded
    _sweeper.unlink(*_sweeper.scan_iter(f"{namespace}*", count=1000))


def row(page: Page, schedule: str) -> Locator:
    """Return the row of a schedule."""
    return page.locator(".schedtable tbody tr").filter(has=page.get_by_role("link", name=schedule, exact=True))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_schedules_say_when_and_what_became_of_slots(
    served: Served, open_page: OpenPage, theme: Literal["light", "dark"]
) -> None:
    """Words above the expression, with its zone; a time that does not exist; missed slots, and what the rule did."""
    page = open_page("schedules?id=quarter", server=served[0], theme=theme)
    expect(row(page, "quarter")).to_contain_text("At 02:30, on day 28 of the month, in March and June")
    expect(row(page, "quarter")).to_contain_text("28 March has no 02:30, so 03:00")
    expect(row(page, "reminders")).to_contain_text("Every 15 minutes, between 08:00 and 19:59, Monday to Friday")
    expect(row(page, "reminders")).to_contain_text(re.compile(r"\*/15 8-19 \* \* 1-5 · Berlin"))
    expect(row(page, "often")).to_contain_text(re.compile(r"takes .* · paused .*: it is enough · \d missed"))
    alarm = page.get_by_role("status").filter(has_text="often missed")
    expect(alarm).to_contain_text(
        "no process with workers was there to fire it. Its rule is to make up the last one only"
    )
    strip = row(page, "often").get_by_role("img")
    expect(strip).to_have_attribute("aria-label", re.compile(r"last \d+ slots: [1-9]\d* done, 0 failed, [1-9] missed"))
    assert strip.locator(".missed").count() >= 2
    expect(page.locator(".preview")).to_contain_text("(02:30 does not exist)")
    expect(page.locator(".day")).to_contain_text("often")
    for width in (1560, 390):
        page.set_viewport_size({"width": width, "height": 900})
        fits(page)
        axe(page)


def test_a_back_fill_shows_what_would_run_and_runs_it(served: Served, open_page: OpenPage) -> None:
    """The slots that were missed are offered; once they have runs, nothing is left to do."""
    page = open_page("schedules", server=served[0])
    page.get_by_role("status").filter(has_text="filled missed").get_by_role(
        "button", name=re.compile("Back-fill")
    ).click()
    panel = page.locator(".preview")
    expect(panel).to_contain_text(re.compile(r"\d+ slots: \d+ have no run and would run now"))
    expect(panel.locator(".slotlist")).to_contain_text("would run · missed")
    panel.get_by_role("button", name=re.compile(r"Back-fill \d+ slots")).click()
    expect(panel).to_contain_text("none would run")
    expect(panel.get_by_role("button", name="Back-fill", exact=True)).to_be_disabled()
    panel.get_by_label("from").fill("yesterday")
    expect(panel.get_by_role("alert")).to_contain_text("Give two times")


def test_a_schedule_is_made_edited_paused_and_deleted(served: Served, open_page: OpenPage) -> None:
    """What the server refuses is said in the dialog; what code declares stays."""
    page = open_page("schedules", server=served[0], expect=("status 422", "status of 422"))
    page.get_by_role("button", name="New schedule").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("mine")
    dialog.get_by_label("Workflow").select_option("report")
    dialog.get_by_label("Cron expression").fill("0 25 * * *")
    dialog.get_by_role("button", name="Make the schedule").click()
    expect(dialog.get_by_role("alert")).to_contain_text("hour")
    dialog.get_by_label("Cron expression").fill("0 9 * * MON")
    expect(dialog).to_contain_text("At 09:00, on Monday")
    dialog.get_by_label("Time zone").select_option("Asia/Tokyo")
    axe(page)
    dialog.get_by_role("button", name="Make the schedule").click()
    expect(row(page, "mine")).to_contain_text("0 9 * * MON · Tokyo")
    row(page, "mine").get_by_role("button", name="Further actions on mine").click()
    page.get_by_role("menuitem", name="Edit…").click()
    dialog.get_by_role("button", name="by an interval").click()
    dialog.get_by_label("Interval").fill("12h")
    dialog.get_by_role("button", name="Save").click()
    expect(row(page, "mine")).to_contain_text("Every 12 hours")
    row(page, "mine").get_by_role("button", name="Pause mine").click()
    expect(row(page, "mine")).to_contain_text("paused")
    page.get_by_role("button", name="Undo").click()
    expect(row(page, "mine")).to_contain_text("active")
    row(page, "mine").get_by_role("button", name="Further actions on mine").click()
    page.get_by_role("menuitem", name="Delete…").click()
    dialog.get_by_role("button", name="Delete schedule").click()
    expect(row(page, "mine")).to_have_count(0)
    row(page, "quarter").get_by_role("button", name="Further actions on quarter").click()
    item = page.get_by_role("menuitem", name="Delete…")
    expect(item).to_be_disabled()
    assert "orders declares it" in (item.get_attribute("title") or "")


def test_a_run_now_is_asked_for_once(served: Served, open_page: OpenPage) -> None:
    """A double click starts nothing, and the page stays; the run says which schedule has started it."""
    page = open_page("schedules?id=reminders", server=served[0])
    row(page, "reminders").get_by_role("button", name="Run reminders now").dblclick()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("A run of report starts at once")
    axe(page)
    dialog.get_by_role("button", name="Start the run").dblclick()
    page.get_by_role("status").get_by_role("link", name="Open it").click()
    expect(page.locator(".jobhd .l2")).to_contain_text("schedule reminders")
    started = served[0].ask("audit.list", doing="schedules.trigger")["actions"]
    assert [one["word"] for one in started if one["word"] != "asked"] == ["triggered"]


def test_a_viewer_looks_alone(served: Served, tokens: dict[str, str], open_page: OpenPage) -> None:
    """Each action stays in its place, and says why it is off."""
    page = open_page("schedules?id=reminders", server=served[1], token=tokens["vera"])
    for name in ("New schedule", "Run now", "Pause", "Pause reminders"):
        button = page.get_by_role("button", name=name, exact=True)
        expect(button).to_be_disabled()
        assert "vera is viewer" in (button.get_attribute("title") or "")
