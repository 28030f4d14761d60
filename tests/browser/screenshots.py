"""Draws every page of the dashboard on `flows demo`, light and dark, wide and on a phone, into docs/dashboard/.

Usage: python -m tests.browser.screenshots [--into FOLDER] [--seconds 60] [NAME …]

Some things are done first, as people would: a limit is raised, a job retried, a schedule made.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.browser.live_server import LiveServer
from tests.browser.page_view import launch
from tests.faults.ports import free_port
from tests.waiting import blocking_until

ROOT = Path(__file__).resolve().parents[2]
THEMES = ("light", "dark")
SIZES = {"": (1560, 1000), "-phone": (390, 844)}


@dataclass(frozen=True)
class Shot:
    """A picture of a page.

    Args:
        name: Of its files.
        address: Of the page, with names of ids in braces.
        keys: What is pressed first.
    """

    name: str
    address: str
    keys: tuple[str, ...] = ()


SHOTS = (
    Shot("jobs", "jobs?q=flow:shop+state:failed"),
    Shot("job", "flows/shop/jobs/{failed}"),
    Shot("new", "new?flow=shop"),
    Shot("runs", "runs"),
    Shot("run", "runs/{run}"),
    Shot("trees", "trees"),
    Shot("tree", "trees/{tree}"),
    Shot("schedules", "schedules"),
    Shot("workers", "workers"),
    Shot("limits", "limits"),
    Shot("audit", "audit"),
    Shot("server", "server"),
    # Last, when there is some history.
    Shot("overview", ""),
    Shot("board", "flows/shop"),
    Shot("palette", "flows/shop", ("Control+k",)),
    Shot("keys", "flows/shop", ("?",)),
)


@contextmanager
def demo(seconds: float) -> Iterator[LiveServer]:
    """Run the shop and its server where FLOWS_DATA_DIR says; yield the server once there is something to see."""
    port = free_port()
    flows = [sys.executable, "-m", "flows"]
    with (
        subprocess.Popen([*flows, "demo"], stderr=subprocess.DEVNULL) as shop,
        subprocess.Popen([*flows, "web", "--port", str(port)], stderr=subprocess.DEVNULL) as web,
    ):
        server = LiveServer(f"http://127.0.0.1:{port}")

        def is_open() -> bool:
            with suppress(httpx.TransportError):
                answer = server.client.get("/api/v1/flows/list")
                return answer.is_success and bool(answer.json())
            return False

        try:
            blocking_until(is_open)
            time.sleep(seconds)  # the demo's own pace
            blocking_until(lambda: server.ask("runs.list")["runs"])
            blocking_until(lambda: server.ask("jobs.find", query="flow:shop state:failed")["jobs"])
            blocking_until(lambda: server.ask("trees.list")["trees"])
            yield server
        finally:
            web.terminate()
            shop.terminate()


def live_in(server: LiveServer) -> dict[str, str]:
    """Do what people do, and return ids of what is to be seen."""
    failed = server.ask("jobs.find", query="flow:shop state:failed", limit=50)["jobs"]
    runs = server.ask("runs.list", limit=50)["runs"]
    done = [run for run in runs if run["status"] == "completed"] or runs
    server.act("queues.set_limit", queue="mails-send", limiter="mails-send:1", reservoir=12)
    server.act("schedules.create", id="monthly", workflow="bill", input={"customer": 5, "cents": 900}, cron="0 7 1 * *")
    server.act("schedules.create", id="often", workflow="bill", input={"customer": 6, "cents": 120}, every="5s")
    if len(failed) > 1:
        server.act("jobs.retry", id=failed[-1]["id"])
    time.sleep(6)  # the schedule's first
    trees = server.ask("trees.list", limit=50)["trees"]
    return {"failed": failed[0]["id"], "run": done[0]["id"], "tree": trees[0]["id"]}


def draw(browser: Browser, server: LiveServer, shot: Shot, ids: dict[str, str], into: Path) -> None:
    """Draw a page in each theme and size."""
    for theme in THEMES:
        page = browser.new_page(color_scheme=theme, reduced_motion="reduce", locale="en-GB")  # type: ignore[arg-type]
        page.goto(f"{server.url}/{shot.address.format(**ids)}")
        page.locator("h1").first.wait_for()
        page.wait_for_timeout(1500)  # a second reading of what is live
        for key in shot.keys:
            page.keyboard.press(key)
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(300)
            _write(page.screenshot(), into / f"{shot.name}-{theme}{size}.png")
        page.close()


def _write(png: bytes, path: Path) -> None:
    """Write a picture of 256 colours, a third of the bytes: those that cover all there are, rare ones too."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image = image.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    image.save(path, optimize=True)


def main() -> None:
    """Draw those that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "dashboard")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    given.into.mkdir(parents=True, exist_ok=True)
    with demo(given.seconds) as server, sync_playwright() as playwright:
        ids = live_in(server)
        browser = launch(playwright)
        for shot in SHOTS:
            if not given.names or shot.name in given.names:
                draw(browser, server, shot, ids, given.into)
        browser.close()


if __name__ == "__main__":
    main()
