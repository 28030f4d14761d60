"""`RedisStorage`: instances in Redis, on the server of their app or on another one."""

from __future__ import annotations

import asyncio
import hashlib
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pydantic_core import to_json

from flows.errors import LostLease, MalformedJob, ValidationError
from flows.model.tree.errors import InstanceGone
from flows.model.tree.node import read_declared
from flows.model.tree.task_record import InstanceRecord
from flows.store.jobs.log_line import LogLine, read_line
from flows.store.trees.instances import Instances
from flows.store.trees.new_execution import NewExecution
from flows.store.trees.new_records import NewRecords
from flows.store.trees.tree_outbox import TreeOutbox
from flows.tree.storage.on_redis import OnRedis
from flows.tree.storage.protocol import (
    MOST_RECORDS,
    NO_TASKS,
    Begun,
    Conflict,
    Execution,
    InstanceChange,
    InstanceRow,
    Snapshot,
    Token,
    Unindexed,
    Write,
)
from flows.tree.storage.redis_fields import read_changes, read_snapshot, row_fields, row_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from flows.store.client.scripts import Argument
    from flows.store.trees.tree_link import TreeLink
    from flows.tree.storage.protocol import Changes, Hear

#: Who waits for a change looks again after so many seconds.
_PATIENCE: Final = 5.0
#: Of so many instances at once it is remembered which revision was seen last.
_MOST_SEEN: Final = 4096


