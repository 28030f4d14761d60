"""Fires schedules whose slots have come. Every process with workers does, and a slot is fired once all the same."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any, Final

from flows.errors import FlowsError, StoreError
from flows.model.runs.schedule_definition import read_definition
from flows.model.schedules.due_slots import DueSlots, due_slots
from flows.store.schedules.firing import SLOTS_AT_ONCE
from flows.telemetry.events import described
from flows.telemetry.service import Service

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.model.runs.schedule_definition import ScheduleDefinition
    from flows.store.schedules.firing import DueSchedule, Fired, Firing
    from flows.telemetry.events import Events

#: It looks so often at least, in seconds: what was created or moved meanwhile is due no later than that.
_LONGEST: Final = 1.0
#: Of processes that wake for the same slot the first one fires it, and the others come this much later at most.
_SPREAD: Final = 0.02
#: What is later than this many milliseconds is reckoned in a thread: a year of minutes takes seconds.
_LONG_AGO: Final = 3_600_000
_SERVICE: Final = "scheduler"


class Scheduler:
    """One task of a process; any number of processes may do the same at the same time.

    Args:
        firing: Reads what is due, and fires it.
        cancel_children: Goes on with the cancelling of a run that was cancelled.
        refresh: Says that this process still declares its schedules.
        every: How often it says that, in seconds.
        events: Where it tells what it does.
    """

    def __init__(
        self,
        firing: Firing,
        cancel_children: Callable[[str], Awaitable[None]],
        refresh: Callable[[], Awaitable[None]],
        every: float,
        events: Events,
    ) -> None:
        self._firing = firing
        self._cancel_children = cancel_children
        self._refresh = refresh
        self._every = every
        self._events = events
        self._refreshed: float | None = None
        #: Schedules that cannot be used here, as they stood when that was told.
        self._unusable: dict[str, bytes] = {}
        self._service = Service(_SERVICE, self._run, events)

    def start(self) -> None:
        """Start the task; starting twice changes nothing."""
        self._service.start()

    async def stop(self) -> None:
        """Stop the task; stopping twice changes nothing."""
        await self._service.stop()

    async def tick(self) -> float:
        """Fire all that is due, and return in how many seconds to look again.

        Raises:
            StoreError: the server cannot be used.
        """
        if self._refreshed is None or time.monotonic() - self._refreshed >= self._every:
            await self._refresh()
            self._refreshed = time.monotonic()
        due = await self._firing.due()
        again = 0.0
        for one in due.schedules:
            again = max(again, await self._fire(one, due.now_ms))
        if due.schedules:
            return min(_LONGEST, again / 1000)
        return _LONGEST if due.left_ms is None else min(_LONGEST, due.left_ms / 1000)

    async def _run(self) -> None:
        while True:
            pause = _LONGEST
            try:
                pause = await self.tick()
                self._events.outage.over(_SERVICE)
            except StoreError as error:
                self._events.outage.met(_SERVICE, error)
            except Exception as error:  # noqa: BLE001 - one schedule that fails must not keep the others from running
                self._events.emit("worker.crashed", **described(error))
            await asyncio.sleep(pause + random.uniform(0, _SPREAD))  # noqa: S311 - jitter

    async def _fire(self, due: DueSchedule, now_ms: int) -> float:
        """Fire what is due of one schedule; return in how many ms to look again, 0: at once."""
        definition = self._read(due)
        if definition is None:
            return 1000 * _LONGEST
        plan = await _reckon(definition, due.slot, now_ms)
        seen = due.slot
        # In parts, each of which moves the schedule on to the next one's first slot: whoever dies between them leaves
        # the rest to the others.
        for start in range(0, max(1, len(plan.slots)), SLOTS_AT_ONCE):
            part = plan.slots[start : start + SLOTS_AT_ONCE]
            following = plan.slots[start + SLOTS_AT_ONCE : start + SLOTS_AT_ONCE + 1]
            after = following[0] if following else plan.next
            fired = await self._firing.fire(definition, due.fields["digest"], seen, part, after)
            if fired.word != "fired":
                return fired.left_ms
            self._tell(definition, part, fired)
            for run_id in fired.cancelled:
                await self._cancel_children(run_id)
            seen = after
        return 0.0

    def _read(self, due: DueSchedule) -> ScheduleDefinition | None:
        """Return a schedule that this process can use; of another one it tells once why it cannot."""
        digest = due.fields.get("digest", b"")
        try:
            definition = read_definition(due.id, due.fields)
        except FlowsError as error:
            if self._unusable.get(due.id) != digest:
                self._unusable[due.id] = digest
                self._events.emit("schedule.unusable", schedule=due.id, error=str(error))
            return None
        self._unusable.pop(due.id, None)
        return definition

    def _tell(self, definition: ScheduleDefinition, slots: tuple[int, ...], fired: Fired) -> None:
        for slot, (word, run_id) in zip(slots, fired.slots, strict=True):
            fields: dict[str, Any] = {"schedule": definition.id, "workflow": definition.run.workflow, "slot": slot}
            if word in {"started", "queued"}:
                self._events.emit("schedule.fired", **fields, job_id=run_id, word=word)
            else:
                self._events.emit("schedule.skipped", **fields, job_id=run_id or None, reason=word)


async def _reckon(definition: ScheduleDefinition, slot: int, now_ms: int) -> DueSlots:
    schedule = definition.schedule
    if now_ms - slot < _LONG_AGO:
        return due_slots(schedule, slot, now_ms, schedule.missed)
    return await asyncio.to_thread(due_slots, schedule, slot, now_ms, schedule.missed)
