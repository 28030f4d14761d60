"""`Untold`: of which instances in DynamoDB the index is to be told, by an index of the table that has those alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from flows.tree.aws.dynamo_items import head_key, new_head, read_head
from flows.tree.storage.protocol import Unindexed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.tree.aws.dynamo_items import Head
    from flows.tree.aws.dynamo_partition import Partitions
    from flows.tree.aws.dynamo_table import DynamoTable
    from flows.tree.aws.dynamo_values import Value

_SEEN: Final = "#shown = :shown"


class Untold:
    """The instances that are due.

    Args:
        table: Where they are.
        partitions: Clears away those that are gone.
    """

    def __init__(self, table: DynamoTable, partitions: Partitions) -> None:
        self._table = table
        self._partitions = partitions
        #: What was changed here, by its app: the table's index is a moment late.
        self._here: dict[str, str] = {}

    def note(self, instance_id: str, app: str) -> None:
        """Take note that an instance was changed here."""
        self._here[instance_id] = app

    async def unindexed(self, app: str, limit: int) -> list[Unindexed]:
        """Return what the index is to be told: see `Storage.unindexed`."""
        here = [one for one, of in self._here.items() if of == app]
        due = await self._table.due(app, self._partitions.now_ms(), limit)
        keys = [head_key(one) for one in list(dict.fromkeys(here + due))[:limit]]
        heads = {key.partition: read_head(item) for key, item in (await self._table.get_many(keys)).items()}
        there = {one: head for one, head in heads.items() if self._partitions.is_there(head)}
        return [
            Unindexed(one, there[one].shown, there[one].row) if one in there else Unindexed(one, 0, None)
            for one, _ in keys
        ]

    async def indexed(self, app: str, moved: Sequence[Unindexed]) -> None:
        """Take note of what the index knows: see `Storage.indexed`."""
        await asyncio.gather(*(self._take(app, one) for one in moved))

    async def _take(self, app: str, one: Unindexed) -> None:
        self._here.pop(one.id, None)
        head = await self._partitions.any_head(one.id)
        stands = head is not None and self._partitions.is_there(head)
        if (head.shown if head is not None and stands else 0) != one.revision:
            await self._tell_again(app, one, head)
        elif head is not None and stands:
            await self._forget(head)
        elif head is not None and (head.is_gone or await self._partitions.bury(head)):
            await self._partitions.clear(head, with_stone=True)

    async def _forget(self, head: Head) -> None:
        """Let an instance be due no more, or only when it expires; not where it has changed meanwhile."""
        key, where, given = head_key(head.row.id), f"{_SEEN} AND attribute_not_exists(#gone)", {"shown": head.shown}
        if head.expires:
            told = self._table.update(key, {"due": head.expires}, where=where, given=given)
        else:
            told = self._table.update(key, {}, ("due_app", "due"), where=where, given=given)
        await self._table.write(told)

    async def _tell_again(self, app: str, one: Unindexed, head: Head | None) -> None:
        """Let an instance be due: the index was told something else than what stands here."""
        now = self._partitions.now_ms()
        if head is not None:
            due: dict[str, Value] = {"due_app": app, "due": now}
            await self._table.write(self._table.update(head_key(one.id), due, where=_SEEN, given={"shown": head.shown}))
        elif one.row is not None:  # its stone was taken away, and the index has its row again
            stone = new_head(one.row, "", now) | {"gone": True}
            await self._table.write(self._table.put(head_key(one.id), stone, "attribute_not_exists(#pk)"))
