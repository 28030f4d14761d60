"""`Looking`: tells of changes where a storage tells of none: it looks each second, and when it is told to."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, Protocol

from flows.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

#: It looks after so many seconds.
_PAUSE: Final = 1.0
#: Who waits for a change returns without one after so many.
_PATIENCE: Final = 5.0

_logger = logging.getLogger("flows")


class ReadRevision(Protocol):
    """Reads an instance's revision."""

    async def __call__(self, instance_id: str, /) -> int | None:
        """Return the revision of an instance; None: there is none."""
        ...


class Looking:
    """Looks at the revisions of instances that somebody waits for.

    Args:
        read: Reads one.
    """

    def __init__(self, read: ReadRevision) -> None:
        self._read = read
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._listening: set[asyncio.Task[None]] = set()

    def tell(self, instance_id: str) -> None:
        """Let who waits look at once."""
        for one in self._waiting.pop(instance_id, ()):
            if not one.done():
                one.set_result(None)

    async def changed(self, instance_id: str, since: int) -> None:
        """Return when an instance has a later revision, or is gone; after a few seconds also without."""
        end = asyncio.get_running_loop().time() + _PATIENCE
        while True:
            revision = await self._read(instance_id)
            left = end - asyncio.get_running_loop().time()
            if revision is None or revision > since or left <= 0:
                return
            await self._wait(instance_id, min(left, _PAUSE))

    def listen(self, instance_id: str, hear: Callable[[None], None]) -> Callable[[], None]:
        """Call `hear` at each change, until what is returned is called."""
        task = asyncio.get_running_loop().create_task(self._listen(instance_id, hear), name=f"flows-look-{instance_id}")
        self._listening.add(task)
        task.add_done_callback(self._listening.discard)

        def stop() -> None:
            task.cancel()

        return stop

    async def close(self) -> None:
        """Look at nothing any more."""
        for task in self._listening:
            task.cancel()
        if self._listening:
            await asyncio.wait(self._listening)

    async def _listen(self, instance_id: str, hear: Callable[[None], None]) -> None:
        seen: int | None = -1
        while True:
            try:
                revision = await self._read(instance_id)
                if revision != seen:
                    seen = revision
                    hear(None)
            except StoreError as error:
                _logger.warning("instance %s cannot be looked at: %s", instance_id, error)
            await self._wait(instance_id, _PAUSE)

    async def _wait(self, instance_id: str, seconds: float) -> None:
        told = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(instance_id, set())
        waiting.add(told)
        try:
            await asyncio.wait({told}, timeout=seconds)
        finally:
            waiting.discard(told)
            if not waiting and self._waiting.get(instance_id) is waiting:
                del self._waiting[instance_id]
