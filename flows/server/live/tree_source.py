"""Where the room of an instance reads: the storage of its app, which it finds when it is opened."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flows.api.reading.tree_host import find_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.api import Admin
    from flows.store.jobs.log_line import LogLine
    from flows.tree.storage.protocol import Hear, Snapshot, Storage


class TreeSource:
    """The storage of one instance.

    Args:
        instance_id: Its id.
        admin: Acts as the watcher.
    """

    def __init__(self, instance_id: str, admin: Admin) -> None:
        self._instance_id = instance_id
        self._admin = admin
        self._storage: Storage | None = None
        self._listening: asyncio.Task[Callable[[], None]] | None = None

    async def listen(self, hear: Hear) -> None:
        """Call `hear` with each change of the instance.

        Raises:
            InstanceGone: There is none that the watcher may see.
        """
        storage = await self._found()
        if self._listening is None:
            self._listening = asyncio.ensure_future(storage.listen(self._instance_id, hear))
        await asyncio.shield(self._listening)  # whose caller may wait no longer, and hears of it later

    async def close(self) -> None:
        """Stop calling."""
        listening, self._listening = self._listening, None
        if listening is not None:
            if not listening.done():
                listening.cancel()
            await asyncio.wait({listening})
            if not listening.cancelled() and listening.exception() is None:
                listening.result()()

    async def load(self, since: int) -> Snapshot | None:
        """Return how the instance stands, with the records of later revisions; None: it is gone."""
        return await (await self._found()).load(self._instance_id, since=since)

    async def lineage(self) -> str:
        """Return what is another text after writes may have been lost."""
        return await (await self._found()).lineage()

    async def read_log(self, path: str, since: int) -> list[LogLine]:
        """Return the lines of a task's log after a number."""
        return await (await self._found()).read_log(self._instance_id, path, since)

    async def _found(self) -> Storage:
        if self._storage is None:
            self._storage = (await find_tree(self._admin, self._instance_id)).host.storage
        return self._storage
