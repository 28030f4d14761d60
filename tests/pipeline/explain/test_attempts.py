"""`flow.explain` of jobs that run, have run or wait for their children: what the sentence says makes the job run."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from flows import ValidationError
from flows.model.explain.reasons import REASONS
from flows.model.ids import new_job_id
from tests.pipeline.explain.scene import Scene, says
from tests.pipeline.parts import LONG, Lists, Numbers, Order, Price, Priced, price, ship, split, staff, within


async def test_running(scene: Scene) -> None:
    """It has to be waited for."""
    started, go = asyncio.Event(), asyncio.Event()

    async def slow(job: Price) -> Priced:
        started.set()
        await go.wait()
        return await price(job)

    job_id = await scene.created()
    scene.flow.create_workers("price", slow)
    scene.flow.create_workers("ship", ship)
    async with scene.flow:
        await started.wait()
        found = await scene.flow.explain(job_id)
        record = await scene.flow.get_job(job_id)
        assert record
        assert says(found, "running", "it runs in 'price'", record.worker.rpartition(".")[0], "attempt 1, lease for")
        go.set()
        assert (await scene.flow.wait_for(job_id, LONG)).status == "done"


async def test_silent(scene: Scene) -> None:
    """A process with workers takes it back."""
    await scene.created()
    scene.redis.delete(scene.key("waiting"))
    job_id = await scene.claimed()
    assert says(await scene.flow.explain(job_id), "running", "on other.1, attempt 1")
    scene.score("processing", job_id, -3)
    assert says(await scene.flow.explain(job_id), "silent", "other.1 has it, and has not renewed its lease")
    await scene.runs(job_id)


async def test_cancelling(scene: Scene) -> None:
    """Its worker is to stop it; afterwards it is retried by hand."""
    await scene.created()
    scene.redis.delete(scene.key("waiting"))
    job_id = await scene.claimed()
    assert await scene.flow.cancel_job(job_id, "not needed") == "requested"
    assert says(await scene.flow.explain(job_id), "cancelling", "(not needed): its function on other.1 was asked")
    scene.score("processing", job_id, -3)
    scene.flow.create_workers("price", price)
    scene.flow.create_workers("ship", ship)
    async with scene.flow:
        assert (await scene.flow.wait_for(job_id, LONG)).status == "cancelled"
        assert says(await scene.flow.explain(job_id), "ended", "it was cancelled at", "(not needed); retry_job")
        await scene.flow.retry_job(job_id)
        assert (await scene.flow.wait_for(job_id, LONG)).status == "done"
        assert says(await scene.flow.explain(job_id), "ended", "it is done at", "in 'ship'")


async def test_ended(scene: Scene) -> None:
    """One that has failed is retried by hand."""
    job_id = await scene.created()

    async def fails(_job: Price) -> Priced:
        raise ValueError("no\nprice")

    [worker] = scene.flow.create_workers("price", fails)
    async with scene.flow:
        await scene.flow.wait_for(job_id, LONG)
        found = await scene.flow.explain(job_id)
        assert says(found, "ended", "it failed at", "in 'price' by ValueError: no price; retry_job runs it again")
        assert found.facts["error"] == ["ValueError", "no\nprice"]
        await worker.stop()
        scene.flow.create_workers("price", price)
        scene.flow.create_workers("ship", ship)
        await scene.flow.retry_job(job_id)
        assert (await scene.flow.wait_for(job_id, LONG)).status == "done"


async def test_gone_and_expired(scene: Scene) -> None:
    """It is created anew."""
    assert says(await scene.flow.explain(new_job_id()), "gone", "flow 'orders' has no job")
    job_id = await scene.created()
    scene.redis.delete(scene.hash(job_id))
    found = await scene.flow.explain(job_id)
    assert says(found, "expired", "its id still stands in the waiting jobs of 'price': it has expired (job_ttl is 30 d")
    await scene.runs(await scene.created())
    with pytest.raises(ValidationError, match="is no job id"):
        await scene.flow.explain("1")


async def test_children(lists: Lists) -> None:
    """The child is explained that the sentence names, and what that says is done."""
    lists.create_workers("split", split)
    recorded = asyncio.create_task(lists.events.wait_for("job.recorded", queue="add"))
    job_id = await lists.create_job(Numbers(numbers=[1, 2]))
    async with lists:
        await within(recorded)
        found = await lists.explain(job_id)
        assert says(found, "children", "it waits in 'add' for 2 of its 2 children;", "of 'add:one' is waiting: explain")
        child: Any = found.facts["child"]
        assert says(await lists.explain(child[0]), "no_workers", "it waits in 'add:one', and no process has workers")
    staff(lists)
    async with lists:
        assert (await lists.wait_for(job_id, LONG)).status == "done"


async def test_a_child_of_a_parent_that_was_cancelled(lists: Lists, redis: Redis, namespace: str) -> None:
    """While not all of the children are cancelled yet; then the parent is retried, and creates it anew."""
    lists.create_workers("split", split)
    recorded = asyncio.create_task(lists.events.wait_for("job.recorded", queue="add"))
    job_id = await lists.create_job(Numbers(numbers=[1]))
    async with lists:
        await within(recorded)
        child: Any = (await lists.explain(job_id)).facts["child"]
        redis.hset(f"{namespace}flows:cancelling:lists", f"lists:{job_id}", "0")
        found = await lists.explain(child[0])
        assert says(found, "cancelling", f"its parent lists:{job_id} was cancelled, and so will it be")
        redis.delete(f"{namespace}flows:cancelling:lists")
        await lists.cancel_job(job_id)
        found = await lists.explain(child[0])
        assert says(found, "ended", "it was cancelled at", f"when its parent, lists:{job_id}, is retried")
        await lists.retry_job(job_id)
    staff(lists)
    async with lists:
        assert (await lists.wait_for(job_id, LONG)).status == "done"


def test_plain_callers_have_it_too(scene: Scene) -> None:
    """With its sentence as its text."""
    job_id = scene.flow.sync.create_job(Order(user_id=1))
    assert str(scene.flow.sync.explain(job_id)).startswith("it waits in 'price', and no process has workers of it")
    scene.flow.sync.close()


def test_every_reason_has_a_scenario() -> None:
    """In this folder, or with the pauses of queues (`test_pausing.py`)."""
    said: set[str] = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        said.update(re.findall(r'says\(.*, "(\w+)", f?"', path.read_text("utf-8")))
    assert [row.name for row in REASONS if row.name not in said] == ["paused"]
