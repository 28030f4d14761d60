"""How executions begin: later, by a schedule, once for a `ref`, one at a time, and without their code."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows.errors import ValidationError, WaitTimeout
from flows.model.schedules.every import Every
from flows.model.tree.errors import TaskNotReady, TreeBusy, TreeFailed
from flows.tree.annotations import TaskInput
from flows.tree.codeless import codeless_host
from flows.tree.declare import Task
from flows.tree.instance import Instance
from tests.tree.kernel_world import Nothing, Site, World, done, ended, statuses, tree_of
from tests.waiting import LONG, until


@pytest.fixture
def world(redis_url: str, namespace: str) -> World:
    """Return the test's storage and index, and where its server is."""
    return World(redis_url, namespace)


async def test_an_execution_begins_later(world: World) -> None:
    """At a time, after a delay, by a schedule; what cannot begin then is told; while the instance is busy, it waits."""
    trees = world.trees()

    async def task(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        world.calls.append("x")
        return 1

    class First(TaskInput):
        first: int

    async def second(view: First) -> int:
        return view.first

    made = tree_of(trees, Task("first", task), Task("second", second))
    async with trees:
        instance = await made.create(Site())
        later = await instance.execute_all(delay=0.3)
        assert (await instance.state()).status == "idle"
        assert (await later.wait(LONG)).status == "done"
        other = await made.create(Site())
        at = await other.execute("#.first", run_at=datetime.now(UTC) + timedelta(seconds=0.2))
        state = await at.wait(LONG)
        assert statuses(state) == {"first": "ok", "second": "inactive"}
        third = await made.create(Site())
        wrong = await third.execute("#.second", delay=0.1)
        with pytest.raises(TreeFailed, match="could not begin"):
            await wrong.wait(LONG)
        assert (await third.state()).status == "idle"
        schedule = await third.execute_all(cron=Every(timedelta(seconds=1)))
        assert third.id in schedule.id

        async def has_run() -> bool:
            return (await third.state()).status == "done"

        await until(has_run)
        await third.destroy()

        async def is_deleted() -> bool:
            return all(one.id != schedule.id for one in await trees.schedules.list())

        await until(is_deleted)
        with pytest.raises(ValidationError, match="says when"):
            await instance.execute_all(cron=Every(1), delay=1)  # type: ignore[call-overload]


async def test_a_wait_without_workers_says_so(world: World) -> None:
    """In whatever process they would be; once there are some, a wait that is too short is just that."""
    reached = asyncio.Event()

    async def slow(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        reached.set()
        await asyncio.Event().wait()
        return 1

    async with world.without_workers() as trees:
        instance = await tree_of(trees, Task("a", slow)).create(Site())
        execution = await instance.execute_all()
        with pytest.raises(WaitTimeout, match="no process has workers of app 'imports': create_workers"):
            await execution.wait(0.01)
        working = world.trees()
        tree_of(working, Task("a", slow))
        async with working:
            await asyncio.wait_for(reached.wait(), LONG)
            with pytest.raises(WaitTimeout, match=r"has not ended in 0\.01 s$"):
                await execution.wait(0.01)
            await instance.cancel()
            await ended(instance)


async def test_a_ref_executes_once(world: World) -> None:
    """Also when something else was executed in between."""
    trees = world.trees()

    async def task(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        world.calls.append("x")
        return 1

    made = tree_of(trees, Task("a", task))
    async with trees:
        instance = await made.create(Site())
        first = await instance.execute_all(ref="click-1")
        await first.wait(LONG)
        again = await instance.execute_all(ref="click-1")
        assert again.id == first.id
        assert (await again.wait(LONG)).status == "done"
        await done(instance)
        assert (await instance.execute_all(ref="click-1")).id == first.id
        assert (await instance.execute_all(ref="click-2")).id != first.id
        await ended(instance)
        assert world.calls == ["x"] * 3
        with pytest.raises(ValidationError):
            await instance.execute_all(ref="")


async def test_trees_without_their_code(world: World) -> None:
    """An operator executes what was described last, and cancels; the app's workers do it."""
    trees = world.trees()

    async def task(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        return 1

    made = tree_of(trees, Task("a", task), Task("b", task))
    async with trees:
        instance = await made.create(Site())
        host = codeless_host("imports", trees._runs.host, world.storage, world.index)
        same: Instance[Any] = Instance(host, None, instance.id)
        with pytest.raises(TaskNotReady):
            await same.execute("#.b")
        assert (await done(same)).status == "done"
        execution = await same.execute("#.b", ref="r")
        assert (await execution.wait(LONG)).status == "done"
        with pytest.raises(ValidationError, match="without the app's code"):
            await same.execute_all(delay=1)


async def test_one_execution_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two callers one begins, and the other is told which; what is to begin later comes back."""
    monkeypatch.setattr("flows.tree.backend.kernel._LATER", 0.05)
    trees = world.trees()
    go = asyncio.Event()

    async def task(view: Nothing) -> None:  # noqa: ARG001 - it is a task
        await go.wait()

    made = tree_of(trees, Task("a", task))
    async with trees:
        instance = await made.create(Site())
        first = await instance.execute_all()
        with pytest.raises(TreeBusy) as caught:
            await instance.execute_all()
        assert caught.value.execution == first.id
        comes_back = asyncio.Event()
        trees._runs.events.subscribe(lambda event: comes_back.set() if event.name == "job.snoozed" else None)
        waits = await instance.execute_all(delay=0.05)
        await asyncio.wait_for(comes_back.wait(), LONG)
        assert (await instance.state()).execution == first.id
        go.set()
        await first.wait(LONG)
        assert (await waits.wait(LONG)).execution == waits.id
