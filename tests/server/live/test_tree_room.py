"""The room of a tree takes what is told with a message, reads where one is missing, and numbers as the storage does."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from flows.errors import StoreUnavailable
from flows.model.tree.errors import InstanceGone
from flows.model.tree.node import Declared, Node
from flows.model.tree.task_record import TaskRecord
from flows.server.live.tree_room import TreeRoom
from flows.store.jobs.log_line import pack_line
from flows.tree.storage.memory import MemoryStorage
from flows.tree.storage.protocol import InstanceChange, Write
from tests.scale import scaled
from tests.server.live.tree_client import TreeClient
from tests.server.live.tree_world import MemoryReads, World
from tests.waiting import patient, until


class Telling(MemoryReads):
    """Reads that hear all that the storage tells, as long as `hears` says so."""

    hears = True

    def tell(self) -> None:
        """Tell the room what the storage has told."""
        told, self.world.told[:] = list(self.world.told), []
        for one in told:
            if self.hears and self.hear is not None:
                self.hear(one)


@asynccontextmanager
async def watched() -> AsyncIterator[tuple[World, Telling, TreeRoom]]:
    """Open the room of an instance whose execution has begun."""
    world = World(random.Random(1), MemoryStorage())  # noqa: S311 - the same each time
    await world.create()
    await world._begin(await world.now())
    world.told.clear()
    reads = Telling(world)
    room = TreeRoom(world.id, reads)
    await room.open()
    try:
        yield world, reads, room
    finally:
        await room.close()


async def write(world: World, path: str, **record: object) -> None:
    """Write a record."""
    one = TaskRecord("running", **record)  # type: ignore[arg-type]
    await world.storage.write(world.id, world.token, [Write(path, one)])


async def test_what_is_told_is_not_read() -> None:
    """One read when it opens, however much is written; who watches holds all of it."""
    async with watched() as (world, reads, room):
        client, woken = TreeClient(), asyncio.Event()
        watch = room.enter(woken.set)
        watch.sight = "errors"
        client.take(watch.news())
        for number in range(50):
            await write(world, "#.fetch", message=f"{number}")
            reads.tell()
            while client.statuses.get("#.fetch", {}).get("message") != f"{number}":
                await woken.wait()
                woken.clear()
                assert client.take(watch.news())
        assert reads.loads == 1
        assert client.differs(await world.state()) == []


async def test_a_message_that_is_missing_is_read_for() -> None:
    """The next one shows that: it is read once, and what was told before counts too."""
    async with watched() as (world, reads, room):
        watch, client = room.enter(lambda: None), TreeClient()
        watch.sight = "errors"
        client.take(watch.news())
        reads.hears = False
        await write(world, "#.fetch", message="lost")
        reads.tell()
        reads.hears = True
        await write(world, "#.index", message="told")
        reads.tell()
        await until(lambda: reads.loads == 2)
        await until(lambda: room.snapshot.revision == 4)
        client.take(watch.news())
        assert client.differs(await world.state()) == []
        reads.hear(None)  # type: ignore[misc]
        await until(lambda: reads.loads == 3)
        assert list(watch.news()) == []


async def test_who_is_slow_is_sent_one_telling() -> None:
    """Of a thousand records, as each task is now; made once for all that have seen the same."""
    async with watched() as (world, reads, room):
        slow, other = room.enter(lambda: None), room.enter(lambda: None)
        for watch in (slow, other):
            watch.news()
        for number in range(1000):
            await write(world, "#.fetch", progress=number / 1000)
            reads.tell()
        await until(lambda: room.snapshot.revision == 1002)
        texts = slow.news()
        assert [json.loads(text)["type"] for text in texts] == ["setTasksStatuses"]
        assert list(json.loads(texts[0])["statuses"]) == ["#.fetch"]
        assert other.news()[0] is texts[0]


async def test_other_data_make_stale_without_a_record() -> None:
    """Who watches is told which tasks are stale now; a tree that is another one comes with its description."""
    async with watched() as (world, reads, room):
        watch, client = room.enter(lambda: None), TreeClient()
        watch.sight = "errors"
        client.take(watch.news())
        await world._end(await world.now())
        reads.tell()
        for change in (InstanceChange(data=b'{"url":"y","sizes":[]}'), InstanceChange(tree=world.trees[1])):
            revision = (await world.now()).revision
            await world.storage.change(world.id, change, revision)
            reads.tell()
            await until(lambda revision=revision: room.snapshot.revision > revision)  # type: ignore[misc]
            texts = watch.news()
            assert json.loads(texts[0])["type"] == "workflowDescription"
            client.take(texts)
            assert client.differs(await world.state()) == []


async def test_an_instance_that_is_gone_ends_the_room() -> None:
    """Who watches is woken, and who comes then is told at once."""
    async with watched() as (world, reads, room):
        woken = asyncio.Event()
        room.enter(woken.set)
        await world.storage.delete(world.id)
        reads.tell()
        await woken.wait()
        assert isinstance(room.error, InstanceGone)
        with pytest.raises(InstanceGone):
            await TreeRoom(world.id, Telling(world)).open()


async def test_a_storage_that_is_away_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was missed is read when it is back."""
    async with watched() as (world, reads, room):
        load, away = reads.load, True

        async def loading(since: int) -> object:
            if away:
                raise StoreUnavailable("away")
            return await load(since)

        monkeypatch.setattr(reads, "load", loading)
        await write(world, "#.fetch", message="missed")
        world.told.clear()
        reads.hear(None)  # type: ignore[misc]
        await until(lambda: room._must_look)
        away = False
        await until(lambda: room.snapshot.revision == 3)
        assert room.error is None


