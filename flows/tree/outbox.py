"""`Outbox`: tells the index how instances stand that have changed, as the storage has noted.

The storage notes a change in one step with it, and forgets the note when the index has it. So whoever dies between the
two leaves no difference: the next pass, of any process, makes it good.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from flows.telemetry.events import Events
from flows.telemetry.service import Service
from flows.tree.index.protocol import MOST, Find
from flows.tree.storage.protocol import NO_TASKS

if TYPE_CHECKING:
    from flows.tree.index.protocol import Index
    from flows.tree.storage.protocol import InstanceRow, Storage

#: So many instances are moved at once.
_PAGE: Final = 100
#: What processes that died have left is looked for after so many seconds.
_PAUSE: Final = 5.0

_logger = logging.getLogger("flows")


class Outbox:
    """Moves the rows of changed instances of an app from its storage to its index.

    Args:
        app: The app.
        storage: Where its instances stand.
        index: What finds them.
    """

    def __init__(self, app: str, storage: Storage, index: Index) -> None:
        self._app = app
        self._storage = storage
        self._index = index
        self._service = Service("tree-outbox", self._move_forever, Events(_logger))
        self._moving: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look every few seconds for what others have left; starting twice changes nothing."""
        self._service.start()

    async def stop(self) -> None:
        """Stop looking; stopping twice changes nothing."""
        await self._service.stop()

    async def move(self) -> int:
        """Tell the index of all that has changed; return of how many instances that was.

        Raises:
            StoreError: the storage or the index cannot be used; what was not told is told by the next pass.
        """
        count = 0
        while True:
            found = await self._storage.unindexed(self._app, _PAGE)
            if rows := [one.row for one in found if one.row is not None]:
                await self._index.put(rows)
            if gone := [one.id for one in found if one.row is None]:
                await self._index.remove(gone)
            if found:
                await self._storage.indexed(self._app, found)
            count += len(found)
            if len(found) < _PAGE:
                return count

    async def tell_all(self) -> int:
        """Tell the index of all instances that there are, and which it knows are gone; return how many there are.

        Raises:
            StoreError: the storage or the index cannot be used.
        """
        there: set[str] = set()
        rows: list[InstanceRow] = []
        async for row in self._storage.scan():
            if row.app == self._app:  # others may have another index
                there.add(row.id)
                rows.append(row)
            if len(rows) == _PAGE:
                await self._index.put(rows)
                rows = []
        await self._index.put(rows)
        cursor = ""
        while True:
            found, cursor = await self._index.find(self._app, Find(limit=MOST, cursor=cursor))
            unknown = [one.id for one in found if one.id not in there]
            # One that was created meanwhile is there.
            await self._index.remove([one for one in unknown if await self._storage.load(one, since=NO_TASKS) is None])
            if not cursor:
                return len(there)

    async def note(self) -> None:
        """Return when the index knows of what has changed until now; callers of one moment share a pass.

        Raises:
            StoreError: the storage or the index cannot be used.
        """
        if self._next is None or self._next.done() or self._next.get_loop() is not asyncio.get_running_loop():
            self._next = asyncio.get_running_loop().create_task(self._move_after(self._moving))
            self._next.add_done_callback(lambda done: done.cancelled() or done.exception())  # who waits may have left
        await asyncio.shield(self._next)

    async def _move_after(self, before: asyncio.Task[None] | None) -> None:
        """Make a pass when the one before has ended: that may have looked already."""
        if before is not None and before.get_loop() is asyncio.get_running_loop():
            await asyncio.wait({before})
        self._moving, self._next = self._next, None
        await self.move()

    async def _move_forever(self) -> None:
        while True:
            try:
                await self.move()
            except Exception as error:  # noqa: BLE001 - of any storage and index: the next pass makes it good
                _logger.warning("the index of trees of %r was not told of changes: %s", self._app, error)
            await asyncio.sleep(_PAUSE)
