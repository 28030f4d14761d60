"""Executions that are cancelled, from outside, by a function, and with their app."""

from __future__ import annotations

import asyncio

import pytest

from flows.errors import WaitTimeout
from flows.model.tree.errors import (
    TreeBusy,
    TreeFailed,
)
from flows.model.verdict import Cancel
from flows.tree.declare import Task, Tree
from flows.tree.trees import Trees
from tests.tree.in_memory import trees_in_memory
from tests.tree.site import (
    Nothing,
    Site,
    done,
    nothing,
    statuses,
    tree_of,
)
from tests.waiting import LONG


async def test_an_execution_is_cancelled(trees: Trees) -> None:
    """By its instance: what runs is cancelled, what is left does not begin."""
    reached = asyncio.Event()

    async def slow(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        reached.set()
        await asyncio.Event().wait()
        return 1

    made = tree_of(trees, Task("a", nothing), Task("slow", slow), Task("after", nothing))
    instance = await made.create(Site())
    assert not await instance.cancel()
    execution = await instance.execute_all()
    await reached.wait()
    with pytest.raises(TreeBusy) as caught:
        await instance.execute_all()
    assert caught.value.execution == execution.id
    with pytest.raises(TreeBusy):
        await instance.update(Site(limit=3))
    await instance.update(name="other")
    with pytest.raises(WaitTimeout):
        await execution.wait(0.01)
    assert await instance.cancel("enough")
    state = await execution.wait(LONG)
    assert statuses(state) == {"a": "ok", "slow": "cancelled", "after": "inactive"}
    assert (state.status, state.because) == ("cancelled", "enough")
    assert {state.tasks[one].because for one in ("#.slow", "#.after")} == {"enough"}


async def test_an_execution_is_cancelled_before_it_has_done_anything(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, twice, and while its generator is still at work: nothing stays queued, and it says so."""
    monkeypatch.setattr("flows.tree.recipe._MOST_GROWN", 0)  # as in another process
    made = []

    @trees.generator("slow")
    async def slow(data: Site) -> Tree:  # noqa: ARG001 - the tree is always the same
        made.append(1)
        if len(made) == 5:  # created, begun and executed, begun again
            await asyncio.Event().wait()
        return Tree(Task("a", nothing), Task("b", nothing))

    instance = await slow.create(Site())
    for count in (3, 5):
        execution = await instance.execute_all()
        assert len(made) == count
        assert all(await asyncio.gather(instance.cancel("one"), instance.cancel("two")))
        state = await execution.wait(LONG)
        assert (state.status, state.because) == ("cancelled", "one")
        assert not {"queued", "running"} & set(statuses(state).values())
    assert (await done(instance)).status == "done"


async def test_a_function_cancels_the_execution(trees: Trees) -> None:
    """By the verdict; one that is cancelled by something else has failed."""

    async def stop(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        raise Cancel("not needed")

    async def strange(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        raise asyncio.CancelledError

    async def endless(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        await asyncio.Event().wait()
        return 1

    beside = Task("g", subtasks=[Task("stop", stop), Task("endless", endless)])
    instance = await tree_of(trees, beside, Task("after", nothing)).create(Site())
    state = await done(instance)
    assert (state.status, state.because) == ("cancelled", "not needed")
    assert statuses(state) == {"g": "cancelled", "g.stop": "cancelled", "g.endless": "cancelled", "after": "inactive"}
    instance = await tree_of(trees, Task("strange", strange), name="y").create(Site())
    with pytest.raises(TreeFailed, match="CancelledError"):
        await done(instance)


async def test_a_closed_app_leaves_nothing_running() -> None:
    """What it executes is cancelled."""
    reached = asyncio.Event()

    async def slow(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        reached.set()
        await asyncio.Event().wait()
        return 1

    async with trees_in_memory("imports") as trees:
        instance = await tree_of(trees, Task("slow", slow)).create(Site(), execute=True)
        await reached.wait()
    assert (await instance.state()).status == "cancelled"
