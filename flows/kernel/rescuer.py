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
#: A pause that ends in so many seconds is over: a timer may come that much too early.
_CLOSE: Final = 0.005
#: Parts of a lease. A lease is renewed four times in its life, so whoever lives has three quarters of it left when the
#: server goes away: an outage has to be nearly as long to cost one.
_SILENCE: Final = 0.7
#: How long a rescuer waits after such an outage, and how long its call may be under way.
_WAIT: Final = 0.5
_UNDER_WAY: Final = 0.25


class Grace:
    """Lets a rescuer that was cut off wait, so that workers which live renew first; one that just began was not.

    Args:
        lease_ms: The lease; the rescuer looks six times in that.
    """

    def __init__(self, lease_ms: float) -> None:
        self._wait = lease_ms * _WAIT
        self._longest = lease_ms * _SILENCE
        self._under_way = lease_ms * _UNDER_WAY
        self._looked: int | None = None
        self._resumes = 0.0

    def until(self, now_ms: int) -> int:
        """Return until when leases that are over may be taken back by this look; 0: not by this one.

        Args:
            now_ms: The server's time.
        """
        if self._looked is not None and now_ms - self._looked > self._longest:
            self._resumes = now_ms + self._wait
        self._looked = now_ms
        # A wait that is longer was begun before the clock was set back.
        waits = 0 < self._resumes - now_ms <= self._wait
        return 0 if waits else now_ms + int(self._under_way)


class Rescuer:
    """One task for all queues of a flow; others may do the same at the same time.

    Args:
        rescue: Gives the rescue of a queue.
        cascade: Goes on with what a client has left to be cancelled.
        clock: Asks for the server's time in milliseconds.
        lease: In seconds; it looks six times in that.
        events: Where it tells what it finds.
    """

    def __init__(
        self,
        rescue: Callable[[str], Rescue],
        cascade: Callable[[], Awaitable[Cascaded]],
        clock: Callable[[], Awaitable[int]],
        lease: float,
        events: Events,
    ) -> None:
        self._rescue = rescue
        self._cascade = cascade
        self._clock = clock
        self._pause = lease / 6
        self._grace = Grace(1000 * lease)
        self._events = events
        self._queues: Counter[str] = Counter()
        #: Set when children are to be cancelled at once.
        self._asked = asyncio.Event()
        self._service = Service("rescuer", self._rescue_forever, events)

    def add(self, queue: str) -> None:
        """Rescue jobs of a queue from now on; as often as a queue is added it has to be removed."""
        self._queues[queue] += 1

    def remove(self, queue: str) -> None:
        """Stop rescuing jobs of a queue, once it was removed as often as it was added."""
        self._queues[queue] -= 1
        if self._queues[queue] <= 0:
            del self._queues[queue]
            self._events.outage.forget(f"rescuer of {queue}")

    def start(self) -> None:
        """Start the task; starting twice changes nothing."""
        self._service.start()

    async def stop(self) -> None:
        """Stop the task; stopping twice changes nothing."""
        await self._service.stop()

    def cascade_soon(self) -> None:
        """Go on with cancelling children at once: a worker has just ended a parent of some, as cancelled."""
        self._asked.set()

    async def tick(self) -> None:
        """Rescue once in every queue, and go on with the cancelling that clients have left unfinished."""
        until_ms = await self._until()
        for queue in tuple(self._queues) if until_ms else ():
            try:
                answers = await self._rescue(queue).rescue(until_ms)
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

    async def _until(self) -> int:
        """Return until when this look may take jobs back, in the server's milliseconds; 0 where it may not."""
        try:
            now_ms = await self._clock()
        except StoreError as error:
            self._events.outage.met("rescuer", error)
            return 0
        return self._grace.until(now_ms)

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
            await self._sleep(self._pause * random.uniform(0.75, 1.25))  # noqa: S311 - jitter
            await self.tick()

    async def _sleep(self, seconds: float) -> None:
        """Let so many seconds go by; cancel children meanwhile, whenever that is asked for."""
        loop = asyncio.get_running_loop()
        timer = loop.call_later(seconds, self._asked.set)
        try:
            while True:
                await self._asked.wait()
                self._asked.clear()
                if timer.when() - loop.time() < _CLOSE:
                    return
                await self._cascade_some()
        finally:
            timer.cancel()
