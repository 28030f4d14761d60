"""The index is told of what has changed, whoever dies on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from flows.errors import StoreUnavailable
from flows.model.tree.task_record import InstanceRecord
from flows.tree.index.memory import MemoryIndex
from flows.tree.index.protocol import Find
from flows.tree.outbox import Outbox
from flows.tree.storage.memory import MemoryStorage
from flows.tree.storage.protocol import InstanceChange, InstanceRow, Unindexed
from tests.tree.conformance.storage import ABC, DATA, begun, row
from tests.waiting import LONG, until


class Mortal(MemoryIndex):
    """An index whose process dies at the n-th call."""

    def __init__(self) -> None:
        super().__init__()
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
        await super().put(rows)


class Forgetful(MemoryStorage):
    """A storage whose process dies before it notes that the index knows."""

    dies = False

    async def indexed(self, app: str, moved: Sequence[Unindexed]) -> None:
        """Die, or note it."""
        if self.dies:
            raise StoreUnavailable("it is away")
        await super().indexed(app, moved)


async def statuses(index: MemoryIndex) -> list[str]:
    """Return what the index knows."""
    return [one.status for one in (await index.find("imports", Find())).rows]


@pytest.mark.parametrize("dies_before", [True, False])
async def test_a_death_leaves_no_difference_after_the_next_pass(dies_before: bool) -> None:  # noqa: FBT001
    """Between the change and the index, and between the index and the note of it."""
    storage, index = Forgetful(), Mortal()
    dying, next_one = Outbox("imports", storage, index), Outbox("imports", storage, index)
    index.dies_at, storage.dies = ({1} if dies_before else set()), not dies_before
    instance_id, token = await begun(storage)
    with pytest.raises(StoreUnavailable):
        await dying.note()
    storage.dies = False
    assert await next_one.move() == 1
    assert await statuses(index) == ["working"]
    assert await next_one.move() == 0
    await storage.write(instance_id, token, [], InstanceRecord("done"))
    await storage.delete(instance_id)
    assert await next_one.move() == 1
    assert await statuses(index) == []


async def test_callers_of_one_moment_share_a_pass() -> None:
    """And each returns when the index knows of what it has changed, also where a pass was under way."""
    storage, index = MemoryStorage(), Mortal()
    outbox = Outbox("imports", storage, index)

    async def create() -> None:
        new = row()
        await storage.create(new, DATA, ABC)
        await outbox.note()
        assert new.id in [one.id for one in (await index.find("imports", Find())).rows]

    await asyncio.gather(*(create() for _ in range(50)))
    assert sum(index.puts) == 50
    assert len(index.puts) <= 3


async def test_a_caller_that_is_cancelled_disturbs_nobody() -> None:
    """The pass goes on for the others."""
    storage, index = MemoryStorage(), Mortal()
    outbox = Outbox("imports", storage, index)
    await storage.create(row(), DATA, ABC)
    leaving, staying = asyncio.create_task(outbox.note()), asyncio.create_task(outbox.note())
    await asyncio.sleep(0)
    leaving.cancel()
    await staying
    assert await statuses(index) == ["idle"]


async def test_more_than_a_page_is_moved_page_by_page() -> None:
    """To the last one."""
    storage, index = MemoryStorage(), Mortal()
    for _ in range(250):
        await storage.create(row(), DATA, ABC)
    assert await Outbox("imports", storage, index).move() == 250
    assert index.puts == [100, 100, 50]


async def test_what_others_have_left_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Now and then, also after a pass that failed."""
    monkeypatch.setattr("flows.tree.outbox._PAUSE", 0.01)
    storage, index = MemoryStorage(), Mortal()
    index.dies_at = {1, 2}
    new = row()
    await storage.create(new, DATA, ABC)
    outbox = Outbox("imports", storage, index)
    outbox.start()
    outbox.start()
    await until(lambda: index.puts)
    await storage.change(new.id, InstanceChange(name="b"), 1)
    async with asyncio.timeout(LONG):
        while [one.name for one in (await index.find("imports", Find())).rows] != ["b"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await outbox.stop()
    await outbox.stop()
