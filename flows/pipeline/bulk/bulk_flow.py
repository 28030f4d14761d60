"""The flow of a flow's bulk actions, as one process uses it: creates them, reads them, and has their worker."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from flows.kernel.runtime import Runtime
from flows.model.declared.description import Descriptor
from flows.pipeline.bulk.acting import Acting
from flows.pipeline.bulk.action import BulkAction, BulkParams
from flows.pipeline.bulk.tally import Tally
from flows.pipeline.declaration import declare
from flows.pipeline.job_actions import JobActions
from flows.pipeline.job_reader import JobReader
from flows.pipeline.workers import WorkerOptions, function_workers

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from flows.config import Server
    from flows.pipeline.bulk.acting import ActedOn
    from flows.pipeline.bulk.action import BulkFlowOptions

#: So many bulk actions of a flow run at once in one process.
_CONCURRENCY = 2


class BulkFlow:
    """The bulk flow of one flow, on the server and in the namespace of that flow's session.

    Args:
        options: Its options.
        server: The flow's server.
        session: The flow's session, in the loop in which this is used, or what stands in for it.
        queues: The flow's queues and child queues.
    """

    def __init__(self, options: BulkFlowOptions, server: Server, session: ActedOn, queues: Sequence[str]) -> None:
        self.queue = options.name
        self.runtime = Runtime(options, Descriptor(options, BulkParams))
        self.runtime.bind(server, session.settings.keys.namespace, session.settings.ahead_ms)
        mine = declare(options, (BulkAction, BulkParams))
        self.actions = JobActions(self.runtime, mine, BulkParams)
        self.reader = JobReader(self.runtime, mine, BulkParams)
        self.acting = Acting(session, queues, self.tally)
        [self.worker] = function_workers(
            self.runtime, mine.plans[self.queue], self.acting.act, WorkerOptions(1, _CONCURRENCY)
        )
        #: Held while it is opened or closed, so that nobody is disconnected who has just begun.
        self._gate = asyncio.Lock()
        self._users = 0

    async def tally(self, job_id: str) -> Tally:
        """Return how far a bulk action has come, as it has reported."""
        found = await self.runtime.read_job(self.runtime.options.name, job_id)
        return Tally.from_json((found or {}).get("_progress"))

    @asynccontextmanager
    async def used(self) -> AsyncGenerator[None]:
        """Keep it open, once it was opened, until the end of the block."""
        async with self._gate:
            self._users += 1
        try:
            yield
        finally:
            self._users -= 1

    async def close_if_unused(self) -> None:
        """Disconnect, unless somebody uses it."""
        async with self._gate:
            if not self._users:
                await self.runtime.close()

    async def close(self) -> None:
        """Stop the worker, whose jobs are handed back, and disconnect."""
        await self.worker.stop(0)
        await self.runtime.close()

    def forsake(self) -> None:
        """Leave it behind, in another loop or process."""
        self.runtime.forsake()
