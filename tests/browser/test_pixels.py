"""From Redis to the pixels, as `pixels.py` measures it: soon enough for nobody to see that it takes time."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Shop
from tests.browser.live_server import aside, web_process
from tests.browser.pixels import measure
from tests.faults.ports import free_port
from tests.waiting import patient

CHANGES = 200


@pytest.mark.timeout(300)
def test_a_change_is_seen_soon(browser: Browser, shop: Shop) -> None:
    """200 changes: half of them within 60 ms, 198 within 300 ms."""
    del browser  # it is here: this one has its own
    options = ("--redis-url", shop.url, "--namespace", shop.namespace, "--port", str(free_port()))
    with web_process(*options) as (server, _process):
        job_id = shop.ids["unserved"]
        url = f"{server.url}/flows/reports/jobs/{job_id}"
        figures = aside(measure(shop.url, shop.namespace, job_id, url, CHANGES))
    print(figures)  # noqa: T201 - what `make browser ARGS=-s` is asked for
    assert figures["pixels_median"] <= patient(0.06) * 1000, figures
    assert figures["pixels_p99"] <= patient(0.3) * 1000, figures
