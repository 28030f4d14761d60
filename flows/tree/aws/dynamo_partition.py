"""`Partitions`: reads the items of instances as they stand together, and clears away what nobody needs any more."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

from flows.model.tree.node import read_declared
from flows.model.tree.task_record import read_task_record
from flows.tree.aws.dynamo_items import (
    DATA,
    EXECUTION,
    HEAD,
    KEY,
    LOG,
    PATH,
    RESULT,
    TREE,
    further_keys,
    head_key,
    path_of,
    read_execution,
    read_head,
    shown,
    value_of,
)
from flows.tree.aws.dynamo_table import Key, Tries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flows.model.tree.task_record import TaskRecord
    from flows.tree.aws.dynamo_items import Head
    from flows.tree.aws.dynamo_table import DynamoTable
    from flows.tree.storage.protocol import Execution

#: The large values of so many instances are kept, of those that were read last: they change seldom.
_KEPT: Final = 64


class Large(NamedTuple):
    """What of an instance is too large for its head."""

    data: bytes
    tree: bytes
    execution: Execution | None


class Partitions:
    """The items of instances.

    Args:
        table: Where they are.
    """

    def __init__(self, table: DynamoTable) -> None:
        self._table = table
        self._large: OrderedDict[tuple[str, int, int, str], Large] = OrderedDict()

    @staticmethod
    def now_ms() -> int:
        """Return the time by this machine's clock: DynamoDB tells none."""
        return int(time.time() * 1000)

    async def any_head(self, instance_id: str) -> Head | None:
        """Return the head of an instance, also of one that is gone or has expired; None: there is none."""
        item = await self._table.get(head_key(instance_id))
        return None if item is None else read_head(item)

    async def head(self, instance_id: str) -> Head | None:
        """Return the head of an instance; None: there is none."""
        found = await self.any_head(instance_id)
        return found if found is not None and self.is_there(found) else None

    def is_there(self, head: Head) -> bool:
        """Return whether an instance is neither gone nor has expired."""
        return not head.is_gone and not 0 < head.expires <= self.now_ms()

    async def large(self, head: Head) -> Large | None:
        """Return what is too large for a head; None: it is of another revision."""
        kept = head.row.id, head.row.created, head.changed, head.execution
        found = self._large.pop(kept, None) or await self._read_large(head)
        if found is not None:
            self._large[kept] = found
            if len(self._large) > _KEPT:
                self._large.popitem(last=False)
        return found

    async def records(self, head: Head, tree: bytes, since: int) -> dict[str, TaskRecord] | None:
        """Return the records of tasks of later revisions; None: the instance is of another revision by now."""
        found: dict[str, TaskRecord] = {}
        for item in await self._table.query(head.row.id, PATH):
            if item["order"] > since:
                path = path_of(item["sk"])
                found[path] = read_task_record(path, item["record"].encode())
        # A query may see some items of a write that is being done, and not the others.
        again = await self.any_head(head.row.id)
        if again is None or again.is_gone or again.revision != head.revision:
            return None
        if any(record.order > head.revision for record in found.values()):
            return None
        if not head.is_swept:
            paths = set(read_declared(tree).paths())
            return {path: record for path, record in found.items() if path in paths}
        return found

    async def values(self, instance_id: str, places: Iterable[str]) -> dict[str, tuple[int, bytes]]:
        """Return those of these values that there are, by their places, and the revisions at which they were written.

        Nothing of an instance that is gone is there.
        """
        head, keys = head_key(instance_id), [Key(instance_id, place) for place in places]
        tries = Tries()
        while True:
            items = await self._table.get_many([head, *keys])
            if head not in items or not self.is_there(read_head(items[head])):
                return {}
            firsts = {key: items[key] for key in keys if key in items}
            items |= await self._table.get_many(further_keys(firsts))
            found = {key.place: (first["mark"], value_of(key, items)) for key, first in firsts.items()}
            whole = {place: (mark, value) for place, (mark, value) in found.items() if value is not None}
            if len(whole) == len(found):
                return whole
            await tries.again()

    async def bury(self, head: Head) -> bool:
        """Let an instance be gone, with a stone that the index is to be told of; False: it has changed."""
        revision = head.revision + 1
        stone = {"gone": True, **shown(head.row.app, revision, self.now_ms())}
        where = "#revision = :seen AND attribute_not_exists(#gone)"
        if not await self._table.write(
            self._table.update(head_key(head.row.id), stone, where=where, given={"seen": head.revision})
        ):
            return False
        await self.clear(head)
        return True

    async def clear(self, head: Head, *, with_stone: bool = False) -> None:
        """Delete all of an instance that is gone; its stone stays until the index knows."""
        instance_id = head.row.id
        keys = [Key(instance_id, item["sk"]) for item in await self._table.query(instance_id, "", names=("pk", "sk"))]
        await self._table.drop(key for key in keys if key.place != HEAD)
        if head.key:
            key = key_of(head.row.app, head.key)
            await self._table.write(self._table.delete(key, where="#id = :id", given={"id": instance_id}))
        if with_stone:
            await self._table.write(self._table.delete(head_key(instance_id), where="attribute_exists(#gone)"))

    async def sweep(self, instance_id: str, tree: bytes, changed: int) -> None:
        """Delete all of the paths that a tree has no more."""
        paths = set(read_declared(tree).paths())
        for begins in (PATH, RESULT, LOG):
            places = [item["sk"] for item in await self._table.query(instance_id, begins, names=("pk", "sk"))]
            await self._table.drop(Key(instance_id, place) for place in places if path_of(place) not in paths)
        where = "#changed = :changed AND attribute_exists(#unswept)"
        swept = self._table.update(head_key(instance_id), {}, ("unswept",), where=where, given={"changed": changed})
        await self._table.write(swept)

    async def _read_large(self, head: Head) -> Large | None:
        found = await self.values(head.row.id, (DATA, TREE, EXECUTION))
        execution = read_execution(found[EXECUTION][1]) if EXECUTION in found else None
        if (execution.id if execution else "") != head.execution or DATA not in found or TREE not in found:
            return None
        (data_at, data), (tree_at, tree) = found[DATA], found[TREE]
        return Large(data, tree, execution) if max(data_at, tree_at) == head.changed else None


def key_of(app: str, key: str) -> Key:
    """Return where it stands which instance of an app was created with a key."""
    return Key(f"{KEY}{app}#{key}", KEY)
