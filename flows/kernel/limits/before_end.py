"""Does what an outcome asks for before a turn reports it: many children are created, a queue or a group is held."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flows.errors import StoreError
from flows.kernel.fan_out import FanOut
from flows.model.creation.job_options import Due
from flows.model.outcome import AwaitChildren, Outcome, Snooze
from flows.store.rules.hold import hold, hold_group_of

if TYPE_CHECKING:
    from flows.kernel.attempt import Attempt
    from flows.kernel.session import Session
    from flows.store.jobs.turns import Turns
    from flows.telemetry.events import Events


class BeforeEnd:
    """Does that for one worker."""

    def __init__(self, session: Session, turns: Turns, events: Events) -> None:
        self._session = session
        self._queue = turns.queue
        self._events = events
        self._fan_out = FanOut(turns, events)

    async def run(self, attempt: Attempt, outcome: AwaitChildren | Snooze) -> Outcome | None:
        """Do what the outcome asks for, and return the outcome that is left; None: nothing may be written any more."""
        if isinstance(outcome, AwaitChildren):
            return await self._fan_out.create(attempt, outcome)
        if outcome.hold is None:
            return outcome
        try:
            await self._hold(attempt, outcome)
        except asyncio.CancelledError:
            return attempt.stop_as
        except StoreError as error:
            # Whoever starts next is told to wait too; the job itself comes back as it asked.
            self._events.emit("store.unavailable", queue=self._queue, error=str(error))
        return outcome

    async def _hold(self, attempt: Attempt, outcome: Snooze) -> None:
        due = Due(outcome.delay_ms) if outcome.until_ms is None else Due(-1, outcome.until_ms)
        if not due.delay_ms:
            return  # it comes back at once, and 0 would end a hold
        connection, settings = self._session.connection, self._session.settings
        if outcome.hold == "queue":
            await hold(connection, settings, self._queue, due)
        elif outcome.hold == "group":
            await hold_group_of(connection, settings, self._queue, due, attempt.claimed.id)
