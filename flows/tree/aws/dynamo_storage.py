"""`DynamoStorage`: instances in a table of Amazon DynamoDB; it needs the extra `aws`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic_core import to_json

from flows.model.tree.errors import InstanceGone
from flows.model.tree.task_record import InstanceRecord
from flows.tree.aws.dynamo_items import (
    DATA,
    EXECUTION,
    HEAD,
    RESULT,
    TREE,
    head_key,
    new_head,
    parts,
    read_head,
    recorded,
    shown,
    write_execution,
)
from flows.tree.aws.dynamo_log import TaskLogs
from flows.tree.aws.dynamo_partition import Partitions, key_of
from flows.tree.aws.dynamo_table import DynamoTable, Key, Tries
from flows.tree.aws.dynamo_untold import Untold
from flows.tree.aws.dynamo_write import RecordWriter
from flows.tree.storage.looking import Looking
from flows.tree.storage.protocol import Begun, Conflict, Execution, InstanceChange, InstanceRow, Snapshot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from flows.store.jobs.log_line import LogLine
    from flows.tree.aws.client import AwsCredentials
    from flows.tree.aws.dynamo_items import Head
    from flows.tree.aws.dynamo_values import Value
    from flows.tree.storage.protocol import Token, Unindexed, Write

#: An instance that is there, at the revision that was seen.
_UNMOVED: Final = "#revision = :seen AND attribute_not_exists(#gone)"
_FREE: Final = "attribute_not_exists(#pk) OR attribute_exists(#gone)"


class DynamoStorage:
    """Keeps instances in a table, which `create_table` makes; for one event loop.

    Times are those of the machines that write. What a call writes that is more than DynamoDB takes at once, 100 items,
    is written in parts, in order, each as a whole.

    Args:
        table: The table's name.
        region: Where it is; None: what the environment says, as for botocore.
        endpoint: The URL of another server that speaks DynamoDB.
        credentials: Who calls; None: whom botocore finds.

    Raises:
        MissingExtra: aiobotocore is not installed.
        DeclarationError: the table's name or the endpoint cannot be used.
    """

    def __init__(
        self,
        table: str,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        credentials: AwsCredentials | None = None,
    ) -> None:
        self._table = DynamoTable(table, region, endpoint, credentials)
        self._partitions = Partitions(self._table)
        self._writer = RecordWriter(self._table, self._partitions)
        self._logs = TaskLogs(self._table)
        self._looking = Looking(self._revision)
        self._untold = Untold(self._table, self._partitions)

    def __repr__(self) -> str:
        return f"<DynamoStorage {self._table.name}>"

    def now_ms(self) -> int:
        """Return the time by this machine's clock."""
        return self._partitions.now_ms()

    async def create_table(self) -> None:
        """Make the table, paid by request, unless it is there; return when it can be used.

        Raises:
            StoreError: it cannot be made.
        """
        await self._table.create()

    async def create(self, row: InstanceRow, data: bytes, tree: bytes, key: str = "") -> str:
        """Create an instance: see `Storage.create`."""
        tries = Tries()
        at = head_key(row.id)
        while True:
            known = await self._table.get(key_of(row.app, key)) if key else None
            if known is not None and await self._partitions.head(known["id"]) is not None:
                return str(known["id"])
            old = await self._partitions.any_head(row.id)
            if old is not None and self._partitions.is_there(old):
                return row.id
            if old is not None:  # it is gone, or has expired
                await (self._partitions.clear(old) if old.is_gone else self._partitions.bury(old))
            values = parts(Key(row.id, DATA), data, 1) | parts(Key(row.id, TREE), tree, 1)
            writes = [self._table.put(one, members) for one, members in values.items()]
            if key:
                where, before = "attribute_not_exists(#pk) OR #id = :before", "" if known is None else str(known["id"])
                writes.append(self._table.put(key_of(row.app, key), {"id": row.id}, where, {"before": before}))
            head = self._table.put(at, new_head(row, key, self.now_ms()), _FREE)
            if await self._table.write(head, *writes):
                self._tell(row.id, row.app)
                return row.id
            await tries.again()

    async def load(self, instance_id: str, *, since: int = 0) -> Snapshot | None:
        """Return an instance: see `Storage.load`."""
        tries = Tries()
        while True:
            head = await self._partitions.head(instance_id)
            if head is None:
                return None
            large = await self._partitions.large(head)
            tasks = None
            if large is not None:
                tasks = await self._partitions.records(head, large.tree, since) if since < head.revision else {}
            if large is not None and tasks is not None:
                return Snapshot(head.row, large.data, large.tree, head.changed, head.record, large.execution, tasks)
            await tries.again()

    async def begin(self, instance_id: str, execution: Execution, tree: bytes, if_revision: int) -> Begun:
        """Begin an execution: see `Storage.begin`."""
        tries = Tries()
        while True:
            head = await self._partitions.head(instance_id)
            if head is None:
                return Begun("gone")
            if head.execution == execution.id:
                return Begun("same", execution.id, head.revision)
            if head.record.status == "working":
                return Begun("busy", head.execution, head.revision)
            if head.revision != if_revision:
                return Begun("moved", "", head.revision)
            revision, now = if_revision + 1, self.now_ms()
            record = InstanceRecord("working", revision, execution.id, started=now)
            members = recorded(record) | shown(head.row.app, revision, now)
            members |= {"execution": execution.id, "fence": 0}
            values = parts(Key(instance_id, EXECUTION), write_execution(execution), revision)
            if await self._change(head, members, values, tree, ("expires",)):
                return Begun("begun", execution.id, revision)
            await tries.again()

    async def write(
        self,
        instance_id: str,
        token: Token,
        writes: Sequence[Write],
        end: InstanceRecord | None = None,
        *,
        ttl: float | None = None,
    ) -> int:
        """Write records: see `Storage.write`."""
        written = await self._writer.write(instance_id, token, writes, end, ttl=ttl)
        if end is not None:
            self._untold.note(instance_id, written.app)
        self._looking.tell(instance_id)
        return written.revision

    async def change(self, instance_id: str, change: InstanceChange, if_revision: int) -> int:
        """Change an instance: see `Storage.change`."""
        tries = Tries()
        while True:
            head = await self._partitions.head(instance_id)
            if head is None:
                raise InstanceGone(instance_id)
            if head.revision != if_revision:
                raise Conflict(f"instance {instance_id} has the revision {head.revision}, not {if_revision}")
            if (change.data is not None or change.tree is not None) and head.record.status == "working":
                raise Conflict(f"instance {instance_id} is being executed")
            revision = if_revision + 1
            members = shown(head.row.app, revision, self.now_ms())
            if change.name is not None:
                members["name"] = change.name
            if change.labels is not None:
                members["labels"] = to_json(dict(change.labels)).decode()
            values = {}
            if change.data is not None:
                values = parts(Key(instance_id, DATA), change.data, revision)
                members["changed"] = revision
            if await self._change(head, members, values, change.tree):
                return revision
            await tries.again()

    async def results(self, instance_id: str, paths: Sequence[str]) -> dict[str, bytes]:
        """Return results: see `Storage.results`."""
        places = {f"{RESULT}{path}": path for path in paths}
        found = await self._partitions.values(instance_id, places) if places else {}
        return {places[place]: value for place, (_, value) in found.items()}

    async def log(self, instance_id: str, path: str, lines: Sequence[str]) -> None:
        """Add lines to a log: see `Storage.log`."""
        if await self._partitions.head(instance_id) is not None:
            await self._logs.add(instance_id, path, lines, self.now_ms())

    async def read_log(self, instance_id: str, path: str, since: int = 0) -> list[LogLine]:
        """Return lines of a log: see `Storage.read_log`."""
        if await self._partitions.head(instance_id) is None:
            return []
        return await self._logs.read(instance_id, path, since)

    async def delete(self, instance_id: str) -> bool:
        """Delete an instance: see `Storage.delete`."""
        tries = Tries()
        while True:
            head = await self._partitions.head(instance_id)
            if head is None:
                return False
            if await self._partitions.bury(head):
                self._tell(instance_id, head.row.app)
                return True
            await tries.again()

    async def scan(self) -> AsyncIterator[InstanceRow]:
        """Yield the rows of all instances, by reading the whole table: see `Storage.scan`."""
        async for item in self._table.scan(HEAD):
            head = read_head(item)
            if self._partitions.is_there(head):
                yield head.row

    async def unindexed(self, app: str, limit: int = 100) -> list[Unindexed]:
        """Return what the index is to be told: see `Storage.unindexed`."""
        return await self._untold.unindexed(app, limit)

    async def indexed(self, app: str, moved: Sequence[Unindexed]) -> None:
        """Take note of what the index knows: see `Storage.indexed`."""
        await self._untold.indexed(app, moved)

    async def changed(self, instance_id: str, since: int) -> None:
        """Wait for a change, looking each second: see `Storage.changed`."""
        await self._looking.changed(instance_id, since)

    async def listen(self, instance_id: str, hear: Callable[[None], None]) -> Callable[[], None]:
        """Call `hear` at each change, looking each second: see `Storage.listen`."""
        return self._looking.listen(instance_id, hear)

    async def lineage(self) -> str:
        """Return what stays the same: no write is lost."""
        return ""

    async def close(self) -> None:
        """Close the connections."""
        await self._looking.close()
        await self._table.close()

    async def _change(
        self,
        head: Head,
        members: dict[str, Value],
        values: dict[Key, dict[str, Value]],
        tree: bytes | None,
        without: Sequence[str] = (),
    ) -> bool:
        """Change a head and what is too large for it; False: the instance is of another revision by now."""
        instance_id, revision = head.row.id, members["revision"]
        if tree is not None:
            large = await self._partitions.large(head)
            if large is None:
                return False
            if not head.is_swept:  # who has given it this tree died before
                await self._partitions.sweep(instance_id, large.tree, head.changed)
            if large.tree == tree:
                tree = None
        if tree is not None:
            values |= parts(Key(instance_id, TREE), tree, int(revision))
            members |= {"changed": revision, "unswept": True}
        update = self._table.update(
            head_key(instance_id), members, without, where=_UNMOVED, given={"seen": head.revision}
        )
        if not await self._table.write(update, *(self._table.put(key, one) for key, one in values.items())):
            return False
        self._tell(instance_id, head.row.app)
        if tree is not None:
            await self._partitions.sweep(instance_id, tree, int(revision))
        return True

    async def _revision(self, instance_id: str, /) -> int | None:
        head = await self._partitions.head(instance_id)
        return None if head is None else head.revision

    def _tell(self, instance_id: str, app: str) -> None:
        self._untold.note(instance_id, app)
        self._looking.tell(instance_id)
