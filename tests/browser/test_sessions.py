"""Who looks may change while the page is open: another role, a token that ends, a way out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from flows.server import Tokens, create_app
from flows.server.tokens import new_token
from tests.browser.conftest import OpenPage, Shop
from tests.browser.live_server import LiveServer, live_server

#: What a browser says of an answer to nobody, and of a socket that was closed to be opened by somebody else.
NOBODY = ("status 401", "status of 401", "WebSocket")


class Team:
    """A file of tokens that changes while it is served."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.token, self.line = new_token("ana", "operator")
        file.write_text(f"{self.line}\n", "utf-8")

    def now(self, line: str) -> None:
        """Let the file have another line."""
        self.file.write_text(f"# changed\n{line}\n", "utf-8")


@pytest.fixture
def team(tmp_path: Path) -> Team:
    """Make the file: an operator."""
    return Team(tmp_path / "tokens")


@pytest.fixture
def served(shop: Shop, team: Team, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveServer]:
    """Serve the shop to the team; who watches is looked at each half a second, not each minute."""
    monkeypatch.setattr("flows.server.live.protocol.CHECKED_EVERY", 0.5)
    with live_server(create_app(shop.url, shop.namespace, auth=Tokens.file(team.file))) as server:
        yield server


def test_a_role_that_changes_changes_what_can_be_done(team: Team, served: LiveServer, open_page: OpenPage) -> None:
    """As soon as the server looks, without a reload: what is off says why."""
    page = open_page("flows/shop", server=served, token=team.token, expect=NOBODY)
    new = page.get_by_role("banner").get_by_role("button", name="New job")
    expect(new).to_be_enabled()
    team.now(team.line.replace(" operator ", " viewer "))
    expect(new).to_be_disabled(timeout=20_000)
    assert "viewer" in (new.get_attribute("title") or "")
    expect(page.locator(".live")).to_have_text("Live")
    team.now(team.line)
    expect(new).to_be_enabled(timeout=90_000)  # at the latest when it asks again who it is, each minute


def test_a_token_that_ends_brings_the_form(team: Team, served: LiveServer, open_page: OpenPage) -> None:
    """Nothing of what was shown is left; and after the login the page is where it was."""
    page = open_page("flows/shop", server=served, token=team.token, expect=NOBODY)
    expect(page.locator("nav").first).to_be_visible()
    ends = datetime.now(UTC) + timedelta(seconds=2)
    team.now(f"{team.line} until={ends.isoformat()}")
    expect(page.get_by_role("button", name="Log in")).to_be_visible(timeout=60_000)
    assert "shop-price" not in page.locator("body").inner_text()
    team.now(team.line)
    page.get_by_label("Your token").fill(team.token)
    page.keyboard.press("Enter")
    expect(page.locator("nav").first).to_be_visible()
    assert page.url == f"{served.url}/flows/shop"


def test_who_logs_out_is_out(team: Team, served: LiveServer, open_page: OpenPage) -> None:
    """The cookie is gone: a reload asks for a token too."""
    page = open_page("", server=served, token=team.token, expect=NOBODY)
    page.get_by_role("button", name="Log out").first.click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
