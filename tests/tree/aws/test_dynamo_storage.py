"""`DynamoStorage` on a real server: what all storages keep to, and what DynamoDB's limits make of it."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest

from flows.errors import LostLease, PayloadTooLarge, StoreError, StoreUnavailable
from flows.model.tree.task_record import InstanceRecord, TaskRecord
from flows.store.jobs.log_line import pack_line
from flows.tree.aws import DynamoStorage
from flows.tree.aws.dynamo_partition import Partitions
from flows.tree.storage.protocol import Changes, InstanceChange, Storage, Write
from tests.tree.conformance.instances import ABC, DATA, begun, loaded, row, tree
from tests.tree.conformance.storage import StorageConformance
from tests.waiting import until

pytestmark = pytest.mark.conformance


@pytest.fixture
async def storage(dynamo: dict[str, Any]) -> AsyncIterator[DynamoStorage]:
    """Open a storage in a table of its own."""
    found = DynamoStorage(f"t{secrets.token_hex(6)}", **dynamo)
    await found.create_table()
    yield found
    await found.close()


class TestDynamoStorage(StorageConformance):
    """On DynamoDB."""

    #: A call takes milliseconds here.
    HISTORIES = 4
    TTL = 2.0

    @pytest.fixture
    async def storage(self, dynamo: dict[str, Any]) -> AsyncIterator[Storage]:  # type: ignore[override]
        """Open a storage in a table of its own."""
        found = DynamoStorage(f"t{secrets.token_hex(6)}", **dynamo)
        await found.create_table()
        yield found
        await found.close()

    async def test_who_listens_hears_what_was_written(self, storage: Storage) -> None:
        """Only that something was: there are no messages. After it stops, nothing."""
        instance_id, token = await begun(storage)
        heard: list[Changes | None] = []
        stop = await storage.listen(instance_id, heard.append)
        await until(lambda: heard)
        for write in (lambda: storage.write(instance_id, token, [Write("#.a", TaskRecord("ok"))]),
                      lambda: storage.change(instance_id, InstanceChange(name="x"), 3),
                      lambda: storage.delete(instance_id)):  # fmt: skip
            heard.clear()
            await write()
            await until(lambda: heard)
        assert set(heard) == {None}
        stop()
        stop()


async def test_the_table_is_made_once(storage: DynamoStorage) -> None:
    """Also by several at once."""
    await asyncio.gather(storage.create_table(), storage.create_table())


async def test_a_table_that_is_not_there_is_an_error(dynamo: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """With its operation; and so is a server that is not."""
    monkeypatch.setattr("flows.tree.aws.client._TRIES", 1)
    storage = DynamoStorage("nobody-made-it", **dynamo)
    with pytest.raises(StoreError, match=r"ResourceNotFound.*create_table"):
        await storage.load(row().id)
    await storage.close()
    away = DynamoStorage("away", **{**dynamo, "endpoint": "http://127.0.0.1:9"})
    with pytest.raises(StoreUnavailable, match="dynamodb cannot be used"):
        await away.load(row().id)
    await away.close()


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # aiohttp's, of a megabyte at once
async def test_values_that_are_larger_than_an_item_stand_in_parts(storage: DynamoStorage) -> None:
    """Data, trees and results up to 1 MiB, of texts that cannot be compressed; a shorter one takes their place."""
    noise = random.Random(3)  # noqa: S311 - not a secret
    data = b'{"url":"%b"}' % noise.randbytes(500_000).hex().encode()
    new = row()
    await storage.create(new, data, ABC)
    assert (await loaded(storage, new.id)).data == data
    instance_id, token = await begun(storage, new.id)
    big = b'"%b"' % noise.randbytes(500_000).hex().encode()
    writes = [Write(path, TaskRecord("ok"), big) for path in ("#.a", "#.b", "#.c")]
    last = await storage.write(instance_id, token, writes)
    assert await storage.results(instance_id, ["#.c", "#.a", "#.b"]) == dict.fromkeys(("#.a", "#.b", "#.c"), big)
    await storage.write(instance_id, token, [Write("#.b", TaskRecord("ok"), b"1")], InstanceRecord("done"))
    assert await storage.results(instance_id, ["#.a", "#.b"]) == {"#.a": big, "#.b": b"1"}
    await storage.change(instance_id, InstanceChange(data=b"{}"), last + 2)
    assert (await loaded(storage, instance_id)).data == b"{}"


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_what_cannot_be_written_at_once_is_refused(storage: DynamoStorage) -> None:
    """DynamoDB takes 4 MB in a call: nothing is written."""
    new = row()
    with pytest.raises(PayloadTooLarge):
        await storage.create(new, random.Random(3).randbytes(8_000_000), ABC)  # noqa: S311 - not a secret
    assert await storage.load(new.id) is None


async def test_many_records_are_written_in_parts_and_in_order(storage: DynamoStorage) -> None:
    """200 with results are more than a call takes; the end comes with the last part."""
    instance_id, token = await begun(storage)
    names = [f"t{at}" for at in range(200)]
    writes = [Write(f"#.{name}", TaskRecord("ok"), b"%d" % at) for at, name in enumerate(names)]
    assert await storage.write(instance_id, token, writes, InstanceRecord("done")) == 203
    found = await loaded(storage, instance_id)
    assert [found.tasks[f"#.{name}"].order for name in names] == list(range(3, 203))
    assert found.record.order == 203
    assert len(await storage.results(instance_id, [one.path for one in writes])) == 200


async def test_of_two_processes_the_owner_writes_on(storage: DynamoStorage, dynamo: dict[str, Any]) -> None:
    """What one knows of a revision is old when another one has written: it reads again, or has lost the instance."""
    other = DynamoStorage(storage._table.name, **dynamo)
    instance_id, token = await begun(storage)
    assert await storage.write(instance_id, token, [Write("#.a", TaskRecord("running"))]) == 3
    assert await other.change(instance_id, InstanceChange(name="meanwhile"), 3) == 4
    assert await storage.write(instance_id, token, [Write("#.a", TaskRecord("ok"))]) == 5
    assert await other.write(instance_id, token._replace(fence=2), [Write("#.b", TaskRecord("running"))]) == 6
    with pytest.raises(LostLease):
        await storage.write(instance_id, token, [Write("#.b", TaskRecord("ok"))])
    await asyncio.gather(*(one.write(instance_id, token._replace(fence=2), [Write("#.c", TaskRecord("ok"))])
                           for one in (storage, other) for _ in range(5)))  # fmt: skip
    assert (await loaded(storage, instance_id)).revision == 16
    await other.close()


async def test_who_dies_before_paths_are_swept_leaves_none_to_see(
    storage: DynamoStorage, dynamo: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records of paths that are gone are not loaded, and whoever changes the tree next deletes them first."""
    instance_id, token = await begun(storage)
    writes = [Write(path, TaskRecord("ok"), b"1") for path in ("#.a", "#.b")]
    last = await storage.write(instance_id, token, writes, InstanceRecord("done"))

    async def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Partitions, "sweep", die)
        with pytest.raises(KeyboardInterrupt):
            await storage.change(instance_id, InstanceChange(tree=tree("a")), last)
    other = DynamoStorage(storage._table.name, **dynamo)
    assert list((await loaded(other, instance_id)).tasks) == ["#.a"]
    assert await other.change(instance_id, InstanceChange(tree=ABC), last + 1) == last + 2
    assert list((await loaded(other, instance_id)).tasks) == ["#.a"]
    assert await other.results(instance_id, ["#.a", "#.b"]) == {"#.a": b"1"}
    await other.close()


