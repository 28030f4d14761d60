"""Where nobody is known, where nothing is, and where a page has a fault."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.live_server import LiveServer
from tests.browser.page_view import axe, fits


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_logs_in_by_keyboard_and_stays_where_it_is(
    open_page: OpenPage, closed: LiveServer, tokens: dict[str, str], theme: Literal["light", "dark"]
) -> None:
    """A wrong token is refused in words; the right one shows the page of the address."""
    page = open_page("jobs?q=flow:shop", server=closed, theme=theme, width=390, expect=("401",))
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    axe(page)
    fits(page)
    field = page.get_by_label("Your token")
    expect(field).to_be_focused()
    page.keyboard.type("not one of them")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("this token is not known, or has ended")
    expect(field).to_have_attribute("aria-invalid", "true")
    axe(page)
    field.fill(tokens["ana"])
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Jobs")
    assert page.url.endswith("jobs?q=flow:shop")


def test_a_login_that_ends_is_said(open_page: OpenPage, closed: LiveServer, tokens: dict[str, str]) -> None:
    """The form comes in place of the page, and the page again after it."""
    page = open_page(f"server#token={tokens['ana']}", server=closed, expect=("401", "WebSocket", "4401"))
    expect(page.locator("h1")).to_have_text("Server")
    page.context.clear_cookies()
    page.get_by_role("button", name="Measure again").click()
    expect(page.get_by_role("heading", name="Your login has ended")).to_be_visible()


def test_an_address_without_a_page_says_so(open_page: OpenPage) -> None:
    """With all that there are, and the address as a text."""
    page = open_page("no/such<b>page</b>")
    expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Workers").click()
    expect(page.locator("h1")).to_have_text("Workers")


def test_a_page_with_a_fault_leaves_the_others_alone(open_page: OpenPage) -> None:
    """It says what happened; the frame goes on."""

    def broken(route: Route) -> None:
        body = 'export default () => { throw new Error("a fault of ours"); }'
        route.fulfill(status=200, content_type="text/javascript", body=body)

    page = open_page("", expect=("a fault of ours",))
    page.context.route("**/assets/Server-*.js", broken)
    page.get_by_role("navigation").get_by_role("link", name="Server").click()
    expect(page.get_by_role("heading", name="This page has a fault")).to_be_visible()
    expect(page.get_by_text("a fault of ours").first).to_be_visible()
    axe(page)
    page.get_by_role("navigation").get_by_role("link", name="Workers").click()
    expect(page.locator("h1")).to_have_text("Workers")


def test_a_page_of_an_older_build_is_loaded_anew(open_page: OpenPage) -> None:
    """Its parts are served no more: once, and no second time, the newer build is loaded in their place."""
    page = open_page("", expect=("404", "fetch dynamically imported"))
    gone: list[str] = []

    def once(route: Route) -> None:
        if gone:
            route.continue_()
            return
        gone.append(route.request.url)
        route.fulfill(status=404, body="")

    page.context.route("**/assets/Audit-*.js", once)
    page.get_by_role("navigation").get_by_role("link", name="Audit").click()
    expect(page.locator("h1")).to_have_text("Audit")
    assert len(gone) == 1
