"""Does the bulk actions of a flow in one process: starts their worker where there is something to do, and stops it."""

from __future__ import annotations

import asyncio
import contextlib
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from flows.errors import FlowsError
from flows.kernel.built_in.companion import Companion
from flows.pipeline.bulk.action import LOOK_AGAIN, bulk_name, bulk_options
from flows.pipeline.bulk.bulk_flow import BulkFlow
from flows.pipeline.bulk.work_off import work_off
from flows.store.jobs.upcoming import seconds_until_work
from flows.telemetry.service import Service

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

    from flows.kernel.runtime import Runtime
    from flows.kernel.session import Session
    from flows.pipeline.bulk.acting import Acting
    from flows.pipeline.declaration import Declaration

#: After an error it looks again after so many seconds.
_LOOK: Final = 0.5


class BulkService(Companion):
    """What stands beside a flow's session for its bulk actions: nothing but one more wake-up key, until there is one.

    Args:
        runtime: The flow's.
        session: Its session, beside which this stands.
        declaration: The flow's.
    """

    def __init__(self, runtime: Runtime, session: Session, declaration: Declaration) -> None:
        self._runtime = runtime
        self._session = session
        self._declaration = declaration
        self._queue = bulk_name(runtime.options.name)
        self._poked = asyncio.Event()
        self._service = Service("bulk", self._serve_forever, runtime.events)
        self._flow: BulkFlow | None = None
        self._serving = False
        self._tasks: set[asyncio.Task[None]] = set()
        #: How many callers wait for a bulk action here.
        self._waiting = 0

    @property
    def flow(self) -> BulkFlow:
        """The bulk flow; made when it is first asked for."""
        if self._flow is None:
            options, server = bulk_options(self._runtime.options), self._runtime.server()
            self._flow = BulkFlow(options, server, self._session, list(self._declaration.plans))
        return self._flow

    @property
    def acting(self) -> Acting:
        """What acts on jobs."""
        return self.flow.acting

    def beside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task that is cancelled when the session is closed."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def serve(self) -> None:
        """Do bulk actions from now on, whoever asks for them."""
        if not self._serving:
            self._serving = True
            self._session.wakeups.hear(self._queue, self._poked.set)
            self._service.start()

    @asynccontextmanager
    async def at_work(self) -> AsyncGenerator[BulkFlow]:
        """Have a worker, until the end of the block at least."""
        self._waiting += 1
        self._poked.set()
        self._service.start()
        try:
            async with self.flow.used():
                yield self.flow
        finally:
            self._waiting -= 1
            self._poked.set()
            if not self._waiting and not self._serving:
                await self._service.stop()

    def poke(self) -> None:
        """Look for something to do now, if this serves."""
        self._poked.set()

    async def close(self) -> None:
        """Stop, and hand back the bulk actions that are under way: another process goes on with them."""
        await self._service.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._serving:
            self._serving = False
            self._session.wakeups.hear_no_more(self._queue)
        if self._flow is not None:
            await self._flow.close()
            self._flow = None

    def forsake(self) -> None:
        """Leave all behind, in another loop or process."""
        if self._flow is not None:
            self._flow.forsake()

    async def _serve_forever(self) -> None:
        while True:
            seconds = LOOK_AGAIN * random.uniform(0.75, 1.25)  # noqa: S311 - jitter
            try:
                left = await self._seconds()
                if left <= 0:
                    await self._work()
                    continue
            except FlowsError as error:  # the server is away, or this machine has no thread for a worker
                self._runtime.events.emit_seldom(("bulk",), "store.unavailable", queue=self._queue, error=str(error))
                seconds = _LOOK
            else:
                seconds = min(seconds, left)
            await self._pause(seconds)
            self._poked.clear()

    async def _seconds(self) -> float:
        """Return in how many seconds there is something to do."""
        if self._waiting:
            return 0.0
        return await seconds_until_work(self._session.connection, self._session.settings, self._queue)

    async def _work(self) -> None:
        """Have a worker until nothing is to be done soon."""
        await work_off(self.flow, self._seconds)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._poked.wait()