async def test_a_deleted_instance_leaves_no_item(storage: DynamoStorage) -> None:
    """When the index knows: not even the stone by which it is told, nor the key."""
    instance_id, token = await begun(storage)
    await storage.write(instance_id, token, [Write("#.a", TaskRecord("ok"), b"1")])
    await storage.log(instance_id, "#.a", [pack_line("x", "info", {}, 1)])
    with_key = row()
    await storage.create(with_key, DATA, ABC, "key")
    for one in (instance_id, with_key.id):
        assert await storage.delete(one)
    due = await storage.unindexed("imports")
    assert {(one.id, one.row) for one in due} == {(instance_id, None), (with_key.id, None)}
    await storage.indexed("imports", due)
    assert await storage.unindexed("imports") == []
    left = await storage._table._client.call("scan", TableName=storage._table.name)
    assert left["Items"] == []


async def test_a_busy_table_is_asked_again(storage: DynamoStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What DynamoDB does not take or give at once is sent again; who never gets through is told."""
    client = storage._table._client
    ask, refusals = client.call, [2]

    async def call(operation: str, **parameters: Any) -> dict[str, Any]:
        if operation in {"batch_get_item", "batch_write_item"} and refusals[0]:
            refusals[0] -= 1
            left = parameters["RequestItems"]
            name = "UnprocessedKeys" if operation == "batch_get_item" else "UnprocessedItems"
            return {"Responses": {}, name: left}
        return await ask(operation, **parameters)

    monkeypatch.setattr(client, "call", call)
    instance_id, _token = await begun(storage)
    assert refusals == [0]
    refusals[0] = 1
    assert await storage.delete(instance_id)
    refusals[0] = 10**9
    monkeypatch.setattr("flows.tree.aws.dynamo_table._PAUSE", 0.0)
    with pytest.raises(StoreUnavailable, match="busy"):
        await storage.results(instance_id, ["#.a"])


async def test_who_looks_sees_what_others_have_done(storage: DynamoStorage, dynamo: dict[str, Any]) -> None:
    """DynamoDB tells nobody: a storage looks each second."""
    other = DynamoStorage(storage._table.name, **dynamo)
    instance_id, _token = await begun(storage)
    heard = asyncio.Event()
    stop = await other.listen(instance_id, lambda _: heard.set())
    async with asyncio.timeout(30):
        await heard.wait()
        heard.clear()
        await storage.change(instance_id, InstanceChange(name="x"), 2)
        await heard.wait()
        await other.changed(instance_id, 2)
    stop()
    await other.close()
