"""What a watcher sees, and what functions report."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from flows.errors import FlowsError, ValidationError
from flows.model.tree.errors import (
    InstanceGone,
)
from flows.tree.current import current_task
from flows.tree.declare import Task
from flows.tree.generator import Generator
from flows.tree.state import InstanceState
from flows.tree.storage.memory import MemoryStorage
from flows.tree.trees import Trees
from tests.tree.in_memory import trees_in_memory
from tests.tree.site import (
    Nothing,
    Site,
    done,
    statuses,
    tree_of,
)
from tests.waiting import LONG, until


async def test_a_watcher_sees_how_it_goes(trees: Trees) -> None:
    """Each state once, the last one too, until the instance is gone."""
    seen: list[InstanceState] = []

    async def slow(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        for part in range(1, 4):
            current_task().progress(part / 4, f"part {part}")
            await until(lambda part=part: seen and seen[-1].progress == part / 4)  # type: ignore[misc]
        return 1

    instance = await tree_of(trees, Task("slow", slow)).create(Site(), execute=True)

    async def watch() -> None:
        async for state in instance.watch():
            seen.append(state)  # noqa: PERF401 - each as it comes

    watching = asyncio.create_task(watch())
    await until(lambda: seen and seen[-1].status == "done")
    await instance.destroy()
    async with asyncio.timeout(LONG):
        await watching
    assert [one.revision for one in seen] == sorted({one.revision for one in seen})
    assert "part 2" in {one.tasks["#.slow"].message for one in seen}
    assert seen[-1].status == "done"
    with pytest.raises(InstanceGone):
        await instance.state()


async def test_progress_is_written_now_and_then(trees: Trees) -> None:
    """However often it is reported: ten times a second at most."""

    async def chatty(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        for at in range(200):
            current_task().progress(at / 200)
            await asyncio.sleep(0)
        return 1

    instance = await tree_of(trees, Task("chatty", chatty)).create(Site())
    state = await done(instance)
    assert state.revision < 20
    assert state.tasks["#.chatty"].progress == 1.0


async def test_a_current_task_is_there_only_in_a_task(site: Generator[Site]) -> None:
    """And takes what it should be given."""
    with pytest.raises(FlowsError, match="outside of a task's function"):
        current_task()
    assert repr(site) == "<Generator site>"
    instance = await site.create(Site())
    assert repr(instance) == f"<Instance {instance.id} of site>"
    with pytest.raises(ValidationError):
        await site.create(Site(), labels={"a": 1})  # type: ignore[dict-item]
    with pytest.raises(ValidationError):
        await site.get("x")
    for wrong in ({"ephemeral": "no"}, {"execute": 1}, {"realm": None}, {"name": 3}):
        with pytest.raises(ValidationError):
            await site.create(Site(), **wrong)  # type: ignore[arg-type]
    for wrong in ({"subtree": "no"}, {"downstream": 1}):
        with pytest.raises(ValidationError):
            await instance.execute("#.fetch", **wrong)  # type: ignore[arg-type]
    for call in (instance.execute, instance.log, partial(instance.result, of=str)):
        with pytest.raises(ValidationError):
            await call(["#.fetch"])  # type: ignore[arg-type, operator]


async def test_reports_are_checked(trees: Trees) -> None:
    """Numbers and texts; and a thread may report too, until its attempt has ended."""
    left: list[Any] = []
    asyncio.get_running_loop().set_debug(True)  # it refuses what a thread may not call

    def report(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        current = current_task()
        left.append(current)
        for wrong in (2, -1, "x", True):
            with pytest.raises(ValidationError):
                current.progress(wrong)  # type: ignore[arg-type]
        with pytest.raises(ValidationError):
            current.progress(1, 3)  # type: ignore[arg-type]
        with pytest.raises(ValidationError):
            current.log(3)  # type: ignore[arg-type]
        current.log("from a thread")
        return 1

    instance = await tree_of(trees, Task("report", report)).create(Site())
    await done(instance)
    left[0].log("late")
    left[0].progress(0.5)
    for _ in range(10):
        await asyncio.sleep(0)
    assert left[0].cancelled
    assert [one.text for one in await instance.log("#.report")] == ["from a thread"]
    assert (await instance.state()).tasks["#.report"].status == "ok"


async def test_no_progress_takes_the_place_of_an_end() -> None:
    """Where the end takes longer to be written than progress waits for its turn."""

    class Slow(MemoryStorage):
        async def write(self, *args: Any, **more: Any) -> int:
            await asyncio.sleep(0.15)
            return await super().write(*args, **more)

    async def tells(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        current_task().progress(0.1)
        await asyncio.sleep(0)
        current_task().progress(1.0, "all")
        return 3

    async with trees_in_memory("imports", storage=Slow()) as trees:
        instance = await tree_of(trees, Task("a", tells), Task("b", tells)).create(Site())
        assert statuses(await done(instance)) == {"a": "ok", "b": "ok"}
