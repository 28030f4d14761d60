"""Measures how long a change takes from Redis to the pixels: jobs are cancelled and retried, and a page watches one.

Usage: python -m tests.browser.pixels [changes]

A change begins before it is sent to Redis, and ends when the frame that has the new word has been drawn.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Final

from playwright.async_api import async_playwright

from flows.api import Admin, Caller
from flows.api.jobs.acting import cancel, retry
from flows.testing import private_server
from tests.browser.live_server import web_process
from tests.browser.page_view import CHROMIUM, FLAGS
from tests.browser.shop import Report, declare
from tests.faults.ports import free_port

#: Notes each change of the state's word: when it stood in the document, and when the frame with it had been drawn.
_NOTE: Final = """() => {
    window.changes = [];
    const word = () => document.querySelector("main .state")?.textContent;
    const now = () => performance.timeOrigin + performance.now();
    let last = word();
    new MutationObserver(() => {
        const found = word();
        if (found === last || !found) return;
        last = found;
        const written = now();
        requestAnimationFrame(() => {
            // What is posted while a frame is made comes after it has been drawn.
            const {port1, port2} = new MessageChannel();
            port1.onmessage = () => window.changes.push([written, now()]);
            port2.postMessage("drawn");
        });
    }).observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
}"""


async def measure(url: str, namespace: str, job_id: str, page_url: str, changes: int) -> dict[str, float]:
    """Return median and p99 in milliseconds, to the document and to the pixels.

    Args:
        url: Of Redis.
        namespace: Where the job is.
        job_id: A job of `reports` that waits, and that nobody works on.
        page_url: The page that shows it.
        changes: How many.
    """
    began: list[float] = []
    async with (
        async_playwright() as playwright,
        Admin(url, namespace, Caller(name="ana", role="operator")) as admin,
    ):
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page()
        await page.goto(page_url)
        await page.locator("main .state").first.wait_for()
        await page.evaluate(_NOTE)
        chance = random.Random(1)  # noqa: S311 - pauses
        for number in range(changes):
            await asyncio.sleep(chance.uniform(0.1, 0.3))
            began.append(time.time() * 1000)
            await (retry if number % 2 else cancel)(admin, job_id)
            await page.wait_for_function("number => window.changes.length > number", arg=number)
        seen: list[tuple[float, float]] = await page.evaluate("window.changes")
        await browser.close()
    took = [[after - before for after in both] for before, both in zip(began, seen, strict=True)]
    dom, pixels = zip(*took, strict=True)
    return {"changes": changes, **_figures("dom", dom), **_figures("pixels", pixels)}


def _figures(name: str, took: Sequence[float]) -> dict[str, float]:
    in_order = sorted(took)
    return {
        f"{name}_median": round(statistics.median(in_order), 1),
        f"{name}_p99": round(in_order[-max(1, len(in_order) // 100) - 1], 1),
        f"{name}_most": round(in_order[-1], 1),
    }


async def leave_one(url: str, namespace: str) -> str:
    """Leave a job that nobody works on, and return its id."""
    shop, mails, reports = declare(url, namespace)
    async with reports:
        job_id = await reports.create_job(Report(month="2026-11"))
    await asyncio.gather(shop.stop_all(), mails.stop_all())
    return job_id


def main(changes: int = 200) -> None:
    """Measure on a server of its own, and print the figures."""
    with private_server() as url:
        job_id = asyncio.run(leave_one(url, ""))
        with web_process("--redis-url", url, "--port", str(free_port())) as (server, _process):
            figures = asyncio.run(measure(url, "", job_id, f"{server.url}/flows/reports/jobs/{job_id}", changes))
    sys.stdout.write(f"{json.dumps(figures)}\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
