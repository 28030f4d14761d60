"""An execution that dies at any of its writes goes on, and comes to the same."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from flows.errors import LostLease, StoreUnavailable
from flows.tree.declare import Task, Tree
from flows.tree.storage.memory import MemoryStorage
from tests.tree.random_declared import random_declared
from tests.tree.walked import (
    Died,
    Mortal,
    Site,
    Url,
    World,
    fetch,
    finished,
    is_wanted,
    ran,
)
from tests.waiting import LONG


@pytest.mark.parametrize("is_bad", [False, True])
async def test_it_dies_at_each_write_and_comes_to_the_same(is_bad: bool) -> None:  # noqa: FBT001 - a parameter
    """Before each write and after it: what was recorded does not run again, and nothing stays queued or running."""
    ran.clear()
    calm = World(Mortal(), data=Site(bad=is_bad))
    await calm.begin()
    undisturbed = await calm.work()
    assert undisturbed.status == ("failed" if is_bad else "done")
    expected, once = await calm.statuses(), sorted(ran)
    result = await calm.storage.results(calm.row.id, list(expected))
    assert "never" not in once
    assert len(once) == (7 if is_bad else 8)
    count = calm.storage.writes  # type: ignore[attr-defined]
    assert count > 5
    for dies_at in [(one, when) for one in range(1, count + 1) for when in ("before", "after")]:
        ran.clear()
        storage = Mortal()
        world = World(storage, data=Site(bad=is_bad))
        await world.begin()
        storage.dies_at = dies_at
        with pytest.raises(Died):
            await world.work()
        known = {path[path.rindex(".") + 1 :] for path, one in (await world.snapshot()).tasks.items() if one.ended}
        ran_before, storage.dies_at = list(ran), (0, "")
        end = await finished(world)
        assert await world.statuses() == expected, dies_at
        assert (end.status, end.progress) == (undisturbed.status, undisturbed.progress)
        assert await storage.results(world.row.id, list(expected)) == result
        assert not known & set(ran[len(ran_before) :]), dies_at
        assert sorted(set(ran)) == once, dies_at


async def test_it_dies_while_it_skips_more_than_one_call_writes() -> None:
    """What was to be skipped is, and does not run; also where it was ok in an earlier execution."""

    def wide(data: Site) -> Tree:  # noqa: ARG001 - the tree is always the same
        below = [Task(f"t{at}", fetch) for at in range(250)]
        return Tree(Task("g", condition=is_wanted, subtasks=below))

    ran.clear()
    storage = Mortal()
    world = World(storage, wide)
    await world.begin()
    storage.dies_at = (1, "after")  # it has skipped 200 of them
    with pytest.raises(Died):
        await world.work()
    assert sum(one == "skipped" for one in (await world.statuses()).values()) == 200
    storage.dies_at = (0, "")
    assert (await world.work()).status == "done"
    assert set((await world.statuses()).values()) == {"skipped"}
    assert ran == []


async def test_who_has_lost_the_instance_writes_nothing_more() -> None:
    """A stalled process wakes when another one has taken over: it stops what it runs."""
    storage = Mortal()
    world = World(storage)
    await world.begin()
    reached, stalled = asyncio.Event(), asyncio.Event()
    write = MemoryStorage.write

    async def stall(self: MemoryStorage, *args: Any, **more: Any) -> int:
        if args[1].fence == 1 and any(one.path == "#.images.small" for one in args[2] if one.result):
            reached.set()
            await stalled.wait()
        return await write(self, *args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MemoryStorage, "write", stall)
        slow = asyncio.create_task(world.work())
        await reached.wait()
        assert (await world.work()).status == "done"
        before = await world.snapshot()
        stalled.set()
        with pytest.raises(LostLease):
            await slow
    assert await world.snapshot() == before


async def test_what_runs_is_stopped_when_nothing_can_be_written() -> None:
    """However long it would take: whoever has the instance now runs it too."""
    ended: list[str] = []

    async def endless(view: Url) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(view.url)
        return ""

    def two(data: Site) -> Tree:  # noqa: ARG001 - the tree is always the same
        return Tree(Task("g", subtasks=[Task("endless", endless), Task("fetch", fetch)]))

    storage = Mortal()
    world = World(storage, two)
    await world.begin()
    storage.dies_at = (1, "before")
    async with asyncio.timeout(LONG):
        with pytest.raises(Died):
            await world.work()
    assert ended == ["u"]


async def test_a_storage_that_is_away_breaks_it_off() -> None:
    """Whatever runs meanwhile; another attempt goes on."""
    storage = Mortal()
    world = World(storage)
    await world.begin()
    storage.dies_at, storage.error = (4, "before"), StoreUnavailable
    with pytest.raises(StoreUnavailable):
        await world.work()
    assert (await world.work()).status == "done"


@pytest.mark.parametrize("seed", range(40))
async def test_random_trees_die_at_random_writes(seed: int) -> None:
    """Their conditions and failures hang on the data alone: they come to what they come to undisturbed."""
    draw = random.Random(seed)  # noqa: S311 - not a secret
    make, data = random_declared(draw)
    calm = World(MemoryStorage(), make, data)
    await calm.begin()
    end = await calm.work()
    expected = await calm.statuses()
    if end.status == "done":
        assert not {"queued", "running", "inactive"} & set(expected.values())
    storage = Mortal()
    world = World(storage, make, data)
    await world.begin()
    for _ in range(4):
        storage.dies_at = storage.writes + draw.randint(1, 4), draw.choice(("before", "after"))
        if (await world.snapshot()).record.status == "working":
            try:
                await world.work()
            except Died:
                continue
    storage.dies_at = (0, "")
    assert (await finished(world)).status == end.status
    if end.status == "done":
        assert await world.statuses() == expected
    assert not {"queued", "running"} & set((await world.statuses()).values())
