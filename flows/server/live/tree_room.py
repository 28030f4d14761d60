"""The room of an instance of a tree: its revisions are those of the storage, so a cursor is good at every replica.

What is written is told with the message, and taken without a read where nothing is missing before it.
"""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from flows.errors import StoreUnavailable
from flows.model.tree.errors import InstanceGone
from flows.server.live.protocol import text_of
from flows.server.live.room import Room, revision_of
from flows.server.live.tree_view import TreeView
from flows.tree.storage.protocol import MOST_LINES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.tree.task_record import TaskRecord
    from flows.server.live.gate import Gate
    from flows.server.live.room import Sight, Watch
    from flows.store.jobs.log_line import LogLine
    from flows.tree.storage.protocol import Changes, Hear, Snapshot

#: Messages are lost at times: after so many seconds it is looked whether one was.
LOOKED_EVERY: Final = 30.0
#: Between two tellings pass so many times the seconds that it took to reckon what to tell: a fifth of the time at most.
REST: Final = 4.0
#: More messages than so many that wait, and all is read instead.
_MOST_HEARD: Final = 1000
#: So many of the messages that were made last are kept, each for all who have seen the same.
_KEPT: Final = 64


class TreeReads(Protocol):
    """Where the room reads: see `TreeSource`."""

    async def listen(self, hear: Hear) -> None:
        """Call `hear` with each change of the instance."""
        ...

    async def close(self) -> None:
        """Stop calling."""
        ...

    async def load(self, since: int) -> Snapshot | None:
        """Return how the instance stands, with the records of later revisions; None: it is gone."""
        ...

    async def lineage(self) -> str:
        """Return what is another text after writes may have been lost."""
        ...

    async def read_log(self, path: str, since: int) -> list[LogLine]:
        """Return the lines of a task's log after a number."""
        ...


class _Loaded(NamedTuple):
    lineage: str
    since: int
    found: Snapshot | None


