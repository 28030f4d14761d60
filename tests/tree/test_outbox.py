"""The index is told of what has changed, whoever dies on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

import pytest

from flows.errors import StoreUnavailable
from flows.model.tree.task_record import InstanceRecord
from flows.tree.index.memory import MemoryIndex
from flows.tree.index.protocol import Find, Index, InstancePage
from flows.tree.index.redis import RedisIndex
from flows.tree.outbox import Outbox
from flows.tree.storage.memory import MemoryStorage
from flows.tree.storage.protocol import InstanceChange, InstanceRow, Storage, Unindexed
from flows.tree.storage.redis import RedisStorage
from tests.tree.conformance.instances import ABC, DATA, begun, row
from tests.waiting import until


class Mortal:
    """An index that counts its calls, and whose process dies in some of them."""

    def __init__(self, of: Index) -> None:
        self.of = of
        self.calls = 0
        self.dies_at: set[int] = set()
        self.puts: list[int] = []

    async def put(self, rows: Sequence[InstanceRow]) -> None:
        """Die, or take rows."""
        self.calls += 1
        if self.calls in self.dies_at:
            raise StoreUnavailable("it is away")
        await asyncio.sleep(0)
        self.puts.append(len(rows))
        await self.of.put(rows)

    async def remove(self, ids: Sequence[str]) -> None:
        """Forget instances."""
        await self.of.remove(ids)

    async def find(self, app: str, query: Find) -> InstancePage:
        """Find instances."""
        return await self.of.find(app, query)


class World(NamedTuple):
    """A storage and an index of one kind."""

    storage: Storage
    index: Mortal

    def outbox(self) -> Outbox:
        """Return the outbox of another process."""
        return Outbox("imports", self.storage, self.index)

    async def known(self) -> list[tuple[str, str]]:
        """Return status and name of what the index knows."""
        return [(one.status, one.name) for one in (await self.index.find("imports", Find())).rows]


@pytest.fixture(params=["memory", "redis"])
async def world(request: pytest.FixtureRequest, redis_url: str, namespace: str) -> AsyncIterator[World]:
    """Return a world of each kind."""
    if request.param == "memory":
        yield World(MemoryStorage(), Mortal(MemoryIndex()))
        return
    storage, index = RedisStorage(redis_url, namespace=namespace), RedisIndex(redis_url, namespace=namespace)
    yield World(storage, Mortal(index))
    await storage.close()
    await index.close()


@pytest.mark.parametrize("where", ["before the index", "after the index"])
async def test_a_death_leaves_no_difference_after_the_next_pass(
    world: World, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the change and the index, and between the index and the note of it."""

    async def die(_app: str, _moved: Sequence[Unindexed]) -> None:
        raise StoreUnavailable("it is away")

    instance_id, token = await begun(world.storage)
    with monkeypatch.context() as patch:
        if where == "before the index":
            world.index.dies_at = {1}
        else:
            patch.setattr(world.storage, "indexed", die)
        with pytest.raises(StoreUnavailable):
            await world.outbox().note()
    outbox = world.outbox()
    assert await outbox.move() == 1
    assert await world.known() == [("working", "")]
    assert await outbox.move() == 0
    await world.storage.write(instance_id, token, [], InstanceRecord("done"))
    await world.storage.delete(instance_id)
    assert await outbox.move() == 1
    assert await world.known() == []


async def test_who_is_slow_makes_nothing_older_last(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One has read a row; another one tells the index that the instance is gone; then the first tells what it read."""
    instance_id, _token = await begun(world.storage)
    slow, quick = world.outbox(), world.outbox()
    read = world.storage.unindexed

    async def overtaken(app: str, limit: int = 100) -> list[Unindexed]:
        found = await read(app, limit)
        monkeypatch.setattr(world.storage, "unindexed", read)
        await world.storage.delete(instance_id)
        assert await quick.move() == 1
        return found

    monkeypatch.setattr(world.storage, "unindexed", overtaken)
    assert await slow.move() == 1
    await quick.move()
    assert await world.known() == []


async def test_callers_of_one_moment_share_a_pass(world: World) -> None:
    """And each returns when the index knows of what it has changed, also where a pass was under way."""
    outbox = world.outbox()

    async def create() -> None:
        new = row()
        await world.storage.create(new, DATA, ABC)
        await outbox.note()
        assert new.id in [one.id for one in (await world.index.find("imports", Find())).rows]

    await asyncio.gather(*(create() for _ in range(50)))
    assert sum(world.index.puts) == 50
    assert len(world.index.puts) <= 25


async def test_a_caller_that_is_cancelled_disturbs_nobody(world: World) -> None:
    """The pass goes on for the others."""
    outbox = world.outbox()
    await world.storage.create(row(), DATA, ABC)
    leaving, staying = asyncio.create_task(outbox.note()), asyncio.create_task(outbox.note())
    await asyncio.sleep(0)
    leaving.cancel()
    await staying
    assert await world.known() == [("idle", "")]


async def test_more_than_a_page_is_moved_page_by_page(world: World) -> None:
    """To the last one."""
    for _ in range(250):
        await world.storage.create(row(), DATA, ABC)
    assert await world.outbox().move() == 250
    assert world.index.puts == [100, 100, 50]


async def test_what_others_have_left_is_looked_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Now and then, also after a pass that failed."""
    monkeypatch.setattr("flows.tree.outbox._PAUSE", 0.01)
    world.index.dies_at = {1, 2}
    new = row()
    await world.storage.create(new, DATA, ABC)
    outbox = world.outbox()
    outbox.start()
    outbox.start()
    await until(lambda: world.index.puts)
    await world.storage.change(new.id, InstanceChange(name="b"), 1)

    async def is_told() -> bool:
        return await world.known() == [("idle", "b")]

    await until(is_told)
    await outbox.stop()
    await outbox.stop()
