"""Whether another release of a flow works on a queue just now, by what its processes declare."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

#: That one does is believed for so many seconds. That none does is asked again for each job, since the job fails then.
_BELIEVED: Final = 3.0


class OtherReleases:
    """Knows which queues another release works on; it asks only where a job does not fit.

    Args:
        own: Returns the digest of what this process declares.
        live: Returns the digests of the releases that work on a queue; None among them: one is not known.
    """

    def __init__(self, own: Callable[[], Awaitable[str]], live: Callable[[str], Awaitable[set[str | None]]]) -> None:
        self._own = own
        self._live = live
        #: By queue, when it was found that another one works on it, by the monotonic clock.
        self._found: dict[str, float] = {}

    async def work_on(self, queue: str) -> bool:
        """Return whether a process of another release works on a queue.

        Raises:
            StoreError: the server cannot be used.
        """
        found = self._found.get(queue)
        if found is not None and time.monotonic() - found < _BELIEVED:
            return True
        if await self._live(queue) <= {await self._own()}:
            return False
        self._found[queue] = time.monotonic()
        return True
