"""What each storage has to tell of changes: a part of `StorageConformance`."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from flows.model.ids import new_job_id
from flows.model.tree.task_record import InstanceRecord, TaskRecord
from flows.tree.storage.protocol import (
    Changes,
    InstanceChange,
    Storage,
    Token,
    Unindexed,
    Write,
)
from tests.tree.conformance.instances import ABC, DATA, begun, execution, row
from tests.waiting import LONG, until


@pytest.mark.conformance
class ToldConformance:
    """The part of the suite about who is told of changes: the index, and whoever listens or waits."""

    async def test_who_waits_for_a_change_is_told(self, storage: Storage) -> None:
        """Of records, changes and the end of the instance, by whoever; at once where there is one already."""
        instance_id, token = await begun(storage)
        async with asyncio.timeout(LONG):
            await storage.changed(instance_id, 1)
            waiting = [asyncio.create_task(storage.changed(instance_id, 2)) for _ in range(3)]
            await asyncio.sleep(0)
            await storage.write(instance_id, token, [Write("#.a", TaskRecord("ok"))])
            await asyncio.gather(*waiting)
            waiting = [asyncio.create_task(storage.changed(instance_id, 3))]
            await asyncio.sleep(0)
            await storage.change(instance_id, InstanceChange(name="x"), 3)
            await asyncio.gather(*waiting)
            waiting = [asyncio.create_task(storage.changed(instance_id, 4))]
            await asyncio.sleep(0)
            await storage.delete(instance_id)
            await asyncio.gather(*waiting)

    async def test_the_index_is_to_be_told_of_what_rows_show(self, storage: Storage) -> None:
        """Once for all changes until then; of records of tasks it is not."""
        app = new_job_id()
        new = replace(row(), app=app)
        await storage.create(new, DATA, ABC)
        [one] = await storage.unindexed(app)
        assert (one.id, one.revision, one.row and one.row.status) == (new.id, 1, "idle")
        await storage.indexed(app, [one])
        assert await storage.unindexed(app) == []
        run = execution()
        await storage.begin(new.id, run, ABC, 1)
        await storage.change(new.id, InstanceChange(name="b"), 2)
        [one] = await storage.unindexed(app)
        assert (one.revision, one.row and one.row.status, one.row and one.row.name) == (3, "working", "b")
        await storage.indexed(app, [one])
        await storage.write(new.id, Token(run.id), [Write("#.a", TaskRecord("ok"))])
        assert await storage.unindexed(app) == []
        await storage.write(new.id, Token(run.id), [], InstanceRecord("done"))
        [one] = await storage.unindexed(app)
        assert (one.revision, one.row and one.row.status) == (5, "done")
        await storage.delete(new.id)
        await storage.indexed(app, [one])
        assert await storage.unindexed(app) == [(new.id, 0, None)]
        await storage.indexed(app, [Unindexed(new.id, 0, None)])
        assert await storage.unindexed(app) == []

    async def test_what_changes_while_the_index_is_told_is_told_again(self, storage: Storage) -> None:
        """Whoever comes late says nothing of the newer row; and at most so many come at once."""
        app = new_job_id()
        new = [replace(row(), app=app) for _ in range(5)]
        for one in new:
            await storage.create(one, DATA, ABC)
        seen = await storage.unindexed(app, 3)
        assert len(seen) == 3
        await storage.change(seen[0].id, InstanceChange(name="b"), 1)
        await storage.indexed(app, seen)
        left = await storage.unindexed(app)
        assert {one.id for one in left} == {one.id for one in new} - {one.id for one in seen[1:]}
        await storage.indexed(app, left)
        await storage.indexed(app, seen[:1])
        assert [one.revision for one in await storage.unindexed(app)] == [2]

    async def test_the_index_is_told_of_what_has_expired(self, storage: Storage) -> None:
        """When it has: until then it is there."""
        app = new_job_id()
        new, run = replace(row(), app=app), execution()
        await storage.create(new, DATA, ABC)
        await storage.begin(new.id, run, ABC, 1)
        await storage.write(new.id, Token(run.id), [], InstanceRecord("done"), ttl=self.TTL)
        seen = await storage.unindexed(app)
        await storage.indexed(app, seen)
        async with asyncio.timeout(LONG):
            while not (left := await storage.unindexed(app)):
                await storage.changed(new.id, seen[0].revision)
        assert left == [(new.id, 0, None)]

    async def test_who_listens_hears_what_was_written(self, storage: Storage) -> None:
        """Each call of `write` with its records; of what else changes, that it has; and after it stops, nothing."""
        new = row()
        await storage.create(new, DATA, ABC)
        heard: list[Changes | None] = []
        stop = await storage.listen(new.id, heard.append)
        _instance, token = await begun(storage, new.id)
        await until(lambda: None in heard)
        heard.clear()
        await storage.write(new.id, token, [Write("#.a", TaskRecord("running")), Write("#.b", TaskRecord("ok"), b"1")])
        await until(lambda: [one for one in heard if one is not None])
        [first] = [one for one in heard if one is not None]
        assert first.first == 3
        assert {path: (one.status, one.order) for path, one in first.records.items()} == {
            "#.a": ("running", 3),
            "#.b": ("ok", 4),
        }
        assert first.record is None
        heard.clear()
        await storage.write(new.id, token, [], InstanceRecord("done"))
        await until(lambda: [one for one in heard if one is not None])
        [end] = [one for one in heard if one is not None]
        assert (end.first, dict(end.records)) == (5, {})
        assert end.record is not None
        assert (end.record.status, end.record.order, end.record.run) == ("done", 5, token.execution)
        heard.clear()
        await storage.change(new.id, InstanceChange(name="other"), 5)
        await until(lambda: None in heard)
        stop()
        stop()
        heard.clear()
        heard_after: list[Changes | None] = []
        again = await storage.listen(new.id, heard_after.append)
        await storage.delete(new.id)
        await until(lambda: None in heard_after)
        assert heard == []
        again()

    async def test_its_lineage_stays(self, storage: Storage) -> None:
        """As long as no write may have been lost."""
        assert await storage.lineage() == await storage.lineage()
