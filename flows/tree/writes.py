"""Gathers the records and log lines of an execution within a tick, and writes them, one call at a time."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Final

from flows.telemetry.failpoints import failpoint
from flows.tree.storage.protocol import MOST_RECORDS, Write
from flows.workflow.steps.stillness import nobody

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from flows.model.tree.task_record import InstanceRecord, TaskRecord
    from flows.tree.storage.protocol import Storage, Token

#: The results of one call take so many bytes at most, unless it has one alone.
_MOST_BYTES: Final = 1 << 20
#: So many ticks a write waits: what ends in one of them is taken along, by the end of the execution too.
_QUIET: Final = 5


class Writes:
    """The writes of one attempt at an execution.

    Of several records of a task within a tick the last is written: one that ends in the tick in which it began is never
    recorded as running.

    Args:
        storage: Where they go.
        instance_id: Of which instance.
        token: Who writes.
        records: The records of all tasks: those that stand, and of ends those that are being written.
        failed: Called where nothing can be written any more, with the reason.

    Attributes:
        loop: The loop in which it works, in the thread `thread`.
    """

    def __init__(
        self,
        storage: Storage,
        instance_id: str,
        token: Token,
        records: dict[str, TaskRecord],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._storage = storage
        self._instance_id = instance_id
        self._token = token
        self._records = records
        self._failed = failed
        self.loop = asyncio.get_running_loop()
        self.thread = threading.get_ident()
        self._gathered: dict[str, TaskRecord] = {}
        #: The results of tasks that have ended, as long as their records are gathered.
        self._results: dict[str, bytes] = {}
        self._lines: dict[str, list[str]] = {}
        #: What is resolved when all that is gathered now stands; None: nobody writes that yet.
        self._next: asyncio.Future[None] | None = None
        self._sending: asyncio.Task[None] | None = None
        #: What is being written just now; None: nothing is.
        self._writing: asyncio.Future[None] | None = None

    def note(self, path: str, record: TaskRecord) -> None:
        """Write a record soon, unless another one of the task comes before."""
        self._gathered[path] = record
        if self._next is None:
            self._send_soon()

    def note_all(self, records: Mapping[str, TaskRecord]) -> None:
        """Do so with many, by path."""
        self._gathered.update(records)
        if records and self._next is None:
            self._send_soon()

    def take(self, *writes: Write) -> None:
        """Count records from now on, and write them soon; `put` returns when they stand."""
        for path, record, _result in writes:
            self._records[path] = record
        self._gather(writes)

    def log(self, path: str, line: str) -> None:
        """Add a line to a task's log soon, and before a record of its end."""
        self._lines.setdefault(path, []).append(line)
        self._send_soon()

    async def put(self, *writes: Write) -> None:
        """Write records, and all that was noted; return when they stand.

        Raises:
            LostLease: another one has the instance.
            StoreError: the storage cannot be used.
        """
        self._gather(writes)
        await asyncio.shield(self._send_soon())

    async def end(self, writes: Sequence[Write], end: InstanceRecord, ttl: float | None) -> None:
        """Write the last records, and what the execution has come to; return when they stand.

        Raises:
            LostLease: another one has the instance.
            StoreError: the storage cannot be used.
        """
        while self._writing is not None:
            await asyncio.shield(self._writing)
        gathered = self._taken()  # of what was to be written soon, nothing needs a call of its own
        if self._lines:
            await self._write_lines()
        *parts, last = [*_parts([*gathered, *writes])] or [()]
        for part in parts:
            await self._write(part)
        failpoint("before-record")
        await self._storage.write(self._instance_id, self._token, last, end, ttl=ttl)
        failpoint("after-record")

    def _gather(self, writes: Iterable[Write]) -> None:
        for path, record, result in writes:
            self._gathered[path] = record
            if result is not None:
                self._results[path] = result
        if self._next is None:
            self._send_soon()

    def _taken(self) -> list[Write]:
        """Return what was gathered, and gather anew."""
        gathered, results, self._gathered, self._results = self._gathered, self._results, {}, {}
        return [Write(path, record, results.get(path)) for path, record in gathered.items()]

    def let_go(self) -> None:
        """Call nobody any more: such a circle would be left to Python's garbage collector, which is slow."""
        self._failed = nobody

    def _send_soon(self) -> asyncio.Future[None]:
        if self._next is None:
            self._next = self.loop.create_future()
            if self._writing is None:
                self.loop.call_soon(self._send, _QUIET)
        return self._next

    def _send(self, ticks: int) -> None:
        """Write what was gathered, after so many ticks; where the end has taken it along, nothing is left to do."""
        if ticks > 1:
            self.loop.call_soon(self._send, ticks - 1)
        elif self._next is not None:
            self._writing, self._next = self._next, None
            if self._gathered or self._lines:
                self._sending = self.loop.create_task(self._send_all(self._writing))
            else:
                self._sent(self._writing)

    async def _send_all(self, future: asyncio.Future[None]) -> None:
        writes = self._taken()
        try:
            if self._lines:
                await self._write_lines()
            for part in _parts(writes):
                await self._write(part)
        except BaseException as error:
            self._writing = None
            self._failed(error)
            for one in (future, self._next):
                if one is not None and not one.done():
                    one.set_exception(error)
                    one.exception()  # nobody need wait for it
            if isinstance(error, Exception):
                return
            raise
        self._sent(future)

    def _sent(self, future: asyncio.Future[None]) -> None:
        """Take note that what was gathered stands, and go on with what was gathered meanwhile."""
        self._writing = None
        future.set_result(None)
        if self._next is not None:
            self.loop.call_soon(self._send, _QUIET)

    async def _write(self, writes: Sequence[Write]) -> None:
        failpoint("before-record")
        last = await self._storage.write(self._instance_id, self._token, writes)
        failpoint("after-record")
        for order, one in enumerate(writes, last - len(writes) + 1):
            if one.path not in self._gathered:  # else there is a newer one
                self._records[one.path] = one.record.numbered(order)

    async def _write_lines(self) -> None:
        lines, self._lines = self._lines, {}
        for path, some in lines.items():
            await self._storage.log(self._instance_id, path, some)


def _parts(writes: Sequence[Write]) -> Iterator[Sequence[Write]]:
    """Cut records into parts of which each takes no storage long: of 200, and of 1 MiB unless one alone has more."""
    if 0 < len(writes) <= MOST_RECORDS and sum([len(one.result or b"") for one in writes]) <= _MOST_BYTES:
        yield writes
        return
    start, size = 0, 0
    for at, one in enumerate(writes):
        more = len(one.result or b"")
        if at - start == MOST_RECORDS or (at > start and size + more > _MOST_BYTES):
            yield writes[start:at]
            start, size = at, 0
        size += more
    if start < len(writes):
        yield writes[start:]
