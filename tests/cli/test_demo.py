"""The shop of `flows demo`: all of its queues and its workflow are at work, some of it fails, and it ends."""

from __future__ import annotations

import asyncio

import pytest

from flows.__main__ import main
from flows.api import Admin, Caller, JobQuery, jobs, queues, runs, trees
from flows.api.views.flows import QueueView
from flows.cli.demo import shop as demo_shop
from flows.cli.demo.command import _keep_open
from flows.cli.demo.shop import make_shop
from tests.waiting import until


async def test_the_shop_is_at_work(redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders go through, others fail, mails wait for their limit, bills are runs, a catalogue is printed."""
    monkeypatch.setattr(demo_shop, "UNKNOWN_CUSTOMERS", frozenset(range(0, 100, 2)))
    monkeypatch.setattr(demo_shop, "PACKING", 0.01)
    shop = asyncio.create_task(_keep_open(make_shop(redis_url, namespace), 0, 100))
    async with Admin(redis_url, namespace, Caller(name="ana")) as admin:

        async def is_at_work() -> bool:
            boards = {one.name: one for flow in ("shop", "mails") for one in await _queues(admin, flow)}
            if not {"shop-pack", "shop-price", "mails-send"} <= set(boards):
                return False
            bills = (await runs.list_runs(admin)).runs
            done = (await jobs.find(admin, JobQuery.parse("flow:shop state:done"))).jobs
            printed = (await trees.list_trees(admin, "demo-catalogue", status="working")).trees
            return bool(done and boards["shop-price"].failed and boards["mails-send"].waiting and bills and printed)

        await until(is_at_work)
    shop.cancel()
    await asyncio.wait({shop})


async def _queues(admin: Admin, flow: str) -> list[QueueView]:
    known = await admin.flows()
    return (await queues.show(admin, flow=flow)).queues if flow in known else []


def test_it_ends_after_its_seconds(redis_url: str, namespace: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With 0, and says how to look at it."""
    assert main(["demo", "--seconds", "0.1", "--redis-url", redis_url, "--namespace", namespace]) == 0
    assert f"flows web --redis-url {redis_url} --namespace {namespace}" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--seconds", "-1"], ["--rate", "0"], ["--rate", "x"]])
def test_what_it_cannot_do_is_refused(words: list[str]) -> None:
    """Before a server is started."""
    assert main(["demo", *words]) == 2
