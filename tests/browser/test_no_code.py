"""What a flow has left in Redis is enough: its processes have ended, its source is deleted, and the pages do all."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from redis import Redis

from flows.server import create_app
from tests.browser.conftest import OpenPage
from tests.browser.live_server import LiveServer, live_server

expect.set_options(timeout=20_000)

#: A flow, a worker that refuses guest 2, and one more job when nobody works any more.
_SOURCE = """
import asyncio, json, sys
from typing import Literal
from pydantic import BaseModel, Field
from flows import Flow, FlowOptions, Job, QueueOptions, Retries

class Stay(BaseModel):
    guest: int = Field(ge=1)
    nights: int = 1

class Book(Job):
    guest: int

async def book(job: Book) -> None:
    if job.guest == 2:
        raise LookupError("no room for guest 2")

def hotel():
    queues = [QueueOptions("hotel-book", job=Book, retries=Retries(max_attempts=1))]
    return Flow[Book, Stay, Literal["guest"]](FlowOptions(
        "hotel", queues, lookup_attributes=["guest"], redis_url=sys.argv[1], namespace=sys.argv[2]))

async def main():
    flow = hotel()
    flow.create_workers(Book, book)
    ids = [await flow.create_job(Stay(guest=guest)) for guest in (1, 2)]
    await flow.start_all()
    for id in ids:
        try:
            await flow.wait_for(id, timeout=60)
        except Exception as error:
            print(type(error).__name__, file=sys.stderr)
    await flow.stop_all()
    async with hotel() as idle:
        ids.append(await idle.create_job(Stay(guest=3)))
    print(json.dumps(ids))

asyncio.run(main())
"""


@pytest.fixture
def left(redis_url: str, _sweeper: Redis, tmp_path: Path) -> Iterator[tuple[LiveServer, list[str]]]:
    """Return a server, and the ids of a job that is done, of one that failed, of one that waits."""
    namespace = f"t{secrets.token_hex(6)}:"
    source = tmp_path / "hotel.py"
    source.write_text(_SOURCE)
    command = [sys.executable, str(source), redis_url, namespace]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    source.unlink()
    with live_server(create_app(redis_url, namespace)) as server:
        yield server, json.loads(done.stdout)
    _sweeper.unlink(*_sweeper.scan_iter(f"{namespace}*", count=1000))


def test_pages_work_on_what_is_left(left: tuple[LiveServer, list[str]], open_page: OpenPage) -> None:
    """Listed, explained, retried, cancelled, created by the schema: each is so in Redis afterwards."""
    server, (done, failed, waiting) = left
    page = open_page("", server=server)
    expect(page.get_by_role("main")).to_contain_text("hotel-book")
    page.get_by_role("link", name=re.compile("^Jobs")).first.click()
    for job in (done, failed, waiting):
        expect(page.locator(f'a[href$="{job}"]').first).to_be_visible()
    page.locator(f'a[href$="{failed}"]').first.click()
    expect(page.locator(".explain")).to_contain_text("LookupError: no room for guest 2")
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".jobhd .state")).to_have_text("waiting")
    expect(page.locator(".explain")).to_contain_text("no process has workers of it")
    page.goto(f"{server.url}/flows/hotel/jobs/{waiting}")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.locator(".jobhd .state")).to_have_text("cancelled")
    page.goto(f"{server.url}/new?flow=hotel")
    page.get_by_label("guest").fill("0")
    page.get_by_role("button", name="Create job").click()
    expect(page.locator(".send")).to_contain_text("must be 1 or more; it is 0")
    page.get_by_label("guest").fill("4")
    page.get_by_role("button", name="Create job").click()
    expect(page.locator("h1")).to_have_text(re.compile("^01"))
    created = page.url.rpartition("/")[2]
    states = {job: server.ask("jobs.show", id=job)["state"] for job in (done, failed, waiting, created)}
    assert states == {done: "done", failed: "waiting", waiting: "cancelled", created: "waiting"}
