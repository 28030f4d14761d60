"""The storage and the index in Redis keep to what all of them do, and to what those in memory answer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from flows.errors import DeclarationError, LostLease, MalformedJob, StoreFull, StoreUnavailable
from flows.model.ids import new_job_id
from flows.model.tree.node import Declared, Node
from flows.model.tree.task_record import InstanceRecord, TaskRecord
from flows.testing import private_server
from flows.tree.index.memory import MemoryIndex
from flows.tree.index.protocol import Find, Index
from flows.tree.index.redis import RedisIndex
from flows.tree.storage.memory import MemoryStorage
from flows.tree.storage.protocol import Execution, InstanceChange, InstanceRow, Storage, Token, Write
from flows.tree.storage.redis import RedisStorage
from tests.scale import scaled
from tests.tree.conformance.histories import play
from tests.tree.conformance.index import IndexConformance, rows
from tests.tree.conformance.instances import ABC, DATA, begun, row
from tests.tree.conformance.storage import StorageConformance


@pytest.fixture
async def storage(redis_url: str, namespace: str) -> AsyncIterator[RedisStorage]:
    """Return a storage in the namespace of a test."""
    storage = RedisStorage(redis_url, namespace=namespace)
    yield storage
    await storage.close()


@pytest.fixture
async def index(redis_url: str, namespace: str) -> AsyncIterator[RedisIndex]:
    """Return an index in the namespace of a test."""
    index = RedisIndex(redis_url, namespace=namespace)
    yield index
    await index.close()


class TestRedisStorage(StorageConformance):
    """In Redis."""

    @pytest.fixture
    def storage(self, storage: RedisStorage) -> Storage:
        """Return a new one."""
        return storage


class TestRedisIndex(IndexConformance):
    """In Redis."""

    @pytest.fixture
    def index(self, index: RedisIndex) -> Index:
        """Return a new one."""
        return index


@pytest.mark.scale
async def test_random_histories_are_those_of_memory(storage: RedisStorage) -> None:
    """Each call answers the same, and the instance stands the same after each."""
    for seed in range(scaled(25, full=1000)):
        assert await play(storage, seed) == await play(MemoryStorage(), seed), seed


@pytest.mark.scale
async def test_random_indexes_are_those_of_memory(index: RedisIndex) -> None:
    """Rows come in any order and go; each query has the same pages."""
    draw = random.Random(7)  # noqa: S311 - not a secret
    memory, known = MemoryIndex(), rows(40)
    for _ in range(scaled(20, full=400)):
        some = [
            replace(one, revision=draw.randint(1, 9), realm=draw.choice(("acme", "", "x y")), name=draw.choice("ab"))
            for one in draw.sample(known, 10)
        ]
        gone = [one.id for one in draw.sample(known, 2)]
        for either in (memory, index):
            await either.put(some)
            await either.remove(gone)
        query = Find(
            realm=draw.choice((None, "acme", "")), name=draw.choice((None, "a")), limit=draw.choice((1, 3, 100))
        )
        while True:
            page = await index.find("imports", query)
            assert page == await memory.find("imports", query)
            if not page.cursor:
                break
            query = replace(query, cursor=page.cursor)


async def test_a_tree_of_10_000_tasks_stands(storage: RedisStorage) -> None:
    """It is begun, recorded, read, changed to another one and deleted, in calls as small as those of others."""
    names = [f"t{at}" for at in range(10_000)]
    description = Declared(tuple(Node(name, works=True) for name in names)).write()
    paths = [f"#.{name}" for name in names]
    new, run = row(), new_job_id()
    await storage.create(new, DATA, description)
    assert (await storage.begin(new.id, Execution(run, "#", tuple(paths)), description, 1)).word == "begun"
    for at in range(0, len(paths), 200):
        await storage.write(new.id, Token(run), [Write(path, TaskRecord("ok"), b"1") for path in paths[at : at + 200]])
    last = await storage.write(new.id, Token(run), [], InstanceRecord("done"))
    found = await storage.load(new.id)
    assert found is not None
    assert (len(found.tasks), found.execution and len(found.execution.targets), last) == (10_000, 10_000, 10_003)
    assert len(await storage.results(new.id, paths)) == 10_000
    assert (await storage.begin(new.id, Execution(new_job_id(), "#", ()), ABC, last)).word == "begun"
    found = await storage.load(new.id)
    assert found is not None
    assert (found.tasks, found.tree) == ({}, ABC)
    assert await storage.results(new.id, paths) == {}


async def test_many_write_at_once(storage: RedisStorage) -> None:
    """Calls are shared; each record has the revision that came, also where this process has seen another one."""
    instances = [await begun(storage) for _ in range(60)]
    for instance_id, _ in instances[::2]:
        assert await storage.load(instance_id) is not None
    for instance_id, _ in instances[::3]:
        await storage.change(instance_id, InstanceChange(name="b"), 2)
    writes = [Write("#.a", TaskRecord("ok", order=9), b"1"), Write("#.b", TaskRecord("running"))]
    found = await asyncio.gather(
        *(storage.write(one, token, writes) for one, token in instances),
        *(storage.write(one, Token(new_job_id()), writes) for one, _ in instances[:1]),
        return_exceptions=True,
    )
    revisions = [5 if at % 3 == 0 else 4 for at in range(60)]
    assert found[:-1] == revisions
    assert isinstance(found[-1], LostLease)
    for (instance_id, token), revision in zip(instances, revisions, strict=True):
        stands = await storage.load(instance_id)
        assert stands is not None
        assert {path: record.order for path, record in stands.tasks.items()} == {"#.a": revision - 1, "#.b": revision}
        assert await storage.write(instance_id, token, writes[:1], InstanceRecord("done")) == revision + 2


async def test_what_somebody_has_edited_is_told(storage: RedisStorage, redis: Redis, namespace: str) -> None:
    """Of which instance, or task, it is."""
    instance_id, _token = await begun(storage)
    redis.hset(f"{namespace}flows:treetasks:{instance_id}", "#.b", "[")
    with pytest.raises(MalformedJob, match=r"record of #\.b"):
        await storage.load(instance_id)
    redis.hdel(f"{namespace}flows:tree:{instance_id}", "data")
    with pytest.raises(MalformedJob, match=instance_id):
        await storage.load(instance_id, since=1 << 60)
    redis.hdel(f"{namespace}flows:tree:{instance_id}", "realm")
    with pytest.raises(MalformedJob, match=instance_id):
        _ = [one async for one in storage.scan()]


async def test_on_a_full_server_only_what_frees_memory_is_done() -> None:
    """What creates or records is refused, as a whole; reading, deleting and its note go on."""
    with private_server() as url, Redis.from_url(url) as client:
        storage, new = RedisStorage(url), row()
        instance_id, token = await begun(storage)
        await storage.create(new, DATA, ABC)
        before = await storage.load(instance_id)
        client.config_set("maxmemory", 1)
        for refused in (
            storage.create(row(), DATA, ABC),
            storage.begin(new.id, Execution(new_job_id(), "#", ()), ABC, 1),
            storage.write(instance_id, token, [Write("#.a", TaskRecord("ok"), b"1")], InstanceRecord("done")),
            storage.change(new.id, InstanceChange(name="b"), 1),
            storage.log(instance_id, "#.a", ["{}"]),
        ):
            with pytest.raises(StoreFull):
                await refused
        assert await storage.load(instance_id) == before
        assert await storage.delete(instance_id)
        seen = await storage.unindexed("imports")
        assert {one.id: one.revision for one in seen} == {instance_id: 0, new.id: 1}
        await storage.indexed("imports", seen)
        assert await storage.unindexed("imports") == []
        await storage.close()


async def test_apps_are_known_by_their_instances(storage: RedisStorage) -> None:
    """Also when those are gone."""
    for app in ("imports", "exports"):
        await storage.create(replace(row(), app=app), DATA, ABC)
    assert await storage.apps() == ["exports", "imports"]


async def test_it_opens_again_after_a_server_was_away(namespace: str) -> None:
    """Each call tries anew; closing what never opened changes nothing."""
    storage = RedisStorage("redis://127.0.0.1:1", namespace=namespace)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await storage.load("1")
    await storage.close()
    await storage.close()


@pytest.mark.parametrize("kind", [RedisStorage, RedisIndex])
def test_what_names_no_server_is_refused(kind: Any) -> None:
    """And no password is shown."""
    for wrong in ({"redis_url": 5}, {"redis_url": "http://x"}, {"namespace": "a b"}, {"namespace": None}):
        with pytest.raises(DeclarationError, match=next(iter(wrong))):
            kind(**wrong)
    assert repr(kind()) == f"<{kind.__name__} on the server of its app>"
    assert repr(kind("redis://:secret@host")).startswith(f"<{kind.__name__} on redis://")
    assert "secret" not in repr(kind("redis://:secret@host"))


def test_each_event_loop_has_its_own_connection(redis_url: str, namespace: str) -> None:
    """What an ended loop has left is given up."""
    storage, new = RedisStorage(redis_url, namespace=namespace), row()

    async def create(one: InstanceRow) -> Any:
        try:
            return await storage.create(one, DATA, ABC)
        finally:
            await storage.close()

    assert [asyncio.run(create(new)), asyncio.run(create(new))] == [new.id, new.id]


async def test_rare_rows_come_in_short_pages(index: RedisIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call looks at so many rows at most, and says where to go on."""
    monkeypatch.setattr("flows.tree.index.redis._LOOKED", 5)
    monkeypatch.setattr("flows.tree.index.redis._MOST_LOOKED", 10)
    known = rows(25)
    await index.put([replace(one, status="failed" if at in {1, 12} else "done") for at, one in enumerate(known)])
    found, cursors, query = list[str](), list[str](), Find(status="failed")
    while True:
        page = await index.find("imports", query)
        found += [one.id for one in page.rows]
        cursors.append(page.cursor)
        if not page.cursor:
            break
        query = replace(query, cursor=page.cursor)
    assert (found, len(cursors)) == ([known[12].id, known[1].id], 3)
