"""Executions whose process has died, whose run has ended without them, or whose storage is away."""

from __future__ import annotations

from typing import Any

import pytest

from flows.errors import StoreUnavailable
from flows.model.tree.errors import TreeFailed
from flows.model.verdict import Fail
from flows.tree.asked import Asked
from flows.tree.begin import begin
from flows.tree.declare import Task
from flows.tree.takeover import PATIENCE_MS, Takeover
from tests.tree.kernel_world import Nothing, Site, World, done, ended, statuses, tree_of
from tests.waiting import LONG, until


@pytest.fixture
def world(redis_url: str, namespace: str) -> World:
    """Return the test's storage and index, and where its server is."""
    return World(redis_url, namespace)


async def test_what_was_begun_without_a_run_is_taken_over(world: World) -> None:
    """Who began it died before the run was there; where a run has ended without it, it is recorded as failed."""
    trees = world.trees()

    async def task(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        return 1

    made = tree_of(trees, Task("a", task))
    async with trees:
        instance = await made.create(Site())
        recipe = trees._host.recipes["site"]
        takeover = Takeover(trees._host, trees._runs.host)
        world.storage._clock = lambda: world.now
        lost = "01930000-0000-7000-8000-000000000001"
        await begin(world.storage, instance.id, recipe, lost, Asked())
        await trees._host.note()
        await takeover.tick()
        assert await trees._host.executor.under_way(lost) is None  # whoever has begun it may be about to
        world.now += PATIENCE_MS / 1000 + 1
        await takeover.tick()
        state = await ended(instance)
        assert (state.status, state.execution) == ("done", lost)

        async def has_ended() -> bool:
            return await trees._host.executor.under_way(lost) is False

        await until(has_ended)
        await begin(world.storage, instance.id, recipe, "01930000-0000-7000-8000-000000000002", Asked())
        found = world.storage._instances[instance.id]
        assert found.execution is not None
        found.execution = found.execution._replace(id=lost)  # whose run has ended
        found.record = type(found.record)("working", found.record.order, lost, started=found.record.started)
        world.now += PATIENCE_MS / 1000 + 1
        await trees._host.note()
        await takeover.tick()
        state = await instance.state()
        assert (state.status, state.error.type if state.error else "") == ("failed", "LostRun")
        assert statuses(state) == {"a": "ok"}


async def test_a_run_that_cannot_record_its_end_is_seen_as_failed_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its body has failed, and so has what is to record that: nobody waits for a look at all executions."""
    trees = world.trees()

    async def task(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        return 1

    give_up, recorded = trees._host.give_up, 0

    async def fail(*_given: object) -> None:
        raise Fail("a fault of ours")

    async def fail_once(*given: Any, **more: Any) -> None:
        nonlocal recorded
        recorded += 1
        if recorded == 1:
            raise Fail("another one")
        await give_up(*given, **more)

    monkeypatch.setattr(trees._host, "execute", fail)
    monkeypatch.setattr(trees._host, "give_up", fail_once)
    monkeypatch.setattr("flows.tree.takeover._EVERY", 3600.0)
    made = tree_of(trees, Task("a", task))
    async with trees:
        instance = await made.create(Site())
        execution = await instance.execute_all()
        with pytest.raises(TreeFailed, match="LostRun: the run of the execution has ended without it") as caught:
            await execution.wait(LONG)
        assert (caught.value.path, statuses(await instance.state())) == ("#", {"a": "inactive"})


async def test_a_storage_that_is_away_delays_an_execution(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written now is not lost: the run comes back."""
    monkeypatch.setattr("flows.tree.backend.kernel._LATER", 0.05)
    trees = world.trees()
    down = 2

    async def task(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        return 1

    write = world.storage.write

    async def away(*args: Any, **more: Any) -> int:
        nonlocal down
        if down:
            down -= 1
            raise StoreUnavailable("away")
        return await write(*args, **more)

    monkeypatch.setattr(world.storage, "write", away)
    made = tree_of(trees, Task("a", task))
    async with trees:
        assert (await done(await made.create(Site()))).status == "done"
