"""Repairs what no transition leaves behind: walks through all keys of a flow, slowly and in one process at a time."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from flows.errors import StoreError
from flows.telemetry.events import described
from flows.telemetry.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flows.store.jobs.reconcile import Reconciliation, Repair
    from flows.telemetry.events import Events

#: Of more jobs of a queue that one step repaired alike, only the count is emitted.
_SINGLY: Final = 10
#: A step that is asked for too early is refused for long, so the next one is asked for so many seconds late.
_LATE: Final = 0.005


class Reconciler:
    """One task that asks for steps; of all processes of a flow, one takes the steps of a pass."""

    def __init__(self, reconcile: Reconciliation, pause_seconds: float, events: Events) -> None:
        self._reconciliation = reconcile
        self._pause = pause_seconds
        self._events = events
        self._service = Service("reconciler", self._walk_forever, events)

    def start(self) -> None:
        """Start the task; starting twice changes nothing."""
        self._service.start()

    async def stop(self) -> None:
        """Stop the task; stopping twice changes nothing."""
        await self._service.stop()

    async def tick(self) -> float:
        """Take a step if one is due, and return the seconds until the next call."""
        pause = self._pause * random.uniform(0.75, 1.25)  # noqa: S311 - jitter
        try:
            step = await self._reconciliation.step()
        except StoreError as error:
            self._events.outage.met("reconciler", error)
            return pause
        except Exception as error:  # noqa: BLE001 - what repairs lost jobs must not be lost itself
            self._events.emit("worker.crashed", **described(error))
            return pause
        self._events.outage.over("reconciler")
        self._emit(step.repairs)
        wait = step.wait_ms / 1000
        return wait + _LATE if step.goes_on else max(pause, wait + pause / 8)

    def _emit(self, repairs: Iterable[Repair]) -> None:
        alike: defaultdict[tuple[str, str], list[Repair]] = defaultdict(list)
        for repair in repairs:
            if repair.error:
                self._events.emit("job.unrepaired", queue=repair.queue, job_id=repair.job_id, error=repair.error)
            else:
                alike[repair.queue, repair.word].append(repair)
        for (queue, word), group in alike.items():
            if len(group) > _SINGLY:
                self._events.emit("job.repaired", queue=queue, what=word, count=len(group))
                continue
            for repair in group:
                self._events.emit("job.repaired", queue=queue, what=word, job_id=repair.job_id)

    async def _walk_forever(self) -> None:
        pause = self._pause * random.uniform(0.75, 1.25)  # noqa: S311 - jitter
        while True:
            await asyncio.sleep(pause)
            pause = await self.tick()
