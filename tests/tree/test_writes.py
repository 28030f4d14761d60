"""What an execution writes is gathered within a tick of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from flows.errors import LostLease
from flows.model.tree.task_record import InstanceRecord, TaskRecord
from flows.tree.storage.memory import MemoryStorage
from flows.tree.storage.protocol import Token, Write
from flows.tree.writes import Writes


class Recorded(MemoryStorage):
    """A storage that says what it was asked for, and may lose the instance."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Any] = []
        self.revision = 10
        self.is_lost = False
        self.reached = asyncio.Event()

    async def write(
        self,
        instance_id: str,
        token: Token,
        writes: Sequence[Write],
        end: InstanceRecord | None = None,
        *,
        ttl: float | None = None,
    ) -> int:
        """Count the revisions."""
        self.reached.set()
        await asyncio.sleep(0)
        if self.is_lost:
            raise LostLease(instance_id)
        assert token.execution == "run"
        assert ttl is None
        self.asked.append([(one.path, one.record.status) for one in writes] + ([end.status] if end else []))
        self.revision += len(writes) + (end is not None)
        return self.revision

    async def log(self, instance_id: str, path: str, lines: Sequence[str]) -> None:
        """Note the lines."""
        assert instance_id == "id"
        self.asked.append((path, *lines))


class World:
    """What the writes of one attempt work with."""

    def __init__(self) -> None:
        self.storage = Recorded()
        self.records: dict[str, TaskRecord] = {}
        self.failed: list[BaseException] = []
        self.writes = Writes(self.storage, "id", Token("run"), self.records, self.failed.append)


async def test_the_last_record_of_a_tick_is_written_after_the_lines() -> None:
    """Who ends in the tick in which it began is never recorded as running; its lines are there at its end."""
    world = World()
    world.writes.note("#.a", TaskRecord("running"))
    world.writes.note("#.b", TaskRecord("running"))
    world.writes.log("#.a", "one")
    world.writes.log("#.a", "two")
    await asyncio.gather(
        world.writes.put(Write("#.a", TaskRecord("ok"))), world.writes.put(Write("#.c", TaskRecord("skipped")))
    )
    assert world.storage.asked == [("#.a", "one", "two"), [("#.a", "ok"), ("#.b", "running"), ("#.c", "skipped")]]
    assert {path: (one.status, one.order) for path, one in world.records.items()} == {
        "#.a": ("ok", 11), "#.b": ("running", 12), "#.c": ("skipped", 13),
    }  # fmt: skip


async def test_what_comes_while_a_write_is_under_way_goes_with_the_next() -> None:
    """One call at a time, in the order in which things came."""
    world = World()
    first = asyncio.create_task(world.writes.put(Write("#.a", TaskRecord("ok"))))
    await world.storage.reached.wait()
    world.writes.note("#.b", TaskRecord("running"))
    await world.writes.put(Write("#.c", TaskRecord("ok")))
    await first
    assert world.storage.asked == [[("#.a", "ok")], [("#.b", "running"), ("#.c", "ok")]]


async def test_many_records_go_in_calls_of_200() -> None:
    """Also with the end, which is in the last one, and takes along what was to be written soon."""
    world = World()
    many = [Write(f"#.t{at}", TaskRecord("queued")) for at in range(450)]
    await world.writes.put(*many)
    assert [len(one) for one in world.storage.asked] == [200, 200, 50]
    assert world.records["#.t449"].order == 460
    world.storage.asked.clear()
    world.writes.log("#.a", "late")
    world.writes.note("#.a", TaskRecord("running"))
    await world.writes.end(many[:201], InstanceRecord("done"), None)
    assert [len(one) for one in world.storage.asked] == [2, 200, 3]
    assert world.storage.asked[-1][-1] == "done"


async def test_large_results_go_in_calls_of_their_own() -> None:
    """Together in a call as far as they take 1 MiB, and one alone where it takes that."""
    world = World()
    sizes = [10, 1 << 20, 1 << 19, 1 << 19, 1, 1]
    await world.writes.put(*(Write(f"#.t{at}", TaskRecord("ok"), b"x" * size) for at, size in enumerate(sizes)))
    assert [len(one) for one in world.storage.asked] == [1, 1, 2, 2]
    assert [world.records[f"#.t{at}"].order for at in range(6)] == [11, 12, 13, 14, 15, 16]


async def test_who_has_lost_the_instance_is_told_once_and_for_all() -> None:
    """Those that wait, those that come later, and who runs the tasks."""
    world = World()
    world.storage.is_lost = True
    waiting = [asyncio.create_task(world.writes.put(Write(path, TaskRecord("ok")))) for path in ("#.a", "#.b")]
    for one in waiting:
        with pytest.raises(LostLease):
            await one
    assert len(world.failed) == 1
    with pytest.raises(LostLease):
        await world.writes.put(Write("#.c", TaskRecord("ok")))
    with pytest.raises(LostLease):
        await world.writes.end([], InstanceRecord("done"), None)
    assert world.records == {}