async def test_lines_of_logs_come_to_who_follows_them() -> None:
    """From the number on that each has; of paths that nobody follows nothing is read."""
    async with watched() as (world, _reads, room):
        for text in ("one", "two"):
            await world.storage.log(world.id, "#.fetch", [pack_line(text, "info", {}, 1)])
        first, second, third = (room.enter(lambda: None) for _ in range(3))
        first.logs, second.logs = {"#.fetch": 0}, {"#.fetch": 1, "#.nothing": 0}
        room.look_soon()
        await until(lambda: room._logs.get("#.fetch"))
        told = [[json.loads(text) for text in watch.news()] for watch in (first, second, third)]
        lines = [[one["lines"] for one in some if one["type"] == "taskLog"] for some in told]
        assert [[[line[2] for line in part] for part in some] for some in lines] == [[["one", "two"]], [["two"]], []]
        await world.storage.log(world.id, "#.fetch", [pack_line("three", "info", {}, 1)])
        room.look_soon()
        await until(lambda: len(room._logs["#.fetch"]) == 3)
        [text] = first.news()
        assert json.loads(text)["lines"][0][::2] == [3, "three"]


@pytest.mark.scale
async def test_a_tree_of_many_tasks_is_told_soon() -> None:
    """Of 10,000 the whole within 150 ms of the process, and a change in a message of its own size."""
    count = scaled(1_000, full=10_000)
    world = World(random.Random(1), MemoryStorage())  # noqa: S311 - the same each time
    world.trees[0] = Declared(tuple(Node(f"t{number}", works=True) for number in range(count))).write()
    await world.create()
    await world._begin(await world.now())
    for at in range(0, count, 200):
        some = [Write(f"#.t{number}", TaskRecord("ok", started=1, ended=2, bytes=3)) for number in range(at, at + 200)]
        await world.storage.write(world.id, world.token, some)
    reads = Telling(world)
    room = TreeRoom(world.id, reads)
    await world.now()
    await room._listen()
    began = time.process_time()
    await room._read()
    watch = room.enter(lambda: None)
    texts = watch.news()
    took = time.process_time() - began
    assert len(json.loads(texts[-1])["statuses"]) == count
    world.told.clear()
    await write(world, "#.t7", message="x")
    reads.tell()
    began = time.process_time()
    await room._read()
    texts = watch.news()
    change = time.process_time() - began
    assert len(texts[-1]) < 300
    print(f"{count} tasks: the whole {took * 1000:.0f} ms, a change {change * 1000:.0f} ms")  # noqa: T201 - a figure
    assert took < patient(0.15)
