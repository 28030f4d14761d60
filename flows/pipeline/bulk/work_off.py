"""Works off the bulk actions of one flow: has a worker while there are some."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.pipeline.bulk.bulk_flow import BulkFlow

#: A worker stays while something is to be done within so many seconds. It looks again after so many, and leaves when it
#: has seen nothing so often.
_STAY: Final = 3.0
_LOOK: Final = 0.5
_LOOKS: Final = 3


async def work_off(flow: BulkFlow, seconds: Callable[[], Awaitable[float]]) -> None:
    """Have a worker of a bulk flow until nothing is to be done soon.

    Args:
        flow: The bulk flow.
        seconds: Says in how many seconds there is something to do.

    Raises:
        StoreError: the server cannot be used.
        HostUnable: this machine has no thread for a worker.
    """
    await flow.worker.start()
    try:
        looks = 0
        while looks < _LOOKS:
            left = await seconds()
            # A job that was just claimed has a lease, and its worker may not know it yet: one look is not enough.
            looks = looks + 1 if left >= _STAY and flow.worker.idle else 0
            await asyncio.sleep(_LOOK)
    finally:
        await flow.worker.stop(0)
        await flow.close_if_unused()
