"""`flow.explain` of jobs whose data was edited or lost: doing what the sentence says makes the job run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from redis import Redis

from tests.pipeline.explain.scene import Scene, says
from tests.pipeline.parts import LONG, Lists, Numbers, price, ship, split, staff, within


@pytest.mark.parametrize("status", ["waiting", "delayed"])
async def test_lost(scene: Scene, status: str) -> None:
    """The reconciler of a process with workers puts it back."""
    job_id = await scene.created(**({"delay": timedelta(hours=1)} if status == "delayed" else {}))
    scene.serve()
    scene.redis.delete(scene.key(status))
    assert says(await scene.flow.explain(job_id), "lost", f"it is {status}, and does not stand among the {status} jobs")
    scene.redis.delete(f"{scene.namespace}flows:reconcile:orders")  # so that a pass begins at once
    await scene.runs(job_id)


async def test_lost_by_its_worker(scene: Scene) -> None:
    """The same of a job that no worker holds, though its hash says that one does."""
    await scene.created()
    scene.redis.delete(scene.key("waiting"))
    job_id = await scene.claimed()
    scene.redis.delete(scene.key("processing"))
    assert says(await scene.flow.explain(job_id), "lost", "it is processing, and does not stand among the processing")
    scene.redis.delete(f"{scene.namespace}flows:reconcile:orders")
    await scene.runs(job_id)


@pytest.mark.parametrize("what", ["queue:add:children", "flows:pending:lists:"])
async def test_lost_children(make_lists: Callable[..., Lists], redis: Redis, namespace: str, what: str) -> None:
    """The same of a parent that does not stand where it waits, or that waits for no child."""
    lists = make_lists(lease=timedelta(seconds=1))
    lists.create_workers("split", split)
    recorded = asyncio.create_task(lists.events.wait_for("job.recorded", queue="add"))
    job_id = await lists.create_job(Numbers(numbers=[1]))
    async with lists:
        await within(recorded)
        redis.delete(f"{namespace}{what}{job_id if what.endswith(':') else ''}")
        assert says(await lists.explain(job_id), "lost", "the reconciler of a process with workers")
        redis.delete(f"{namespace}flows:reconcile:lists")
    staff(lists)
    async with lists:
        assert (await lists.wait_for(job_id, LONG)).status == "done"


async def test_malformed(scene: Scene) -> None:
    """The field that was edited is deleted."""
    job_id = await scene.created()
    scene.serve()
    scene.redis.hset(scene.hash(job_id), "_attempt", "nonsense")
    assert says(await scene.flow.explain(job_id), "malformed", "_attempt is 'nonsense'", "delete that field")
    scene.redis.hdel(scene.hash(job_id), "_attempt")
    await scene.runs(job_id)


async def test_malformed_by_its_status(scene: Scene) -> None:
    """The reconciler fails it, and then it is retried by hand."""
    job_id = await scene.created()
    scene.redis.hset(scene.hash(job_id), "_status", "odd")
    assert says(await scene.flow.explain(job_id), "malformed", "_status is 'odd', which is no state")
    scene.flow.create_workers("price", price)
    scene.flow.create_workers("ship", ship)
    async with scene.flow:
        assert (await scene.flow.wait_for(job_id, LONG)).status == "failed"
        await scene.flow.retry_job(job_id)
        assert (await scene.flow.wait_for(job_id, LONG)).status == "done"


async def test_malformed_by_its_key(scene: Scene) -> None:
    """That key is deleted, and then the job is created anew."""
    job_id = await scene.created()
    scene.redis.delete(scene.hash(job_id))
    scene.redis.set(scene.hash(job_id), "not ours")
    assert says(await scene.flow.explain(job_id), "malformed", "its key holds a string", "delete or rename that key")
    scene.redis.delete(scene.hash(job_id))
    assert says(await scene.flow.explain(job_id), "expired", "create it anew")
    await scene.runs(await scene.created())