class RedisStorage(OnRedis):
    """Keeps instances in Redis.

    Args:
        redis_url: Another server than the app's; None: the app's, over its connection.
        namespace: What stands before every key; in an app, that of the app stands.

    Raises DeclarationError where the URL or the namespace is none.
    """

    def _use(self, link: TreeLink) -> None:
        self._link = link
        self._instances = Instances(link)
        self._outbox = TreeOutbox(link)
        #: The last revisions that this process has seen of instances that are being executed. Records are written with
        #: the next ones; where another one comes next, the server numbers them.
        self._seen: dict[str, int] = {}

    def now_ms(self) -> int:
        """Return the time by the server's clock, as far as that is known."""
        clock = self._link.clock
        return clock.now_ms() if clock.known else int(time.time() * 1000)

    async def create(self, row: InstanceRow, data: bytes, tree: bytes, key: str = "") -> str:
        """Create an instance: see `Storage.create`."""
        fields: dict[str, Argument] = {**row_fields(row), "data": data, "tree": tree, "tree_digest": _digest(tree)}
        return await self._instances.create(row.id, row.app, key, fields)

    async def load(self, instance_id: str, *, since: int = 0) -> Snapshot | None:
        """Return an instance: see `Storage.load`."""
        found = await self._instances.read(instance_id, tasks=since < NO_TASKS)
        if found is None:
            return None
        snapshot = read_snapshot(instance_id, found.fields, found.tasks, since)
        if snapshot.record.status == "working":  # whoever works on it writes next
            self._saw(instance_id, snapshot.revision)
        return snapshot

    async def begin(self, instance_id: str, execution: Execution, tree: bytes, if_revision: int) -> Begun:
        """Begin an execution: see `Storage.begin`."""
        fields: dict[str, Argument] = {
            "_path": execution.path,
            "_targets": to_json(execution.targets),
            "_argument": execution.argument or b"",
            "tree_digest": _digest(tree),
        }
        record = InstanceRecord("working", run=execution.id).write()
        new = NewExecution(execution.id, record, fields, run=execution.run)
        begun = await self._instances.begin(instance_id, new, if_revision)
        if begun.word == "tree":
            gone = _gone(*await self._instances.tree(instance_id), tree)
            new = new._replace(fields={**fields, "tree": tree}, gone=gone)
            begun = await self._instances.begin(instance_id, new, if_revision)
            if begun.word == "begun":
                await self._instances.drop(instance_id, begun.revision, gone)
        assert begun.word != "tree"  # noqa: S101 - that is said only to those who have not sent it
        return Begun(begun.word, begun.under_way, begun.revision, begun.is_started)

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
        if len(writes) > MOST_RECORDS:
            raise ValidationError(f"{len(writes)} records: write {MOST_RECORDS} at most at once")
        seen = self._seen.get(instance_id, 0)
        records: list[Argument] = []
        results: list[Argument] = []
        for order, (path, record, result) in enumerate(writes, seen + 1):
            text = record.write() if record.order == 0 else replace(record, order=0).write()
            records += (path, _numbered(text, order))
            if result:
                results += (path, result)
        ended = b""
        if end is not None:
            own = end if (end.order, end.run) == (0, token.execution) else replace(end, order=0, run=token.execution)
            ended = _numbered(own.write(), seen + len(writes) + 1)
        ttl_ms = None if ttl is None else max(1, int(ttl * 1000))
        new = NewRecords(
            *(instance_id, token.execution, token.fence, token.is_child), records, results, ended, ttl_ms, seen + 1
        )
        word, revision = await self._instances.write(new)
        self._seen.pop(instance_id, None)
        if word == "stale":
            raise LostLease(token.run or token.execution, "has lost its instance to another one, or to its end")
        if end is None:
            self._saw(instance_id, revision)
        return revision

    async def change(self, instance_id: str, change: InstanceChange, if_revision: int) -> int:
        """Change an instance: see `Storage.change`."""
        fields: dict[str, Argument] = {}
        if change.name is not None:
            fields["name"] = change.name
        if change.labels is not None:
            fields["labels"] = to_json(dict(change.labels))
        if change.data is not None:
            fields["data"] = change.data
        gone: Sequence[str] = ()
        if change.tree is not None:
            known, recorded = await self._instances.tree(instance_id)
            if change.tree != known:
                fields |= {"tree": change.tree, "tree_digest": _digest(change.tree)}
                gone = _gone(known, recorded, change.tree)
        is_of_tree = change.data is not None or change.tree is not None
        word, revision = await self._instances.change(instance_id, fields, if_revision, gone, is_of_tree=is_of_tree)
        match word:
            case "changed":
                await self._instances.drop(instance_id, revision, gone)
                return revision
            case "moved":
                raise Conflict(f"instance {instance_id} has the revision {revision}, not {if_revision}")
            case "busy":
                raise Conflict(f"instance {instance_id} is being executed")
            case "gone":
                raise InstanceGone(instance_id)

    async def results(self, instance_id: str, paths: Sequence[str]) -> dict[str, bytes]:
        """Return results: see `Storage.results`."""
        return await self._instances.results(instance_id, paths)

    async def log(self, instance_id: str, path: str, lines: Sequence[str]) -> None:
        """Add lines to a log: see `Storage.log`."""
        await self._instances.log(instance_id, path, lines)

    async def read_log(self, instance_id: str, path: str, since: int = 0) -> list[LogLine]:
        """Return lines of a log: see `Storage.read_log`."""
        return [read_line(line) for line in await self._instances.read_log(instance_id, path, since)]

    async def delete(self, instance_id: str) -> bool:
        """Delete an instance: see `Storage.delete`."""
        return await self._instances.delete(instance_id)

    async def scan(self) -> AsyncIterator[InstanceRow]:
        """Yield the rows of all instances: see `Storage.scan`."""
        async for ids in self._outbox.ids():
            for instance_id, values in zip(ids, await self._outbox.rows(ids), strict=True):
                found = row_of(instance_id, values)
                if found is not None:
                    yield found[0]

    async def apps(self) -> list[str]:
        """Return the apps that have had instances.

        Raises:
            StoreError: they cannot be read.
        """
        return await self._outbox.apps()

    async def unindexed(self, app: str, limit: int = 100) -> list[Unindexed]:
        """Return what the index is to be told: see `Storage.unindexed`."""
        ids = await self._outbox.unindexed(app, limit)
        found = zip(ids, await self._outbox.rows(ids), strict=True)
        rows = [(instance_id, row_of(instance_id, values)) for instance_id, values in found]
        return [Unindexed(one, 0, None) if row is None else Unindexed(one, row[1], row[0]) for one, row in rows]

    async def indexed(self, app: str, moved: Sequence[Unindexed]) -> None:
        """Take note of what the index knows: see `Storage.indexed`."""
        await self._outbox.mark_indexed(app, [(one.id, one.revision) for one in moved])

    async def changed(self, instance_id: str, since: int) -> None:
        """Wait for a change: see `Storage.changed`."""
        signals, told = await self._link.signals(), asyncio.Event()

        def hear(_message: str | None) -> None:
            told.set()

        channel = self._link.keys.changed(instance_id)
        if signals is not None:
            await signals.subscribe(channel, hear)
        try:
            revision, left_ms = await self._instances.order(instance_id)
            if 0 < revision <= since:
                patience = _PATIENCE if left_ms is None else min(_PATIENCE, left_ms / 1000)
                with suppress(TimeoutError):
                    await asyncio.wait_for(told.wait(), patience)
        finally:
            if signals is not None:
                signals.unsubscribe(channel, hear)

    async def listen(self, instance_id: str, hear: Hear) -> Callable[[], None]:
        """Call with each change: see `Storage.listen`; where there is nothing for messages, never."""
        signals, channel = await self._link.signals(), self._link.keys.changed(instance_id)

        def take(message: str | None) -> None:
            hear(_told(message))

        if signals is None:
            return lambda: None
        await signals.subscribe(channel, take)
        return lambda: signals.unsubscribe(channel, take)

    async def lineage(self) -> str:
        """Return the server's replication id: see `Storage.lineage`."""
        return await self._link.lineage()

    def _saw(self, instance_id: str, revision: int) -> None:
        self._seen[instance_id] = revision
        while len(self._seen) > _MOST_SEEN:
            del self._seen[next(iter(self._seen))]


def _told(message: str | None) -> Changes | None:
    """Return what a message says; None: it may be anything, so look."""
    try:
        return read_changes(message) if message else None
    except MalformedJob:
        return None


def _numbered(text: bytes, order: int) -> bytes:
    """Return the text of a record with its revision, which stands behind its status."""
    at = text.index(b'"', len(b'{"status":"')) + 1
    return b'%b,"order":%d%b' % (text[:at], order, text[at:])


def _digest(tree: bytes) -> str:
    return hashlib.sha1(tree, usedforsecurity=False).hexdigest()


def _gone(before: bytes, recorded: set[str], now: bytes) -> list[str]:
    """Return the paths that a tree has no more: of those of the tree before, and of those that have records."""
    known = recorded.union(read_declared(before).paths() if before else ())
    return sorted(known.difference(read_declared(now).paths()))
