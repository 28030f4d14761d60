"""`MemoryStorage`: instances in this process alone. It is for tests, and what the other storages are compared with."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from flows.errors import LostLease, ValidationError
from flows.model.tree.errors import InstanceGone
from flows.model.tree.node import read_declared
from flows.model.tree.task_record import InstanceRecord, read_task_record
from flows.store.jobs.log_line import LogLine, read_line
from flows.tree.storage.memory_instance import MemoryInstance, MemoryLog, may_write
from flows.tree.storage.protocol import (
    MOST_RECORDS,
    Begun,
    Changes,
    Conflict,
    Execution,
    Hear,
    InstanceChange,
    InstanceRow,
    Snapshot,
    Token,
    Unindexed,
    Write,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

#: Who waits for a change looks again after so many seconds.
_PATIENCE: Final = 5.0


class MemoryStorage:
    """Keeps instances in memory, for one event loop.

    Args:
        clock: Seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._instances: dict[str, MemoryInstance] = {}
        #: Which instances were created with keys, by app and key; those that are gone count no more.
        self._keys: dict[tuple[str, str], str] = {}
        #: Which instances the index is to be told of: of which app they are, and when.
        self._unindexed: dict[str, tuple[str, float]] = {}
        self._listeners: dict[str, list[Hear]] = {}

    def now_ms(self) -> int:
        """Return the time."""
        return int(self._clock() * 1000)

    async def create(self, row: InstanceRow, data: bytes, tree: bytes, key: str = "") -> str:
        """Create an instance: see `Storage.create`."""
        known = self._keys.get((row.app, key), row.id) if key else row.id
        if self._find(known) is not None:
            return known
        if self._find(row.id) is not None:
            return row.id
        if key:
            self._keys[row.app, key] = row.id
        now = self.now_ms()
        row = replace(row, labels=dict(row.labels), status="idle", created=now, updated=now, revision=1)
        self._instances[row.id] = MemoryInstance(row, data, tree)
        self._mark(row)
        return row.id

    async def load(self, instance_id: str, *, since: int = 0) -> Snapshot | None:
        """Return an instance: see `Storage.load`."""
        found = self._find(instance_id)
        if found is None:
            return None
        later = found.tasks.items() if since < found.row.revision else ()
        tasks = {path: record for path, record in later if record.order > since}
        return Snapshot(found.row, found.data, found.tree, found.changed, found.record, found.execution, tasks)

    async def begin(self, instance_id: str, execution: Execution, tree: bytes, if_revision: int) -> Begun:
        """Begin an execution: see `Storage.begin`."""
        found = self._find(instance_id)
        if found is None:
            return Begun("gone")
        revision = found.row.revision
        if found.execution is not None and found.execution.id == execution.id:
            return Begun("same", execution.id, revision)
        if found.execution is not None and found.record.status == "working":
            return Begun("busy", found.execution.id, revision)
        if revision != if_revision:
            return Begun("moved", "", revision)
        found.execution, found.fence, found.expires = execution, 0, None
        self._take_tree(found, tree, revision + 1)
        self._take_record(found, InstanceRecord("working", revision + 1, execution.id, started=self.now_ms()))
        self._tell(found)
        return Begun("begun", execution.id, revision + 1)

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
        found = self._find(instance_id)
        is_owner = found is not None and found.execution is not None and found.execution.id == token.execution
        if found is None or not is_owner or found.record.status != "working" or not may_write(found, token, writes):
            raise LostLease(token.run or token.execution, "has lost its instance to another one, or to its end")
        if len(writes) > MOST_RECORDS:
            raise ValidationError(f"{len(writes)} records: write {MOST_RECORDS} at most at once")
        if not token.is_child:
            found.fence = token.fence
        first = found.row.revision + 1
        order = found.row.revision
        for order, one in enumerate(writes, found.row.revision + 1):
            # By its text, as it comes back from another storage.
            found.tasks[one.path] = replace(read_task_record(one.path, one.record.write()), order=order)
            if one.result is not None:
                found.results[one.path] = one.result
        found.row = replace(found.row, revision=order)
        if end is not None:
            self._take_record(found, replace(end, order=order + 1, run=token.execution))
            found.expires = None if ttl is None else self._clock() + ttl
        records = {one.path: found.tasks[one.path] for one in writes}
        self._tell(found, Changes(first, records, None if end is None else found.record))
        return found.row.revision

    async def change(self, instance_id: str, change: InstanceChange, if_revision: int) -> int:
        """Change an instance: see `Storage.change`."""
        found = self._find(instance_id)
        if found is None:
            raise InstanceGone(instance_id)
        changes_tree = change.data is not None or change.tree is not None
        if found.row.revision != if_revision:
            raise Conflict(f"instance {instance_id} has the revision {found.row.revision}, not {if_revision}")
        if changes_tree and found.record.status == "working":
            raise Conflict(f"instance {instance_id} is being executed")
        revision = if_revision + 1
        row = replace(found.row, revision=revision, updated=self.now_ms())
        row = row if change.name is None else replace(row, name=change.name)
        found.row = row if change.labels is None else replace(row, labels=dict(change.labels))
        found.shown = revision
        self._mark(row)
        if change.data is not None:
            found.data, found.changed = change.data, revision
        if change.tree is not None:
            self._take_tree(found, change.tree, revision)
        self._tell(found)
        return revision

    async def results(self, instance_id: str, paths: Sequence[str]) -> dict[str, bytes]:
        """Return results: see `Storage.results`."""
        found = self._find(instance_id)
        return {} if found is None else {path: found.results[path] for path in paths if path in found.results}

    async def log(self, instance_id: str, path: str, lines: Sequence[str]) -> None:
        """Add lines to a log: see `Storage.log`."""
        found = self._find(instance_id)
        if found is None:
            return
        log = found.logs.setdefault(path, MemoryLog())
        for line in lines:
            log.count += 1
            log.lines.append(read_line(b'{"n":%d,"at":%d,%b' % (log.count, self.now_ms(), line.encode()[1:])))

    async def read_log(self, instance_id: str, path: str, since: int = 0) -> list[LogLine]:
        """Return lines of a log: see `Storage.read_log`."""
        found = self._find(instance_id)
        log = None if found is None else found.logs.get(path)
        return [] if log is None else [line for line in log.lines if line.n > since]

    async def delete(self, instance_id: str) -> bool:
        """Delete an instance: see `Storage.delete`."""
        if self._find(instance_id) is None:
            return False
        self._drop(instance_id)
        return True

    async def scan(self) -> AsyncIterator[InstanceRow]:
        """Yield the rows of all instances: see `Storage.scan`."""
        for instance_id in list(self._instances):
            found = self._find(instance_id)
            if found is not None:
                yield found.row

    async def unindexed(self, app: str, limit: int = 100) -> list[Unindexed]:
        """Return what the index is to be told: see `Storage.unindexed`."""
        now = self._clock()
        due = [one for one, (of, at) in self._unindexed.items() if of == app and at <= now][:limit]
        found = {one: self._find(one) for one in due}
        return [Unindexed(name, one.shown, one.row) if one else Unindexed(name, 0, None) for name, one in found.items()]

    async def indexed(self, app: str, moved: Sequence[Unindexed]) -> None:
        """Take note of what the index knows: see `Storage.indexed`."""
        for one in moved:
            found = self._find(one.id)
            if one.revision != (0 if found is None else found.shown):
                self._unindexed[one.id] = (app, 0.0)
            elif found is not None and found.expires is not None:
                self._unindexed[one.id] = (app, found.expires)
            else:
                self._unindexed.pop(one.id, None)

    async def changed(self, instance_id: str, since: int) -> None:
        """Wait for a change: see `Storage.changed`."""
        found = self._find(instance_id)
        if found is None or found.row.revision > since:
            return
        found.told = found.told or asyncio.Event()
        patience = _PATIENCE if found.expires is None else min(_PATIENCE, max(0.0, found.expires - self._clock()))
        try:
            await asyncio.wait_for(found.told.wait(), patience)
        except TimeoutError:
            return

    async def listen(self, instance_id: str, hear: Hear) -> Callable[[], None]:
        """Call with each change: see `Storage.listen`."""
        listeners = self._listeners.setdefault(instance_id, [])
        listeners.append(hear)

        def stop() -> None:
            if hear in listeners:
                listeners.remove(hear)
            if not listeners and self._listeners.get(instance_id) is listeners:
                del self._listeners[instance_id]

        return stop

    async def lineage(self) -> str:
        """Return nothing: no write is lost."""
        return ""

    def _find(self, instance_id: str) -> MemoryInstance | None:
        found = self._instances.get(instance_id)
        if found is not None and found.expires is not None and found.expires <= self._clock():
            self._drop(instance_id)
            return None
        return found

    def _drop(self, instance_id: str) -> None:
        found = self._instances.pop(instance_id)
        self._mark(found.row)
        self._tell(found)

    def _mark(self, row: InstanceRow) -> None:
        self._unindexed[row.id] = (row.app, 0.0)

    def _take_record(self, found: MemoryInstance, record: InstanceRecord) -> None:
        found.record = record
        found.row = replace(
            found.row, status=record.status, progress=record.progress, updated=self.now_ms(), revision=record.order
        )
        found.shown = record.order
        self._mark(found.row)

    @staticmethod
    def _take_tree(found: MemoryInstance, tree: bytes, revision: int) -> None:
        if tree == found.tree:
            return
        found.tree, found.changed = tree, revision
        paths = set(read_declared(tree).paths())
        for kept in (found.tasks, found.results, found.logs):
            for path in kept.keys() - paths:
                del kept[path]

    def _tell(self, found: MemoryInstance, changes: Changes | None = None) -> None:
        if found.told is not None:
            found.told.set()
            found.told = None
        for hear in tuple(self._listeners.get(found.row.id, ())):
            hear(changes)
