"""Control: cancel, retry and delete reach a job's children too."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from flows.store.client.connection import Connection
from flows.store.jobs.control import Control
from tests.world import World, await_children, packed, processing


@pytest_asyncio.fixture
async def control(redis_url: str, world: World) -> AsyncIterator[Control]:
    """Act on the world's flow."""
    connection = Connection(redis_url, "test-control")
    yield Control(connection, world.settings)
    await connection.close()


def seed_family(world: World) -> None:
    """Let `9` wait for `1` and `2` in `pack`, and `1` for `5` in `pack:box`; `2` runs."""
    world.seed(jobs={"shop:9": processing("pack")})
    world.report(await_children("9", children=(("box", "1"), ("box", "2"))), queue="pack")
    world.claim(2, queue="pack:box")
    world.report(await_children("1", children=(("lid", "5"),)), queue="pack:box")


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
    assert {"children", "waiting", "cancelling"}.isdisjoint(found)


async def test_a_large_family_is_cancelled_to_the_last(control: Control, world: World) -> None:
    """It takes many calls, and the answer comes after the last."""
    world.seed(jobs={"shop:9": processing("pack")})
    ids = [f"c{number}" for number in range(450)]
    for start in range(0, 450, 150):
        part = packed(tuple(("box", child_id) for child_id in ids[start : start + 150]))
        world.run("build", *part, queue="pack", id="9", fence=1, offset=start)
    while world.run("publish", queue="pack", id="9", fence=1)[1]:
        pass
    world.report(await_children("9"), queue="pack")
    assert await control.cancel("shop", "9", "why") == "cancelled"
    found = world.snapshot()
    assert {job["_status"] for job in found["jobs"].values()} == {"cancelled"}
    assert {"pending", "parents", "cancelling", "waiting"}.isdisjoint(found)


async def test_whoever_cancels_again_goes_on_with_the_children(control: Control, world: World) -> None:
    """A client that died has cancelled the parent alone; for the next it is too late, but not for the children."""
    seed_family(world)
    world.run("cancel", id="9", reason="why")
    assert await control.cancel("shop", "9", "again") == "too late"
    assert world.job("pack:box:lid:5")["_status"] == "cancelled"
    assert "cancelling" not in world.snapshot()


async def test_a_parent_is_cancelled_although_its_children_are_not_yet(
    control: Control, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be done now is noted, and left to the rescuers: the answer is true all the same."""
    seed_family(world)
    building = world.key("building", "shop:9")
    world.redis.set(building, "not ours")
    with caplog.at_level(logging.WARNING):
        assert await control.cancel("shop", "9", "why") == "cancelled"
    assert f"left to the next rescuer: {building} holds a string" in caplog.text
    assert world.snapshot()["cancelling"] == {"shop": {"shop:9": "1"}}
    world.redis.delete(building)
    assert (await control.cascade()).parents == ["pack:box:1"]
    assert (await control.cascade()).count == 1
    assert (await control.cascade()).parent == ""


async def test_a_job_that_runs_is_asked_as_often_as_one_likes(control: Control, world: World) -> None:
    """The answer is the same, and so is the job."""
    world.seed(jobs={"shop:1": processing()})
    assert await control.cancel("shop", "1", "why") == "requested"
    once = world.snapshot()
    assert await control.cancel("shop", "1", "another") == "requested"
    assert world.snapshot() == once


async def test_a_family_is_deleted_from_the_top(control: Control, world: World) -> None:
    """Nothing of it stays but the wake-ups."""
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


async def test_a_parent_is_retried_after_its_children_were_cancelled(control: Control, world: World) -> None:
    """Also where somebody else has begun to cancel them and did not come to the end."""
    seed_family(world)
    world.run("cancel", id="9", reason="why")
    assert await control.retry_job("shop", "9") == "retried"
    found = world.snapshot()
    assert (found["waiting"]["pack"], found["cancelling"]) == (["9"], {"shop": {"pack:box:1": "1"}})
    assert found["jobs"]["pack:box:2"]["_cancel"] == "why"


async def test_what_is_gone_or_over_is_answered(control: Control, world: World) -> None:
    """The words reach the caller."""
    world.seed(jobs={"shop:1": {**processing("pick"), "_status": "done"}})
    assert await control.cancel("shop", "1", "why") == "too late"
    assert await control.cancel("shop", "none", "why") == "gone"
