"""The dashboard's pages of trees: the list, one tree with its paths, what is run from it, and who may do that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect
from redis import Redis

from flows.server import Tokens, create_app
from tests.browser.conftest import OpenPage
from tests.browser.live_server import LiveServer, live_server
from tests.browser.page_view import axe, fits
from tests.browser.test_tree_page import Served, served

TAKEN = 60_000


@pytest.fixture(scope="module")
def trees(redis_url: str, _sweeper: Redis) -> Iterator[Served]:
    """Run workers, with trees in several states."""
    with served(redis_url, _sweeper) as found:
        yield found


@pytest.fixture(scope="module")
def server(trees: Served) -> Iterator[LiveServer]:
    """Serve the dashboard to everyone on this machine."""
    with live_server(create_app(trees.url, trees.namespace)) as found:
        yield found


def row(page: Page, path: str) -> Locator:
    """Return the row of a path."""
    return page.locator(f'[role=treeitem][data-path="{path}"]')


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1560, 390])
def test_the_list_finds_trees_by_words_and_state(
    open_page: OpenPage, server: LiveServer, theme: Literal["light", "dark"], width: int
) -> None:
    """The search is the address of the page; a word less is offered where nothing matches."""
    page = open_page("trees", server=server, theme=theme, width=width)
    expect(page.locator("tbody tr")).to_have_count(4)
    axe(page)
    fits(page)
    page.get_by_role("group", name="States").get_by_role("button", name="failed").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("broken")
    page.get_by_role("searchbox", name="Find trees").fill("realm:acme")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("No tree matches")
    page.get_by_role("link", name="In any state").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"q=realm%3Aacme"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1560, 390])
def test_a_failed_tree_says_what_failed_and_what_did_not_begin(
    open_page: OpenPage, server: LiveServer, trees: Served, theme: Literal["light", "dark"], width: int
) -> None:
    """With the error at its path, and what runs it again."""
    page = open_page(f"trees/{trees.ids['failed']}?path=%23.check", server=server, theme=theme, width=width)
    expect(page.locator(".explain")).to_contain_text("#.check failed, so 1 task has not begun.")
    expect(page.locator(".steppanel")).to_contain_text("ConnectionError: the host does not answer")
    expect(row(page, "#.check")).to_have_attribute("data-status", "failed")
    expect(page.get_by_role("button", name="Run check again")).to_be_visible()
    axe(page)
    fits(page)


def test_what_is_stale_says_so_and_is_run_with_all_that_uses_it(
    open_page: OpenPage, server: LiveServer, trees: Served
) -> None:
    """A result that is stale can still be read. What stands in the way of a run is told; it is run too where asked."""
    page = open_page(f"trees/{trees.ids['done']}", server=server, expect=("status 409", "status of 409"))
    expect(page.locator(".explain")).to_contain_text("stale")
    page.get_by_role("group", name="States").get_by_role("button", name="stale").click()
    expect(row(page, "#.publish")).to_be_visible()
    row(page, "#.fetch").click()
    panel = page.locator(".steppanel")
    expect(panel).to_contain_text("done.example/9")
    panel.get_by_label("this and all that uses it: small, large, many, publish").check()
    panel.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("#.check is stale")
    panel.get_by_label("what is missing before it too").check()
    panel.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".ttree .stale")).to_have_count(0, timeout=TAKEN)
    expect(panel).to_contain_text("new.example/9")
    expect(page.locator(".log")).to_contain_text("10 pages were there")
    axe(page)


def test_a_tree_is_run_watched_and_cancelled(open_page: OpenPage, server: LiveServer, trees: Served) -> None:
    """What runs is striped and says what it does; what was running is cancelled, and the rest has not begun."""
    page = open_page(f"trees/{trees.ids['slow']}", server=server)
    expect(page.locator(".jobhd")).to_contain_text("idle")
    page.get_by_role("button", name="Run all").click()
    expect(page.locator(".explain")).to_contain_text("#.fetch is at page")
    expect(row(page, "#.fetch").locator(".part")).to_be_visible()
    page.get_by_role("button", name="Cancel execution…").click()
    page.get_by_role("dialog").get_by_label("Why").fill("a mistake")
    page.get_by_role("button", name="Cancel it").click()
    expect(page.locator(".explain")).to_contain_text("It was cancelled: a mistake.", timeout=TAKEN)


def test_keys_move_in_the_tree_and_a_group_closes(open_page: OpenPage, server: LiveServer, trees: Served) -> None:
    """As a tree of the browser's own would."""
    page = open_page(f"trees/{trees.ids['done']}", server=server)
    rows = page.get_by_role("treeitem")
    expect(rows).to_have_count(7)
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(rows).to_have_count(4)
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.locator(".steppanel")).to_contain_text("#.publish")
    page.get_by_role("button", name="Expand all").click()
    expect(rows).to_have_count(7)


def test_a_viewer_sees_and_runs_nothing(open_page: OpenPage, trees: Served, tokens: dict[str, str]) -> None:
    """What may not be done stays in its place, and says why."""
    with live_server(create_app(trees.url, trees.namespace, auth=Tokens(tokens["file"]))) as closed:
        page = open_page(f"trees/{trees.ids['done']}?path=%23.fetch", server=closed, token=tokens["vera"])
        for name in ("Run all", "Cancel execution…"):
            expect(page.get_by_role("button", name=name)).to_have_attribute("aria-disabled", "true")
        expect(page.locator(".steppanel")).to_contain_text("an operator may do this")
        page.context.close()


def test_a_tree_that_is_not_there_says_so(open_page: OpenPage, server: LiveServer) -> None:
    """With the way to all that are."""
    page = open_page("trees/0192f0c1-0000-7000-8000-000000000001", server=server)
    expect(page.locator("main")).to_contain_text("There is no such tree")
    page.get_by_role("link", name="All trees").click()
    expect(page.locator("h1")).to_have_text("Trees")


@pytest.fixture
def of_its_own(redis_url: str, _sweeper: Redis) -> Iterator[tuple[Served, LiveServer]]:
    """Run workers with trees that no other test looks at, and serve them."""
    with served(redis_url, _sweeper) as found, live_server(create_app(found.url, found.namespace)) as server:
        yield found, server


def test_a_tree_is_renamed_and_destroyed(open_page: OpenPage, of_its_own: tuple[Served, LiveServer]) -> None:
    """Its labels too; then the list has it no more."""
    trees, server = of_its_own
    page = open_page(f"trees/{trees.ids['failed']}", server=server)
    page.get_by_role("button", name="Further actions").click()
    page.get_by_role("menuitem", name="Name and labels…").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("mended")
    page.get_by_role("textbox", name="Labels").fill('plan=gold note="a b"')
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("mended")
    expect(page.locator(".jobhd")).to_contain_text("a b")
    page.get_by_role("button", name="Further actions").click()
    page.get_by_role("menuitem", name="Destroy…").click()
    page.get_by_role("button", name="Destroy it").click()
    expect(page.locator("tbody tr")).to_have_count(3)
