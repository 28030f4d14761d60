"""Walks, slowly and one process at a time, through all that a flow keeps, and tells what it had to repair."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from flows.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flows.store.jobs.reconcile import Reconciliation, Repair
    from flows.telemetry.events import Events

#: Of more jobs of a queue that one step repaired alike, only the count is told.
_SINGLY: Final = 10
#: Who asks before its time is sent away for long, so who walks comes a little later than it may, in seconds.
_LATE: Final = 0.005


class Reconciler:
    """One task for a flow; of all processes that do the same, one takes the steps of a pass."""

    def __init__(self, reconcile: Reconciliation, pause_seconds: float, events: Events) -> None:
        self._reconciliation = reconcile
        self._pause = pause_seconds
        self._events = events
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to ask for steps."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._walk_forever(), name="flows-reconciler")

    async def stop(self) -> None:
        """End."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def tick(self) -> float:
        """Take a step if one is due, and return after how many seconds to ask again."""
        pause = self._pause * random.uniform(0.75, 1.25)  # noqa: S311 - jitter
        try:
            step = await self._reconciliation.step()
        except StoreError as error:
            self._events.emit("store.unavailable", error=str(error))
            return pause
        except Exception as error:  # noqa: BLE001 - whoever looks for what was lost must not be lost himself
            self._events.emit("worker.crashed", error=repr(error))
            return pause
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
