"""Does bulk actions where no worker of their flow lives: one worker while there are some, and nothing while none is.

Whoever begins one here has it done here, unless a process with workers of the flow takes it first. One that another
process has left is found when this begins to serve, and again each `every` where that is asked for.
"""

from __future__ import annotations

import asyncio
import logging
import math
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from flows.api.borrowed import Borrowed
from flows.config import Server
from flows.errors import FlowsError
from flows.model.state import TERMINAL, JobState
from flows.pipeline.bulk.action import LOOK_AGAIN, BulkParams, bulk_name, new_bulk_options
from flows.pipeline.bulk.bulk_flow import BulkFlow
from flows.pipeline.bulk.tally import Tally
from flows.pipeline.bulk.work_off import work_off
from flows.store.jobs.upcoming import seconds_until_work

if TYPE_CHECKING:
    from flows.api.known_flow import KnownFlow
    from flows.api.link import Link

#: An action whose process was killed is taken up after so long. One that loses its lease, as in a process that was
#: stopped, does no harm: what was done is not done again.
_LEASE: Final = timedelta(seconds=1)
#: After an error it looks again after so many seconds.
_AGAIN: Final = 1.0
#: So long it sleeps at most while an action is delayed: another process may cancel that.
_LONGEST: Final = 15.0

_logger: Final = logging.getLogger("flows.bulk")


class Direct:
    """An action that this process does without a job, since the server is full: cancelling and deleting free memory."""

    def __init__(self, verb: str) -> None:
        self.verb = verb
        self.tally = Tally()
        self.state = JobState.DELAYED
        self.error: str | None = None
        self.task: asyncio.Task[None] | None = None


class BulkWork:
    """The bulk actions of one flow, as this process begins, reads and does them.

    Args:
        link: The connection, and which server it is to.
        known: The flow.
    """

    def __init__(self, link: Link, known: KnownFlow) -> None:
        self._link = link
        self._known = known
        self._task: asyncio.Task[None] | None = None
        self._asked = asyncio.Event()
        self.name = known.name
        self.settings = known.settings
        session = Borrowed(link.patient, known)
        options = new_bulk_options(known.name, allow_eviction=True, lease=_LEASE)
        self.flow = BulkFlow(options, Server(link.url, "Admin"), session, list(known.queues))
        self.direct: dict[str, Direct] = {}

    def start(self) -> None:
        """Do what is to be done by now, until there is nothing more."""
        self._asked.set()  # it may sleep, since all that there was is delayed
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._serve())

    async def close(self) -> None:
        """Stop; what is under way is handed back, and another process goes on with it."""
        tasks = [self._task, *(one.task for one in self.direct.values())]
        running = [task for task in tasks if task is not None and not task.done()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self.flow.close()

    def begin_here(self, action_id: str, params: BulkParams, delay: float) -> None:
        """Do an action without a job, after so many seconds."""
        direct = self.direct[action_id] = Direct(params.verb)
        direct.task = asyncio.get_running_loop().create_task(self._act(direct, params, delay))

    def cancel_here(self, action_id: str) -> bool:
        """Stop an action without a job; False where it has ended."""
        direct = self.direct[action_id]
        if direct.state in TERMINAL or direct.task is None:
            return False
        direct.state = JobState.CANCELLED
        return direct.task.cancel()

    async def _act(self, direct: Direct, params: BulkParams, delay: float) -> None:
        await asyncio.sleep(delay)
        direct.state = JobState.PROCESSING
        try:
            await self.flow.acting.walk(params, direct.tally, lambda: None, _logger.info)
        except FlowsError as error:
            direct.state, direct.error = JobState.FAILED, str(error)
        else:
            direct.state = JobState.DONE

    async def _serve(self) -> None:
        while True:
            self._asked.clear()
            try:
                left = await self._seconds()
                if math.isinf(left):
                    return
                if left <= 0:
                    await work_off(self.flow, self._seconds)
                    continue
            except FlowsError as error:
                _logger.warning("bulk actions of flow %r wait: %s", self._known.name, error)
                left = _AGAIN
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, _LONGEST)):
                    await self._asked.wait()

    async def _seconds(self) -> float:
        return await seconds_until_work(self._link.patient, self._known.settings, bulk_name(self._known.name))


class BulkWorks:
    """The bulk actions of all flows, in this process.

    Args:
        link: The connection.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._works: dict[str, BulkWork] = {}
        self._watch: asyncio.Task[None] | None = None
        self._looked = -math.inf
        #: Whether what is begun here is done here.
        self.serving = False

    async def of(self, flow: str) -> BulkWork:
        """Return those of a flow.

        Raises:
            StoreError: the server cannot be used.
        """
        if flow not in self._works:
            self._works[flow] = BulkWork(self._link, await self._link.flow(flow))
        return self._works[flow]

    def holding(self, action_id: str) -> BulkWork | None:
        """Return those of the flow of which this process does an action without a job."""
        return next((work for work in self._works.values() if action_id in work.direct), None)

    async def serve(self, every: float | None = None) -> None:
        """Do what is begun here from now on, and what others have left; called again, it may look again for that.

        Args:
            every: Look again after so many seconds for what others have left; None: only when this is called.

        Raises:
            StoreError: the server cannot be used.
        """
        now = asyncio.get_running_loop().time()
        if now - self._looked >= LOOK_AGAIN:
            await self._look()
            self._looked, self.serving = now, True
        if every is not None and self._watch is None:
            self._watch = asyncio.get_running_loop().create_task(self._look_again(every))

    async def close(self) -> None:
        """Stop, and hand back what is under way."""
        self.serving, self._looked = False, -math.inf
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        works, self._works = list(self._works.values()), {}
        for work in works:
            await work.close()

    async def _look(self) -> None:
        flows = await self._link.flows()
        for flow in flows:
            if bulk_name(flow) in flows:
                (await self.of(flow)).start()

    async def _look_again(self, every: float) -> None:
        while True:
            await asyncio.sleep(every)
            try:
                await self._look()
            except FlowsError as error:
                _logger.warning("bulk actions are not looked for: %s", error)
