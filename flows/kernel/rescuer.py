"""Rescues, every few seconds, what dead processes left behind: jobs whose leases are over, children to be cancelled."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING, Final

from flows.errors import StoreError
from flows.telemetry.events import described
from flows.telemetry.service import Service

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.store.jobs.control import Cascaded
    from flows.store.jobs.leases import Rescue
    from flows.telemetry.events import Events

#: One tick cancels children of cancelled parents so many times, up to 100 each time.
_CASCADES: Final = 100


class Rescuer:
    """One task for all queues of a flow; others may do the same at the same time."""

    def __init__(
        self,
        rescue: Callable[[str], Rescue],
        cascade: Callable[[], Awaitable[Cascaded]],
        pause_seconds: float,
        events: Events,
    ) -> None:
        self._rescue = rescue
        self._cascade = cascade
        self._pause = pause_seconds
        self._events = events
        self._queues: Counter[str] = Counter()
        self._service = Service("rescuer", self._rescue_forever, events)

    def add(self, queue: str) -> None:
        """Rescue jobs of a queue from now on; as often as a queue is added it has to be removed."""
        self._queues[queue] += 1

    def remove(self, queue: str) -> None:
        """Stop rescuing jobs of a queue, once it was removed as often as it was added."""
        self._queues[queue] -= 1
        if self._queues[queue] <= 0:
            del self._queues[queue]

    def start(self) -> None:
        """Start the task; starting twice changes nothing."""
        self._service.start()

    async def stop(self) -> None:
        """Stop the task; stopping twice changes nothing."""
        await self._service.stop()

    async def tick(self) -> None:
        """Rescue once in every queue, and go on with the cancelling that clients have left unfinished."""
        for queue in tuple(self._queues):
            try:
                answers = await self._rescue(queue).rescue()
            except StoreError as error:
                self._events.outage.met(f"rescuer of {queue}", error, queue=queue)
                continue
            except Exception as error:  # noqa: BLE001 - what rescues lost jobs must not be lost itself
                self._events.emit("worker.crashed", queue=queue, **described(error))
                continue
            self._events.outage.over(f"rescuer of {queue}")
            for job_id, word in answers:
                self._events.emit(f"job.{word}", queue=queue, job_id=job_id)
        await self._cascade_some()

    async def _cascade_some(self) -> None:
        try:
            for _ in range(_CASCADES):
                done = await self._cascade()
                self._events.outage.over("rescuer")
                if not done.parent:
                    return
                flow, _, job_id = done.parent.rpartition(":")
                self._events.emit("job.cascaded", flow=flow, job_id=job_id, count=done.count)
        except StoreError as error:
            self._events.outage.met("rescuer", error)
        except Exception as error:  # noqa: BLE001 - nor by this
            self._events.emit("worker.crashed", **described(error))

    async def _rescue_forever(self) -> None:
        while True:
            await asyncio.sleep(self._pause * random.uniform(0.75, 1.25))  # noqa: S311 - jitter
            await self.tick()
