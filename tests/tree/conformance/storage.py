"""What each storage of instances has to keep to: a storage's own test subclasses it, with a fixture `storage`."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from flows.errors import LostLease, ValidationError
from flows.model.ids import new_job_id
from flows.model.job import JobError
from flows.model.tree.errors import InstanceGone
from flows.model.tree.task_record import InstanceRecord, TaskRecord
from flows.store.jobs.log_line import pack_line
from flows.tree.storage.protocol import (
    MOST_LINES,
    MOST_RECORDS,
    Begun,
    Conflict,
    InstanceChange,
    Storage,
    Token,
    Write,
)
from tests.tree.conformance.histories import play
from tests.tree.conformance.instances import ABC, DATA, begun, execution, loaded, row, tree
from tests.tree.conformance.told import ToldConformance
from tests.waiting import LONG


@pytest.mark.conformance
class StorageConformance(ToldConformance):
    """The suite."""

    #: So many random histories are played.
    HISTORIES = 20
    #: An instance that has ended expires after so many seconds: no call may take as long.
    TTL = 1.0

    @pytest.fixture
    def storage(self) -> Storage:
        """Return the storage."""
        raise NotImplementedError

    async def test_what_was_created_is_loaded(self, storage: Storage) -> None:
        """With all that its row says, at revision 1, by the clock of the storage."""
        new = row(realm="acme", name="acme.com", labels={"kind": "x"}, ephemeral=True)
        before = storage.now_ms()
        assert await storage.create(new, DATA, ABC) == new.id
        found = await loaded(storage, new.id)
        assert before - 1000 <= found.row.created == found.row.updated <= storage.now_ms() + 1000
        assert (found.data, found.tree, found.changed, found.revision) == (DATA, ABC, 1, 1)
        assert (found.row.realm, found.row.name, dict(found.row.labels)) == ("acme", "acme.com", {"kind": "x"})
        assert found.row.ephemeral
        assert found.row.status == found.record.status == "idle"
        assert found.execution is None
        assert found.tasks == {}

    async def test_an_id_is_created_once(self, storage: Storage) -> None:
        """What was sent twice changes nothing."""
        new = row(name="first")
        assert await storage.create(new, DATA, ABC) == new.id
        assert await storage.create(row(id=new.id, name="second"), b"{}", tree("z")) == new.id
        assert (await loaded(storage, new.id)).row.name == "first"

    async def test_a_key_has_one_instance(self, storage: Storage) -> None:
        """As long as that is there, in one app; an empty key is none."""
        key = new_job_id()
        first, second, other = row(), row(), replace(row(), app="others")
        assert await storage.create(first, DATA, ABC, key) == first.id
        assert await storage.create(second, DATA, ABC, key) == first.id
        assert await storage.load(second.id) is None
        assert await storage.create(other, DATA, ABC, key) == other.id
        assert await storage.create(first, DATA, ABC, key) == first.id
        await storage.delete(first.id)
        assert await storage.create(second, DATA, ABC, key) == second.id
        assert await storage.create(first, DATA, ABC, key) == second.id
        third, fourth = row(), row()
        assert await storage.create(third, DATA, ABC) == third.id
        assert await storage.create(fourth, DATA, ABC) == fourth.id
        many = await asyncio.gather(*(storage.create(row(), DATA, ABC, key + "x") for _ in range(20)))
        assert len(set(many)) == 1

    async def test_what_is_not_there_is_gone(self, storage: Storage) -> None:
        """Each call says so in its way."""
        nobody = new_job_id()
        assert await storage.load(nobody) is None
        assert (await storage.begin(nobody, execution(), ABC, 1)).word == "gone"
        with pytest.raises(LostLease):
            await storage.write(nobody, Token("x"), [Write("#.a", TaskRecord("ok"))])
        with pytest.raises(InstanceGone):
            await storage.change(nobody, InstanceChange(name="x"), 1)
        assert await storage.results(nobody, ["#.a"]) == {}
        await storage.log(nobody, "#.a", [pack_line("x", "info", {}, 1)])
        assert await storage.read_log(nobody, "#.a") == []
        assert not await storage.delete(nobody)
        async with asyncio.timeout(LONG):
            await storage.changed(nobody, 0)

    async def test_an_execution_begins_once(self, storage: Storage) -> None:
        """The same again is the same; another one has to wait; another revision is told."""
        new = row()
        await storage.create(new, DATA, ABC)
        one = execution(argument=b"3")
        assert (await storage.begin(new.id, one, ABC, 7)) == Begun("moved", "", 1)
        assert (await storage.begin(new.id, one, ABC, 1)) == Begun("begun", one.id, 2)
        assert (await storage.begin(new.id, one, ABC, 1)) == Begun("same", one.id, 2)
        assert (await storage.begin(new.id, execution(), ABC, 2)) == Begun("busy", one.id, 2)
        found = await loaded(storage, new.id)
        assert found.execution == one
        assert (found.record.status, found.record.run, found.row.status) == ("working", one.id, "working")
        assert found.record.started > 0

    async def test_records_get_revisions_in_order(self, storage: Storage) -> None:
        """One each; the last is returned, and who reads since one gets the later ones."""
        instance_id, token = await begun(storage)
        first = await storage.write(instance_id, token, [Write("#.a", TaskRecord("running"))])
        assert first == 3
        records = [Write("#.a", TaskRecord("ok", inputs={"#.b": 1}), b"1"), Write("#.b", TaskRecord("queued"))]
        assert await storage.write(instance_id, token, records) == 5
        found = await loaded(storage, instance_id)
        assert {path: record.order for path, record in found.tasks.items()} == {"#.a": 4, "#.b": 5}
        assert found.tasks["#.a"] == TaskRecord("ok", 4, inputs={"#.b": 1})
        assert found.revision == 5
        assert list((await loaded(storage, instance_id, since=4)).tasks) == ["#.b"]
        assert (await loaded(storage, instance_id, since=5)).tasks == {}

    async def test_a_record_keeps_all_that_it_says(self, storage: Storage) -> None:
        """Errors, times, texts of any kind."""
        instance_id, token = await begun(storage)
        error = JobError(type="E", message="ü\u202e\n'\"]]", traceback="…", queue="#.a", attempt=2)
        record = TaskRecord("failed", 0, token.run, 1, 2, 3, 2, 0.5, "\x00 %s", {"#.b": 9}, "d", error, "why", 12)
        order = await storage.write(instance_id, token, [Write("#.a", record)])
        found = (await loaded(storage, instance_id)).tasks["#.a"]
        assert found.order == order
        assert found.write() == record.write().replace(b'"status":"failed"', b'"status":"failed","order":%d' % order)

    async def test_results_stay_until_others_come(self, storage: Storage) -> None:
        """A record without a result leaves the earlier one; bytes come back as they were."""
        instance_id, token = await begun(storage)
        big = b'"' + b"x" * 100_000 + b'"'
        await storage.write(instance_id, token, [Write("#.a", TaskRecord("ok"), big), Write("#.b", TaskRecord("ok"))])
        await storage.write(instance_id, token, [Write("#.a", TaskRecord("running"))])
        assert await storage.results(instance_id, ["#.a", "#.b", "#.z"]) == {"#.a": big}
        await storage.write(instance_id, token, [Write("#.a", TaskRecord("ok"), b"null")])
        assert await storage.results(instance_id, ["#.a"]) == {"#.a": b"null"}
        assert await storage.results(instance_id, []) == {}

    async def test_an_end_frees_the_instance(self, storage: Storage) -> None:
        """It is recorded last; after it nobody writes, and another execution may begin."""
        instance_id, token = await begun(storage)
        end = InstanceRecord(
            "failed", started=5, ended=6, path="#.a", error=JobError(type="E", message="m"), progress=0.5
        )
        last = await storage.write(instance_id, token, [Write("#.a", TaskRecord("failed"))], end)
        assert last == 4
        found = await loaded(storage, instance_id)
        assert found.record == InstanceRecord(
            "failed", 4, token.execution, 5, 6, "#.a", JobError(type="E", message="m"), progress=0.5
        )
        assert (found.row.status, found.row.progress, found.row.revision) == ("failed", 0.5, 4)
        with pytest.raises(LostLease):
            await storage.write(instance_id, token, [Write("#.a", TaskRecord("ok"))])
        again, other = await begun(storage, instance_id)
        with pytest.raises(LostLease):
            await storage.write(again, token, [Write("#.a", TaskRecord("ok"))])
        assert await storage.write(again, other, []) == 5

    async def test_a_higher_fence_takes_over(self, storage: Storage) -> None:
        """Who had a lower one writes nothing more: neither a record nor a result nor the end."""
        instance_id, token = await begun(storage)
        await storage.write(instance_id, token._replace(fence=3), [Write("#.a", TaskRecord("ok"), b"1")])
        before = await loaded(storage, instance_id)
        for end in (None, InstanceRecord("done")):
            with pytest.raises(LostLease):
                await storage.write(
                    instance_id, token._replace(fence=2), [Write("#.a", TaskRecord("failed"), b"2")], end
                )
        assert await loaded(storage, instance_id) == before
        assert await storage.results(instance_id, ["#.a"]) == {"#.a": b"1"}
        await storage.write(
            instance_id, token._replace(fence=3), [Write("#.b", TaskRecord("ok"))], InstanceRecord("done")
        )
        _, other = await begun(storage, instance_id)  # whose fences are its own
        await storage.write(instance_id, other, [Write("#.b", TaskRecord("ok"))])

    async def test_a_call_writes_200_records_at_most(self, storage: Storage) -> None:
        """So that no script takes long; more are refused, and none of them is written."""
        instance_id, token = await begun(storage)
        with pytest.raises(ValidationError):
            await storage.write(instance_id, token, [Write("#.a", TaskRecord("ok"))] * (MOST_RECORDS + 1))
        assert (await loaded(storage, instance_id)).revision == 2
        await storage.write(instance_id, token, [Write("#.a", TaskRecord("ok"))] * MOST_RECORDS)

    async def test_a_change_needs_the_revision_that_was_seen(self, storage: Storage) -> None:
        """Of two who change, one has to read again."""
        new = row(name="a", labels={"x": "1"})
        await storage.create(new, DATA, ABC)
        assert await storage.change(new.id, InstanceChange(name="b"), 1) == 2
        with pytest.raises(Conflict):
            await storage.change(new.id, InstanceChange(name="c"), 1)
        assert await storage.change(new.id, InstanceChange(b'{"url":"y"}', labels={}), 2) == 3
        found = await loaded(storage, new.id)
        assert (found.row.name, dict(found.row.labels), found.data, found.changed) == ("b", {}, b'{"url":"y"}', 3)
        assert await storage.change(new.id, InstanceChange(name=""), 3) == 4
        found = await loaded(storage, new.id)
        assert (found.row.name, found.changed, found.revision) == ("", 3, 4)

    async def test_data_stays_while_it_is_executed(self, storage: Storage) -> None:
        """Names and labels may change meanwhile."""
        instance_id, token = await begun(storage)
        for change in (InstanceChange(b"{}"), InstanceChange(tree=tree("z"))):
            with pytest.raises(Conflict):
                await storage.change(instance_id, change, 2)
        assert await storage.change(instance_id, InstanceChange(name="b"), 2) == 3
        assert await storage.write(instance_id, token, [Write("#.a", TaskRecord("ok"))]) == 4

    async def test_paths_that_are_gone_leave_nothing(self, storage: Storage) -> None:
        """With a new tree, or with a new execution: records, results and logs."""
        for by_execution in (False, True):
            instance_id, token = await begun(storage)
            await storage.log(instance_id, "#.b", [pack_line("x", "info", {}, 1)])
            writes = [Write(path, TaskRecord("ok"), b"1") for path in ("#.a", "#.b", "#.c")]
            last = await storage.write(instance_id, token, writes, InstanceRecord("done"))
            if by_execution:
                await storage.begin(instance_id, execution(), tree("a", "d"), last)
            else:
                await storage.change(instance_id, InstanceChange(tree=tree("a", "d")), last)
            found = await loaded(storage, instance_id)
            assert list(found.tasks) == ["#.a"]
            assert (found.tree, found.changed) == (tree("a", "d"), last + 1)
            assert list(await storage.results(instance_id, ["#.a", "#.b", "#.c"])) == ["#.a"]
            assert await storage.read_log(instance_id, "#.b") == []

    async def test_log_lines_are_numbered(self, storage: Storage) -> None:
        """By task; the last ones are kept, with their numbers."""
        instance_id, _token = await begun(storage)
        await storage.log(instance_id, "#.a", [pack_line("one", "warning", {"size": 1}, 2)])
        await storage.log(instance_id, "#.a", [pack_line(str(at), "info", {}, 1) for at in range(MOST_LINES)])
        lines = await storage.read_log(instance_id, "#.a")
        assert [lines[0].n, lines[-1].n, len(lines)] == [2, MOST_LINES + 1, MOST_LINES]
        await storage.log(instance_id, "#.b", [pack_line("ü", "warning", {"size": 1}, 2)])
        [line] = await storage.read_log(instance_id, "#.b")
        assert (line.n, line.text, line.level, line.meta, line.attempt) == (1, "ü", "warning", {"size": 1}, 2)
        assert [one.n for one in await storage.read_log(instance_id, "#.a", MOST_LINES)] == [MOST_LINES + 1]

    async def test_a_deleted_instance_leaves_nothing(self, storage: Storage) -> None:
        """Not even for one of the same id."""
        instance_id, token = await begun(storage)
        await storage.write(instance_id, token, [Write("#.a", TaskRecord("ok"), b"1")])
        await storage.log(instance_id, "#.a", [pack_line("x", "info", {}, 1)])
        assert await storage.delete(instance_id)
        assert not await storage.delete(instance_id)
        with pytest.raises(LostLease):
            await storage.write(instance_id, token, [Write("#.a", TaskRecord("ok"))])
        assert await storage.create(row(id=instance_id), DATA, ABC) == instance_id
        assert (await loaded(storage, instance_id)).tasks == {}
        assert await storage.results(instance_id, ["#.a"]) == {}
        assert await storage.read_log(instance_id, "#.a") == []

    async def test_an_ended_instance_expires(self, storage: Storage) -> None:
        """After the time that its end gives; another execution keeps it."""
        kept, token = await begun(storage)
        await storage.write(kept, token, [], InstanceRecord("done"), ttl=self.TTL)
        await begun(storage, kept)
        gone, token = await begun(storage)
        last = await storage.write(gone, token, [], InstanceRecord("done"), ttl=self.TTL)
        assert await storage.load(gone) is not None
        async with asyncio.timeout(LONG):
            while await storage.load(gone) is not None:
                await storage.changed(gone, last)
        assert await storage.load(kept) is not None
        assert gone not in [one.id async for one in storage.scan()]

    async def test_all_instances_are_scanned(self, storage: Storage) -> None:
        """Each with its row as it stands."""
        new = [row(name=str(at)) for at in range(25)]
        for one in new:
            await storage.create(one, DATA, ABC)
        await storage.change(new[3].id, InstanceChange(name="other"), 1)
        found = {one.id: one async for one in storage.scan()}
        assert {one.id for one in new} <= found.keys()
        assert found[new[3].id].name == "other"
        assert found[new[4].id].revision == 1

    async def test_of_many_who_begin_at_once_one_does(self, storage: Storage) -> None:
        """All others are told by whom it is busy."""
        new = row()
        await storage.create(new, DATA, ABC)
        answers = await asyncio.gather(*(storage.begin(new.id, execution(), ABC, 1) for _ in range(20)))
        [winner] = [one for one in answers if one.word == "begun"]
        assert {(one.word, one.execution) for one in answers if one is not winner} == {("busy", winner.execution)}

    async def test_a_history_is_the_same_again(self, storage: Storage) -> None:
        """What a random history comes to hangs on nothing but its calls."""
        for seed in range(self.HISTORIES):
            assert await play(storage, seed) == await play(storage, seed)
