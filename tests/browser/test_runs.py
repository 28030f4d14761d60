"""The pages of runs: what happened when, in patterns that tell; what may be done; lists that stand still."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import pytest
from playwright.sync_api import expect
from redis import Redis

from flows.server import Tokens, create_app
from tests.browser.conftest import OpenPage, Shop
from tests.browser.live_server import LiveServer, live_server
from tests.browser.orders import COPIES, MANY, leave
from tests.browser.page_view import axe, fits


@dataclass(frozen=True)
class Orders:
    """What was left, a server for everybody, and one for those who have a token."""

    ids: dict[str, str]
    server: LiveServer
    closed: LiveServer


@pytest.fixture(scope="module")
def orders(redis_url: str, tokens: dict[str, str], _sweeper: Redis) -> Iterator[Orders]:
    """Leave orders, and serve them."""
    namespace = f"t{secrets.token_hex(6)}:"
    with ThreadPoolExecutor() as pool:  # this thread has the loop of the browser
        ids = pool.submit(asyncio.run, leave(redis_url, namespace)).result()
    closed = create_app(redis_url, namespace, auth=Tokens(tokens["file"]))
    with live_server(create_app(redis_url, namespace)) as server, live_server(closed) as guarded:
        yield Orders(ids, server, guarded)
    _sweeper.unlink(*_sweeper.scan_iter(f"{namespace}*", count=1000))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_run_tells_its_visits_tries_and_waits(
    orders: Orders, open_page: OpenPage, theme: Literal["light", "dark"]
) -> None:
    """Each kind of bar has its pattern, what goes on has no right end, and what nobody needs to see is folded."""
    page = open_page(f"runs/{orders.ids['order']}?step=charge", server=orders.server, theme=theme)
    expect(page.locator(".explain .big")).to_have_text(
        "It waits for payment.received, 15 child runs, and the time to pass."
    )
    expect(page.locator(".visits")).to_contain_text("failed at ship")
    steps = page.locator(".wf .row")
    kinds = {
        "load": ["done", "memo done"],
        "charge": ["failed", "w", "done", "done"],
        "cool-down": ["sleep delayed", "memo done"],
        "ship": ["failed", "w", "failed", "w", "failed", "done"],
        "undo:charge": ["undo warn"],
        "payment": ["ev delayed open"],
        "remind": ["sleep delayed open"],
        "copies": ["kids children open"],
    }
    for name, bars in kinds.items():
        found = steps.filter(has=page.get_by_role("button", name=name, exact=True)).locator(".tr > i")
        assert [(one.get_attribute("class") or "").strip() for one in found.all()] == bars, name
    expect(page.locator(".keyrow")).to_contain_text("time left out")
    tries = page.locator("table.tries tbody tr")
    expect(tries.filter(has_text="ConnectionError")).to_contain_text("backs off")
    expect(tries.filter(has_text="undone")).to_contain_text("done, then undone")
    expect(page.locator(".steppanel")).to_contain_text("It takes over the 2 records before it (load and cool-down)")
    expect(page.locator(".steppanel .result")).to_contain_text('"receipt"')
    for width in (1560, 390):
        page.set_viewport_size({"width": width, "height": 900})
        fits(page)
        axe(page)


def test_a_step_is_chosen_by_keys_and_shows_its_children(orders: Orders, open_page: OpenPage) -> None:
    """The address says which; children stand in pages, in their order."""
    page = open_page(f"runs/{orders.ids['order']}", server=orders.server)
    page.locator(".wf .row").first.wait_for()
    for name in page.locator(".wf .row button").all_inner_texts():  # three of them begin at once: in any order
        page.keyboard.press("j")
        expect(page.locator(".wf .row.sel")).to_contain_text(name)
        if name == "copies":
            break
    expect(page).to_have_url(re.compile("step=copies"))
    children = page.locator(".kidlist li")
    expect(children).to_have_count(20)
    expect(children.nth(0)).to_contain_text("suspended")
    expect(children.nth(1)).to_contain_text("done")
    page.get_by_role("button", name="The next ones").click()
    page.get_by_role("button", name="The next ones").click()
    expect(page.get_by_text(f"41 to {COPIES} of {COPIES}")).to_be_visible()
    children.nth(0).get_by_role("link").click()
    expect(page.locator(".crumb")).to_contain_text("copy")


def test_many_steps_are_a_window(orders: Orders, open_page: OpenPage) -> None:
    """The last thousand are told; those before come when they are wanted. Few are drawn."""
    page = open_page(f"runs/{orders.ids['long']}", server=orders.server)
    page.get_by_role("button", name="Show 201 earlier ones").click()
    expect(page.get_by_text(f"{MANY:,} ended")).to_be_visible()
    expect(page.get_by_role("button", name="page-0", exact=True)).to_be_visible()
    assert page.locator(".wf .row").count() < 120
    page.locator(".rows-in").evaluate("it => { it.scrollTop = it.scrollHeight }")
    expect(page.get_by_role("button", name="rest", exact=True)).to_be_visible()


def test_a_fork_says_what_it_takes_over(orders: Orders, open_page: OpenPage) -> None:
    """The new run is opened, and names the one that it comes from."""
    page = open_page(f"runs/{orders.ids['order']}?step=ship", server=orders.server)
    page.get_by_role("button", name="Fork run").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("It takes over the 3 records before it")
    axe(page)
    dialog.get_by_label("Input").fill("{")
    expect(dialog.get_by_role("alert")).to_contain_text("This is no JSON")
    expect(dialog.get_by_role("button", name="Start the new run")).to_be_disabled()
    dialog.get_by_label("Input").fill('{"order_id": 8}')
    dialog.get_by_role("button", name="Start the new run").click()
    expect(page.locator(".jobhd .l2")).to_contain_text(f"forked from {orders.ids['order']}")
    expect(page.locator(".jobhd .l2")).to_contain_text("order_id 8")


def test_an_event_is_sent_and_a_run_is_cancelled(orders: Orders, open_page: OpenPage) -> None:
    """What comes is shown without a reload; who did it stands below."""
    page = open_page(f"runs/{orders.ids['other']}?step=payment", server=orders.server)
    page.locator(".explain").get_by_role("button", name="Send event…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("by the key 9")
    dialog.get_by_label("Data").fill('{"cents": 500}')
    dialog.get_by_role("button", name="Send").click()
    expect(page.locator(".steppanel .result")).to_contain_text("500")
    expect(page.locator("main")).to_contain_text("sent the event")
    page.keyboard.press("c")
    page.get_by_role("dialog").get_by_label("Reason").fill("no longer wanted")
    page.get_by_role("dialog").get_by_role("button", name="Cancel run").click()
    expect(page.locator("main")).to_contain_text(re.compile("asked it to end|cancelled"))


def test_a_viewer_sees_why_nothing_can_be_pressed(orders: Orders, tokens: dict[str, str], open_page: OpenPage) -> None:
    """Each action stays in its place."""
    page = open_page(f"runs/{orders.ids['long']}", server=orders.closed, token=tokens["vera"])
    for name in ("Fork…", "Retry", "Cancel…"):
        button = page.get_by_role("button", name=name)
        expect(button).to_be_disabled()
        assert "vera is viewer" in (button.get_attribute("title") or "")
    expect(page.get_by_text("An operator sees who has acted on it.")).to_be_visible()


def test_the_list_is_found_by_words_and_stands_still(orders: Orders, open_page: OpenPage) -> None:
    """What comes newly waits until it is wanted; an empty list offers the same with a word less."""
    page = open_page("runs?q=workflow:long", server=orders.server)
    rows = page.locator(".runrows tbody tr")
    expect(rows).to_have_count(1)
    orders.server.act("runs.start", workflow="long", input=1, tags=["new"])
    newer = page.get_by_role("button", name=re.compile("1 newer matches"))
    newer.wait_for()
    expect(rows).to_have_count(1)
    newer.click()
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("new")
    page.get_by_label("Find runs").fill("workflow:long tag:old order_id")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Not understood: order_id")
    page.get_by_role("link", name="Without tag:old").click()
    expect(page).to_have_url(re.compile(r"q=workflow%3Along$"))
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".crumb")).to_contain_text("long")


def test_a_row_says_what_its_run_waits_for(shop: Shop, open_page: OpenPage) -> None:
    """Without a time where none is set, and without attempts that do not count."""
    page = open_page("runs?q=user_id:3", server=shop.server)
    row = page.locator(".runrows tbody tr").filter(has_text="waits for an answer").first
    expect(row.locator(".num")).to_have_text(["", ""])


def test_an_answer_is_given_in_a_form(shop: Shop, open_page: OpenPage) -> None:
    """Of the type that was asked for; an answer that was refused is told, and the step asks again."""
    run = shop.act("runs.start", workflow="bill", input={"user_id": 3})["id"]
    page = open_page(f"runs/{run}?step=approve", server=shop.server)
    answer = page.locator(".explain").get_by_role("button", name="Answer…")
    answer.wait_for()
    shop.act("runs.provide", id=run, step="approve", data={"good": "perhaps"})
    expect(page.locator(".explain")).to_contain_text("The last answer was refused: ")
    answer.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("is this bill right?")
    expect(dialog.get_by_role("alert")).to_contain_text("The last answer was refused: ")
    axe(page)
    dialog.get_by_label("good").select_option("yes")
    dialog.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status").filter(has_text="Sent. If the step refuses it")).to_be_visible()
    expect(page.locator(".steppanel .result")).to_contain_text("true")
    expect(page.locator("main")).to_contain_text("answered")


def test_lookups_lead_to_the_runs_that_have_them(orders: Orders, open_page: OpenPage) -> None:
    """A chip of a run is a search."""
    page = open_page(f"runs/{orders.ids['order']}", server=orders.server)
    page.locator(".jobhd .l2").get_by_role("link", name="7", exact=True).click()
    expect(page.locator(".runrows tbody tr")).to_have_count(1)
    expect(page.locator(".runrows tbody")).to_contain_text("order_id 7")


def test_a_run_that_is_not_there_says_so(shop: Shop, open_page: OpenPage) -> None:
    """With the way back to all of them."""
    page = open_page("runs/0192f3a1-0000-7000-8000-000000000000", server=shop.server)
    expect(page.get_by_role("heading", name="There is no run of this id")).to_be_visible()
    expect(page.get_by_role("link", name="All runs")).to_be_visible()
