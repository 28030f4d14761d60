"""Control: cancel, retry and delete reach a job's children too."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from flows.store.connection import Connection
from flows.store.control import Control
from tests.world import World, await_children, processing


@pytest_asyncio.fixture
async def control(redis_url: str, world: World) -> AsyncIterator[Control]:
    """Act on the world's flow."""
    connection = Connection(redis_url, "test-control")
    yield Control(connection, world.terms)
    await connection.close()


def seed_family(world: World) -> None:
    """Let `9` wait for `1` and `2` in `pack`, and `1` for `5` in `pack:box`; `2` runs."""
    world.seed(jobs={"shop:9": processing("pack")})
    world.settle(await_children("9", children=(("box", "1"), ("box", "2"))), queue="pack")
    world.claim(2, queue="pack:box")
    world.settle(await_children("1", children=(("lid", "5"),)), queue="pack:box")


async def test_a_family_is_cancelled_from_the_top(control: Control, world: World) -> None:
    """Who waits is cancelled at once, at every depth, and who runs is asked."""
    seed_family(world)
    assert await control.cancel("shop", "9", "why") == "cancelled"
    found = world.snapshot()
    jobs = found["jobs"]
    assert {name: job["_status"] for name, job in jobs.items()} == {
        "shop:9": "cancelled",
        "pack:box:1": "cancelled",
        "pack:box:2": "processing",
        "pack:box:lid:5": "cancelled",
    }
    assert {job.get("_reason") for name, job in jobs.items() if name != "pack:box:2"} == {"why"}
    assert jobs["pack:box:2"]["_cancel"] == "why"
    assert "children" not in found
    assert "waiting" not in found


async def test_a_family_is_deleted_from_the_top(control: Control, world: World) -> None:
    """Nothing of it stays but the bells."""
    seed_family(world)
    assert await control.delete("shop", "9")
    assert world.snapshot() == {}
    assert not await control.delete("shop", "9")


async def test_a_job_is_retried_in_the_queue_where_it_ended(control: Control, world: World) -> None:
    """A child too: its first queue is its own."""
    world.seed(jobs={"pack:box:1": {"n": "1", "_status": "cancelled"}})
    assert await control.retry_job("pack:box", "1") == "retried"
    assert world.snapshot()["waiting"] == {"pack:box": ["1"]}
    assert await control.retry_job("pack:box", "1") == "waiting"
    assert await control.retry_job("shop", "none") == "gone"


async def test_what_is_gone_or_over_is_answered(control: Control, world: World) -> None:
    """The words reach the caller."""
    world.seed(jobs={"shop:1": {"_status": "done", "_queue": "pick"}})
    assert await control.cancel("shop", "1", "why") == "too late"
    assert await control.cancel("shop", "none", "why") == "gone"
