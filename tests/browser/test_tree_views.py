"""The page of one tree beside its paths: over time, as a graph, its executions, and its data, which is edited there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import expect
from redis import Redis
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.server import create_app
from flows.tree import Trees
from tests.browser.conftest import OpenPage
from tests.browser.live_server import LiveServer, live_server
from tests.browser.page_view import axe, fits
from tests.browser.test_tree_page import Served, served
from tests.browser.tree_app import declare

TAKEN = 60_000


@pytest.fixture(scope="module")
def trees(redis_url: str, _sweeper: Redis) -> Iterator[Served]:
    """Run workers, with trees in several states."""
    with served(redis_url, _sweeper) as found:
        yield found


class Stopped:
    """An ASGI app which stops an app of trees, in its own loop, when it ends."""

    def __init__(self, app: ASGIApp, trees: Trees) -> None:
        self.app, self.trees = app, trees

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve."""

        async def told(message: Message) -> None:
            if message["type"] == "lifespan.shutdown.complete":
                await self.trees.stop()
            await send(message)

        await self.app(scope, receive, told)


@pytest.fixture(scope="module")
def server(trees: Served) -> Iterator[LiveServer]:
    """Serve the dashboard, with the code of the trees."""
    code, _generator = declare(trees.url, trees.namespace)
    with live_server(Stopped(create_app(trees.url, trees.namespace, trees=[code]), code)) as found:
        yield found


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1560, 390])
def test_paths_are_shown_over_time_and_as_a_graph(
    open_page: OpenPage, server: LiveServer, trees: Served, theme: Literal["light", "dark"], width: int
) -> None:
    """The view is in the address; a path is chosen in each of them."""
    page = open_page(f"trees/{trees.ids['failed']}", server=server, theme=theme, width=width)
    views = page.get_by_role("group", name="How the paths are shown")
    views.get_by_role("button", name="Timeline").click()
    lines = page.get_by_role("list", name="Over time").get_by_role("listitem")
    expect(lines).to_have_count(6)  # publish has not begun
    expect(page.locator(".card", has=lines.first)).to_contain_text("1 has not begun")
    lines.nth(1).get_by_role("button", name="images").click()
    expect(page.locator(".steppanel")).to_contain_text("#.images")
    axe(page)
    fits(page)
    views.get_by_role("button", name="Graph").click()
    expect(page).to_have_url(re.compile(r"view=graph&path=%23\.images"))
    places = page.get_by_role("group", name="What follows what").get_by_role("button")
    expect(places).to_have_count(6)
    expect(page.locator(".graph .arrow")).to_have_count(8)
    check = page.locator('.graph [data-path="#.check"]')
    expect(check).to_have_attribute("data-status", "failed")
    expect(check).to_contain_text("after #.images.small, ")
    check.click()
    expect(page.locator(".steppanel")).to_contain_text("the host does not answer")
    axe(page)
    fits(page)


def test_executions_say_what_was_asked_and_how_it_ended(open_page: OpenPage, server: LiveServer, trees: Served) -> None:
    """The newest first, and each leads to its run."""
    page = open_page(f"trees/{trees.ids['failed']}?path=%23.fetch", server=server)
    rows = page.locator(".execs tbody tr")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("all")
    expect(rows.first).to_contain_text("failed")
    page.locator(".steppanel").get_by_role("button", name="Run", exact=True).click()
    expect(rows).to_have_count(2, timeout=TAKEN)
    expect(rows.first).to_contain_text("#.fetch")
    expect(rows.first).to_contain_text("done", timeout=TAKEN)
    expect(rows.nth(1)).to_contain_text("failed")
    rows.first.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/runs/[0-9a-f-]{36}$"))


def test_data_is_edited_and_faults_are_told_at_their_fields(
    open_page: OpenPage, server: LiveServer, trees: Served
) -> None:
    """What a schema says is told at once, what the code alone knows when it is saved; what becomes stale, before."""
    page = open_page(f"trees/{trees.ids['done']}", server=server, expect=("status 422", "status of 422"))
    page.get_by_role("button", name="Edit data…").click()
    sending = page.locator(".send")
    expect(sending).to_contain_text("Nothing is changed")
    expect(sending.get_by_role("button", name="Save data")).to_have_attribute("aria-disabled", "true")
    step, url = page.get_by_label("step"), page.get_by_label("url")
    step.fill("soon")
    step.blur()
    expect(page.locator(".field", has=step)).to_contain_text("has to be a number")
    step.fill("0.01")
    url.fill("nowhere")
    expect(sending).to_contain_text("url and step are changed")
    expect(sending).to_contain_text("6 results become stale: #.fetch, ")
    axe(page)
    sending.get_by_role("button", name="Save data").click()
    expect(page.locator(".field", has=url)).to_contain_text("no host has such a name")
    expect(url).to_be_focused()
    expect(page.locator(".code .hit")).to_contain_text("nowhere")
    axe(page)
    page.set_viewport_size({"width": 390, "height": 1000})
    fits(page)
    url.fill("later.example")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".card", has=page.get_by_role("heading", name="Data", exact=True))).to_contain_text(
        "later.example"
    )
    assert "edit=" not in page.url


def test_data_stays_where_the_code_is_elsewhere(open_page: OpenPage, trees: Served) -> None:
    """And the button says why."""
    with live_server(create_app(trees.url, trees.namespace)) as codeless:
        page = open_page(f"trees/{trees.ids['done']}?edit=data", server=codeless)
        edit = page.get_by_role("button", name="Edit data…")
        expect(edit).to_have_attribute("aria-disabled", "true")
        expect(edit).to_have_attribute("title", re.compile("The code of its app is not here"))
        expect(page.get_by_role("tree")).to_be_visible()
        page.context.close()
