"""`RecordWriter`: writes the records of executions to DynamoDB, for whoever works on them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from flows.errors import LostLease, ValidationError
from flows.tree.aws.dynamo_items import MOST_BYTES, PATH, RESULT, head_key, parts, recorded, shown
from flows.tree.aws.dynamo_table import Key, Tries
from flows.tree.storage.protocol import MOST_RECORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from flows.model.tree.task_record import InstanceRecord
    from flows.tree.aws.dynamo_partition import Partitions
    from flows.tree.aws.dynamo_table import DynamoTable
    from flows.tree.aws.dynamo_values import Value
    from flows.tree.storage.protocol import Token, Write

#: One call writes so many items at most, the head among them.
_MOST_ITEMS: Final = 100
#: A record takes less, without its result.
_RECORD: Final = 20_000
#: Of so many instances it is known at which revision this process has left them.
_MOST_KNOWN: Final = 10_000
_WORKS: Final = "#execution = :execution AND #status = :working AND #revision = :seen AND attribute_not_exists(#gone)"
_RUNNING: Final = '{"status":"running"'


def is_of_task(token: Token) -> bool:
    """Return whether this is the token of a single task's run, which writes while the execution is another's."""
    return token.run not in {"", token.execution}


class Written(NamedTuple):
    """An instance's app, and the revision that a write has left it at."""

    app: str
    revision: int


class RecordWriter:
    """Writes records.

    Args:
        table: Where to.
        partitions: Reads the heads of instances.
    """

    def __init__(self, table: DynamoTable, partitions: Partitions) -> None:
        self._table = table
        self._partitions = partitions
        self._known: dict[str, Written] = {}

    async def write(
        self,
        instance_id: str,
        token: Token,
        writes: Sequence[Write],
        end: InstanceRecord | None,
        *,
        ttl: float | None,
    ) -> Written:
        """Write records: see `Storage.write`."""
        if len(writes) > MOST_RECORDS:
            raise ValidationError(f"{len(writes)} records: write {MOST_RECORDS} at most at once")
        *firsts, last = list(_parted(writes)) or [[]]
        for part in firsts:
            await self._write(instance_id, token, part, None, None)
        return await self._write(instance_id, token, last, end, ttl)

    async def _write(
        self, instance_id: str, token: Token, writes: Sequence[Write], end: InstanceRecord | None, ttl: float | None
    ) -> Written:
        tries = Tries()
        before = None if is_of_task(token) else self._known.pop(instance_id, None)
        while True:
            before = before or await self._read(instance_id, token, writes)
            written = before._replace(revision=before.revision + len(writes) + (end is not None))
            operations = self._records(instance_id, token, writes, before.revision)
            members = {} if end is None else self._ended(token, end, written, ttl)
            members["revision"] = written.revision
            operations.append(self._head(instance_id, token, before.revision, members))
            if await self._table.write(*operations):
                if end is None:
                    self._keep(instance_id, written)
                return written
            before = None
            await tries.again()

    async def _read(self, instance_id: str, token: Token, writes: Sequence[Write]) -> Written:
        """Return how an instance stands.

        Raises:
            LostLease: who has this token may not write.
        """
        head = await self._partitions.head(instance_id)
        may = head is not None and head.execution == token.execution and head.record.status == "working"
        if may and is_of_task(token):
            keys = {Key(instance_id, f"{PATH}{one.path}") for one in writes}
            items = await self._table.get_many(keys)
            may = all(key in items and items[key]["record"].startswith(_RUNNING) for key in keys)
        elif head is not None:
            may = may and token.fence >= head.fence
        if head is None or not may:
            raise LostLease(token.run or token.execution, "has lost its instance to another one, or to its end")
        return Written(head.row.app, head.revision)

    def _records(self, instance_id: str, token: Token, writes: Sequence[Write], seen: int) -> list[dict[str, Any]]:
        """Return the operations for records and results; of several for a task the last one stands."""
        records: dict[Key, dict[str, Value]] = {}
        results: dict[Key, dict[str, Value]] = {}
        for order, one in enumerate(writes, seen + 1):
            text = replace(one.record, order=order).write().decode()
            records[Key(instance_id, f"{PATH}{one.path}")] = {"record": text, "order": order}
            if one.result is not None:
                results |= parts(Key(instance_id, f"{RESULT}{one.path}"), one.result, order)
        if is_of_task(token):
            where = "begins_with(#record, :running)"
            found = [self._table.put(key, members, where, {"running": _RUNNING}) for key, members in records.items()]
        else:
            found = [self._table.put(key, members) for key, members in records.items()]
        return found + [self._table.put(key, members) for key, members in results.items()]

    def _ended(self, token: Token, end: InstanceRecord, written: Written, ttl: float | None) -> dict[str, Value]:
        """Return the members of a head that tell of an end."""
        now = self._partitions.now_ms()
        members = recorded(replace(end, order=written.revision, run=token.execution))
        members |= shown(written.app, written.revision, now)
        return members if ttl is None else members | {"expires": now + round(ttl * 1000)}

    def _head(self, instance_id: str, token: Token, seen: int, members: dict[str, Value]) -> dict[str, Any]:
        """Return the operation for the head, with the condition for all of them."""
        given: dict[str, Value] = {"execution": token.execution, "working": "working", "seen": seen}
        where = _WORKS
        if not is_of_task(token):
            members["fence"] = token.fence
            where, given = f"{_WORKS} AND #fence <= :fence", {**given, "fence": token.fence}
        return self._table.update(head_key(instance_id), members, where=where, given=given)

    def _keep(self, instance_id: str, written: Written) -> None:
        self._known[instance_id] = written
        if len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]


def _parted(writes: Sequence[Write]) -> Iterator[list[Write]]:
    """Yield as many records as fit into one call, again and again."""
    part: list[Write] = []
    items, size = 1, 0
    for one in writes:
        length = len(one.result or b"")
        takes = 1 if one.result is None else 2 + length // 300_000
        if part and (items + takes > _MOST_ITEMS or size + length + _RECORD > MOST_BYTES):
            yield part
            part, items, size = [], 1, 0
        part.append(one)
        items += takes
        size += length + _RECORD
    if part:
        yield part
