"""What every page of the dashboard has to be: without an error, accessible, and no wider than its window."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from playwright.sync_api import Browser, Page, Playwright, Response

#: Debian's, else what others call it.
CHROMIUM: Final = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None
)
#: It asks for nothing that a test does not ask for, and reaches this machine alone.
FLAGS: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--disable-domain-reliability",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # there is no network
)
#: WCAG 2.2 A and AA, and what those who know advise.
_RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice")
_GIVEN_UP: Final = "net::ERR_ABORTED"


def launch(playwright: Playwright) -> Browser:
    """Start Chromium with a new profile, which is gone when it ends."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))


class Faults:
    """What goes wrong on a page: errors of the console, requests that fail, and answers that refuse.

    Args:
        page: The page.
        expected: Patterns of what goes wrong on purpose.
    """

    def __init__(self, page: Page, expected: Sequence[str] = ()) -> None:
        self.expected = list(expected)
        self._seen: list[str] = []
        page.on("console", lambda said: self._note(f"console: {said.text}", when=said.type == "error"))
        page.on("pageerror", lambda error: self._note(f"error: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._refused)

    def unexpected(self) -> list[str]:
        """Return what nobody expects."""
        return [fault for fault in self._seen if not any(re.search(one, fault) for one in self.expected)]

    def _note(self, fault: str, *, when: bool = True) -> None:
        if when:
            self._seen.append(fault)

    def _failed(self, request: Any) -> None:
        self._note(f"failed: {request.url} {request.failure}", when=request.failure != _GIVEN_UP)

    def _refused(self, response: Response) -> None:
        self._note(f"status {response.status}: {response.url}", when=response.status >= 400)


@cache
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


def axe(page: Page) -> None:
    """Look at what the page shows now by all rules of axe, and fail with each place that breaks one."""
    page.evaluate(_axe())
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})", _RULES
    )
    places = [
        f"{rule['id']} ({rule['help']}): {' '.join(map(str, node['target']))}\n    {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
    assert not places, "\n".join(places)


def fits(page: Page) -> None:
    """Fail where the page is wider than its window, with what stands out."""
    wide = page.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= width) return [];
            const scrolls = (e) => e !== document.body && getComputedStyle(e).overflowX !== "visible";
            const isClipped = (e) => e && (scrolls(e) || isClipped(e.parentElement));
            const out = [...document.querySelectorAll("body *")].filter(
                (e) => e.getBoundingClientRect().right > width + 1 && !isClipped(e.parentElement));
            return [`${document.documentElement.scrollWidth} > ${width}`,
                ...out.slice(0, 8).map((e) => `${e.tagName}.${e.getAttribute('class')} ${e.textContent.slice(0, 30)}`)];
        }"""
    )
    assert not wide, wide