class TreeRoom(Room):
    """One instance that at least one watcher watches.

    Args:
        topic: The instance's id.
        source: Where it is read.
        gate: Through which it is read; None: one of its own.
    """

    def __init__(self, topic: str, source: TreeReads, gate: Gate | None = None) -> None:
        super().__init__(topic, gate)
        self._source = source
        self._lineage: str = ""
        self._epoch = ""
        self._records: dict[str, TaskRecord] = {}
        self._renamed = 0
        self._view: TreeView | None = None
        #: Seconds that it took to reckon the view.
        self._took = 0.0
        self._texts: dict[tuple[int, Sight], Sequence[str]] = {}
        self._heard: list[Changes] = []
        self._must_look = True
        self._look_at = 0.0
        self._logs: dict[str, list[LogLine]] = {}

    @property
    def snapshot(self) -> Snapshot:
        """The instance as it stands, but for its tasks; the room is open."""
        assert self._view is not None  # noqa: S101 - a room is open when it has read
        return self._view.snapshot

    @property
    def revision(self) -> int:
        """That of the storage."""
        return self.snapshot.revision

    @property
    def cursor(self) -> str:
        """What a watcher that has seen all of it brings when it comes back."""
        return f"{self._epoch}.{self.snapshot.revision}"

    def seen(self, cursor: str | None) -> int:
        """Return the revision that a cursor stands for, and 0 for one of another time, in which writes were lost."""
        revision = revision_of(cursor, self._epoch)
        return revision if revision <= self.snapshot.revision else 0

    def news(self, watch: Watch) -> Sequence[str]:
        """Return what has changed since what a watcher has seen, made once for all who have seen the same."""
        assert self._view is not None  # noqa: S101 - a room is open when it has read
        lines = self._lines(watch) if watch.logs else ()
        seen, watch.seen = watch.seen, self.snapshot.revision
        if seen == watch.seen:
            return lines
        key = (seen, watch.sight)
        texts = self._texts.get(key)
        if texts is None:
            if len(self._texts) >= _KEPT:
                self._texts.clear()
            texts = self._texts[key] = self._view.since(seen, self.cursor, watch.sight)
        return [*texts, *lines] if lines else texts

    async def _listen(self) -> None:
        await self._source.listen(self._hear)

    async def _stop_listening(self) -> None:
        await self._source.close()

    def _hear(self, changes: Changes | None) -> None:
        if changes is None or len(self._heard) >= _MOST_HEARD:
            self._must_look = True
        else:
            self._heard.append(changes)
        self._hint.set()

    async def _read(self) -> bool:
        # First what may fail without taking anything of what was heard.
        has_lines = await self._follow({path for watch in self._watchers for path in watch.logs})
        is_due = self._must_look or time.monotonic() >= self._look_at
        changed = await self._look() if is_due else await self._take()
        return changed or has_lines

    async def _take(self) -> bool:
        """Take what was heard; where something is missing before it, read instead."""
        heard, self._heard = self._heard, []
        if not heard or self._view is None:
            return False
        snapshot = self._view.snapshot
        revision, record = snapshot.revision, snapshot.record
        for changes in heard:
            if changes.first > revision + 1:
                return await self._look()
            later = {path: one for path, one in changes.records.items() if one.order > revision}
            self._records.update(later)
            if changes.record is not None and changes.record.order > revision:
                record = changes.record
            revision = max(revision, record.order, *(one.order for one in later.values()))
        if revision == snapshot.revision:
            return False
        self._show(snapshot._replace(row=replace(snapshot.row, revision=revision), record=record))
        return True

    async def _look(self) -> bool:
        """Read what has changed since what is held; all of it, where that cannot be told."""
        self._must_look = False
        before = None if self._view is None else self._view.snapshot
        try:
            loaded: _Loaded = await self._through_gate(lambda: self._load(before))
        except StoreUnavailable:
            self._must_look = True
            raise
        lineage, since, found = loaded
        if found is None:
            raise InstanceGone(self.topic)
        self._look_at = time.monotonic() + LOOKED_EVERY
        if since and found.revision == since:
            return False
        if not since:
            self._begin(lineage, found, before)
        self._records.update(found.tasks)
        if before is None or (before.row.name, before.row.labels) != (found.row.name, found.row.labels):
            self._renamed = found.revision
        self._show(found)
        return True

    async def _load(self, before: Snapshot | None) -> _Loaded:
        """Return the lineage, and what has changed since a revision, or all there is since 0."""
        lineage = await self._source.lineage()
        since = 0 if before is None or lineage != self._lineage else before.revision
        found = await self._source.load(since)
        if since and found is not None and (found.revision < since or found.changed > since):
            return _Loaded(lineage, 0, await self._source.load(0))
        return _Loaded(lineage, since, found)

    def _begin(self, lineage: str, found: Snapshot, before: Snapshot | None) -> None:
        """Take all anew; where revisions that were told may be others now, no cursor counts any more."""
        self._records = {}
        is_behind = before is not None and found.revision < before.revision and lineage == self._lineage
        if self._epoch and lineage == self._lineage and not is_behind:
            return
        self._lineage = lineage
        told = f"{found.row.created} {lineage} {os.urandom(6).hex() if is_behind else ''}"
        self._epoch = hashlib.blake2b(told.encode(), digest_size=6).hexdigest()
        for watch in self._watchers:
            watch.seen = 0
        if before is not None:  # what was heard may be of the writes that were lost
            self._heard.clear()
            self._must_look = True
            self._hint.set()

    def _show(self, snapshot: Snapshot) -> None:
        began = time.perf_counter()
        self._view = TreeView(snapshot, self._records, self._renamed)
        self._took = time.perf_counter() - began
        self._texts.clear()

    def _note_away(self) -> bool:
        return False

    def _rest(self) -> float:
        return max(self._spacing, REST * self._took)

    async def _follow(self, wanted: set[str]) -> bool:
        """Read the logs that somebody follows, and forget the others."""
        self._logs = {path: self._logs.get(path, []) for path in wanted}
        came = False
        for path, lines in self._logs.items():
            after = lines[-1].n if lines else 0
            new = await self._source.read_log(path, after)
            came = came or bool(new)
            lines.extend(new)
            del lines[:-MOST_LINES]
        return came

    def _lines(self, watch: Watch) -> list[str]:
        """Return the new lines of the logs that a watcher follows."""
        texts: list[str] = []
        for path, number in watch.logs.items():
            lines = self._logs.get(path, [])
            if lines and lines[-1].n > number:
                told = [[one.n, int(one.at.timestamp() * 1000), str(one)] for one in lines if one.n > number]
                texts.append(text_of({"type": "taskLog", "id": self.topic, "path": path, "lines": told}))
                watch.logs[path] = lines[-1].n
        return texts
