"""A new job: a form from the schema that the flow has left, the same as JSON, and what is wrong at its place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import expect
from redis import Redis

from tests.browser.conftest import OpenPage
from tests.browser.page_view import axe, fits
from tests.browser.stock import Store, store

expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def stock(redis_url: str, _sweeper: Redis) -> Iterator[Store]:
    """Return flows that are declared, and not worked on."""
    with store(redis_url, _sweeper) as found:
        yield found


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_tells_what_is_wrong_at_its_place(stock: Store, open_page: OpenPage, theme: Literal["light", "dark"]) -> None:
    """At the field, at its line of the JSON, and in the list; F8 goes from one to the next; then it is created."""
    page = open_page("new?flow=invoices", server=stock.server, theme=theme)
    page.get_by_label("invoice_no").fill("26")
    page.get_by_label("name").fill("Nordwind")
    page.get_by_label("email").fill("nobody")
    page.get_by_label("city").fill("Hamburg")
    page.get_by_label("sku 1").fill("TEA")
    page.get_by_label("quantity 1").fill("0")
    page.get_by_label("price 1").fill("4.90")
    page.keyboard.press("Control+Enter")
    send = page.locator(".send")
    expect(send).to_contain_text("3 fields need a look")
    expect(send).to_contain_text(re.compile(r"lines\[0\]\.quantitymust be 1 or more; it is 0"))
    expect(page.locator(".field").filter(has_text="email")).to_contain_text("is no email address")
    expect(page.locator(".code .hit")).to_have_count(3)
    axe(page)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        fits(page)
    page.keyboard.press("F8")
    expect(page.get_by_label("invoice_no")).to_be_focused()
    page.keyboard.type("2026-1")
    page.get_by_label("invoice_no").fill("2026-1")
    page.keyboard.press("F8")
    expect(page.get_by_label("quantity 1")).to_be_focused()
    page.get_by_label("quantity 1").fill("2")
    page.keyboard.press("F8")
    expect(page.get_by_label("email")).to_be_focused()
    page.get_by_label("email").fill("a@b.example")
    page.get_by_label("tags").fill("tea")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Create job").click()
    expect(page.locator("h1")).to_have_text(re.compile("^01"))
    fields = {
        one["name"]: one["value"] for one in stock.server.ask("jobs.show", id=page.url.rpartition("/")[2])["fields"]
    }
    assert fields["customer"] == {
        "name": "Nordwind", "email": "a@b.example", "address": {"city": "Hamburg", "country": "DE"}
    }  # fmt: skip
    assert (fields["lines"], fields["tags"]) == ([{"sku": "TEA", "quantity": 2, "price": "4.90"}], ["tea"])


def test_form_and_json_are_the_same(stock: Store, open_page: OpenPage) -> None:
    """What is written in one stands in the other; rows are added, moved and taken away."""
    page = open_page("new?flow=invoices", server=stock.server)
    page.get_by_label("invoice_no").fill("2026-7")
    expect(page.locator("pre.code")).to_contain_text('"invoice_no": "2026-7"')
    page.get_by_role("button", name="Edit").click()
    params = {"invoice_no": "2026-8", "lines": [{"sku": "A", "quantity": 1, "price": "1"}]}
    page.get_by_role("textbox", name="JSON").fill(json.dumps(params))
    expect(page.get_by_label("invoice_no")).to_have_value("2026-8")
    page.get_by_role("textbox", name="JSON").fill("{")
    send = page.locator(".send")
    expect(send).to_contain_text("This is no JSON object yet")
    expect(send.get_by_role("button", name="As Python")).to_be_disabled()
    page.get_by_role("button", name="Create job").click()
    expect(page.get_by_role("textbox", name="JSON")).to_be_focused()
    page.locator(".field").get_by_label("invoice_no").fill("2026-9")
    expect(page.get_by_role("textbox", name="JSON")).to_have_value(re.compile('"2026-9"'))
    expect(send).not_to_contain_text("This is no JSON object yet")
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Add line").click()
    page.get_by_label("sku 2").fill("B")
    page.get_by_role("button", name="Move line 2 up").click()
    expect(page.get_by_label("sku 1")).to_have_value("B")
    page.get_by_role("button", name="Remove line 2").click()
    expect(page.locator("pre.code")).not_to_contain_text('"sku": "A"')
    expect(page.get_by_label("currency")).to_have_value("")
    page.get_by_role("button", name="Empty").click()
    expect(page.get_by_label("currency")).to_have_value("0")


def test_large_integers_stay_as_they_are(stock: Store, open_page: OpenPage) -> None:
    """What a number of JavaScript would round is sent, shown and copied into another form with each of its digits."""
    page = open_page("new?flow=invoices", server=stock.server)
    page.get_by_role("button", name="Edit").click()
    line = {"sku": "A", "quantity": 1, "price": "1"}
    customer = {"name": "N", "email": "a@b", "address": {"city": "B"}}
    params = {"invoice_no": "2026-8", "customer": customer, "lines": [line, {**line, "quantity": 9007199254740993}]}
    page.get_by_role("textbox", name="JSON").fill(json.dumps(params))
    expect(page.get_by_label("quantity 2")).to_have_value("9007199254740993")
    page.get_by_label("quantity 1").fill("99999999999999999999")
    page.get_by_role("button", name="Create job").click()
    expect(page.locator("h1")).to_have_text(re.compile("^01"))
    made = page.url.rpartition("/")[2]
    fields = {one["name"]: one["value"] for one in stock.server.ask("jobs.show", id=made)["fields"]}
    assert [one["quantity"] for one in fields["lines"]] == [99999999999999999999, 9007199254740993]
    expect(page.locator(".fields")).to_contain_text("9007199254740993")
    page.goto(f"{page.url.partition('flows/invoices')[0]}new?flow=invoices&like={made}")
    expect(page.get_by_label("quantity 1")).to_have_value("99999999999999999999")


def test_what_the_server_refuses_is_told(stock: Store, open_page: OpenPage) -> None:
    """A key that another job has with other params; the same params give the same job."""
    stock.server.act("jobs.create", flow="stock", params={"batch": "key"}, idempotency_key="k")
    page = open_page("new?flow=stock", server=stock.server, expect=("409", "422"))
    page.get_by_label("batch").fill("other")
    page.get_by_label("idempotency key").fill("k")
    page.get_by_role("button", name="Create job").click()
    expect(page.get_by_role("alert")).to_contain_text("other params")
    page.get_by_label("batch").fill("key")
    page.get_by_role("button", name="in", exact=True).click()
    page.get_by_label("delay").fill("soon")
    page.get_by_role("button", name="Create job").click()
    expect(page.get_by_role("alert")).to_contain_text("Write a time such as 30s")
    page.get_by_role("button", name="now", exact=True).click()
    page.get_by_role("button", name="Create job").click()
    expect(page.get_by_text("A job with this key was there")).to_be_visible()


def test_many_jobs_by_lines(stock: Store, open_page: OpenPage) -> None:
    """Rows of a sheet or JSON; a line that is wrong is told before any job is created."""
    page = open_page("new?flow=stock", server=stock.server)
    page.get_by_role("button", name="Many, a line each").click()
    lines = page.get_by_role("textbox", name="Jobs, a line each")
    lines.fill("batch,number\nlines,1\nlines,many\n")
    expect(page.get_by_text(re.compile("line 3.*number has to be a number"))).to_be_visible()
    expect(page.get_by_role("button", name="Create 2 jobs")).to_have_attribute("aria-disabled", "true")
    lines.fill('{"batch": "lines", "number": 1}\n{"batch": "lines", "number": 2}')
    page.get_by_role("button", name="Create 2 jobs").click()
    page.get_by_role("link", name="See them").click()
    expect(page.locator("tbody tr")).to_have_count(2)


def test_begins_from_another_job(stock: Store, open_page: OpenPage) -> None:
    """Its params are filled in, by the address or by its id."""
    [job] = stock.put("like", 1)
    page = open_page(f"new?flow=stock&like={job}", server=stock.server)
    expect(page.get_by_label("batch")).to_have_value("like")
    page.get_by_label("batch").fill("else")
    page.get_by_role("button", name="Fill from a job…").click()
    page.get_by_label("The id of a job of this flow").fill(job)
    page.keyboard.press("Enter")
    expect(page.get_by_label("batch")).to_have_value("like")
