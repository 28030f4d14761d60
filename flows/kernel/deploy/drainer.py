"""Drains, once a second, what queues were called before: their jobs come to the present names."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final

from flows.errors import StoreError
from flows.telemetry.events import described
from flows.telemetry.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flows.store.jobs.drain import Drain
    from flows.telemetry.events import Events

#: Processes of an older version may go on to send jobs there.
_PAUSE: Final = 1.0


class Drainer:
    """One task for all former names of a flow's queues; others may do the same at the same time.

    Args:
        names: Pairs of a queue and a former name of it.
        drain: Makes what moves the jobs of such a pair.
        events: Where `job.moved` is emitted.
    """

    def __init__(self, names: Sequence[tuple[str, str]], drain: Callable[[str, str], Drain], events: Events) -> None:
        self._names = names
        #: The former names: what workers of older versions lose there is rescued.
        self.former = [former for _queue, former in names]
        self._drain = drain
        self._events = events
        self._service = Service("drainer", self._drain_forever, events)

    def start(self) -> None:
        """Start the task, where there are former names; starting twice changes nothing."""
        if self._names:
            self._service.start()

    async def stop(self) -> None:
        """Stop the task; stopping twice changes nothing."""
        await self._service.stop()

    async def tick(self) -> None:
        """Move all jobs that wait or are delayed under a former name."""
        for queue, former in self._names:
            try:
                await self._drain_one(queue, former)
            except StoreError as error:
                self._events.outage.met(f"drainer of {former}", error, queue=queue)
            except Exception as error:  # noqa: BLE001 - what is left now is moved the next time
                self._events.emit("worker.crashed", queue=queue, **described(error))
            else:
                self._events.outage.over(f"drainer of {former}")

    async def _drain_one(self, queue: str, former: str) -> None:
        drain = self._drain(queue, former)
        left = 1
        while left:
            moved, left = await drain.drain()
            if moved:
                self._events.emit("job.moved", queue=queue, former=former, count=moved)

    async def _drain_forever(self) -> None:
        while True:
            await self.tick()
            await asyncio.sleep(_PAUSE * random.uniform(0.75, 1.25))  # noqa: S311 - jitter
