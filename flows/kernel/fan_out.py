"""Creates the children of a parent job where they are too many for the script that ends its attempt."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from flows.errors import KeyConflict, StoreError
from flows.model.job import JobError
from flows.model.limits.given import inherited
from flows.model.outcome import AwaitChildren, Fail, Outcome, Snooze
from flows.store.jobs.finished import fits_one_script

if TYPE_CHECKING:
    from flows.kernel.attempt import Attempt
    from flows.store.jobs.turns import Turns
    from flows.telemetry.events import Events

#: When the server could not be reached, the parent comes back after so many milliseconds.
_PAUSE_MS: Final = 1000


class FanOut:
    """Creates the children of one worker's parent jobs."""

    def __init__(self, turns: Turns, events: Events) -> None:
        self._turns = turns
        self._events = events

    async def create(self, attempt: Attempt, outcome: AwaitChildren) -> Outcome | None:
        """Create the children that are too many for a turn, and return the outcome that is left for the next turn.

        Children get their parent's correlation id and priority. Those that fit one script go along with the turn; more
        are created here, and `AwaitChildren` without children is left. None: nothing may be written any more.
        """
        if attempt.claimed.correlation_id is not None:
            for child in outcome.children:
                child.fields["_correlation_id"] = attempt.claimed.correlation_id
        priority = attempt.claimed.priority
        for child in outcome.children:
            if priority is not None or "_priority" in child.fields:
                inherited(child.fields, priority)
        return outcome if fits_one_script(outcome.children) else await self._create_many(attempt, outcome)

    async def _create_many(self, attempt: Attempt, outcome: AwaitChildren) -> Outcome | None:
        queue = self._turns.queue
        try:
            if await self._turns.create_children(attempt.claimed, outcome.children) != "ok":
                return None
        except asyncio.CancelledError:
            return attempt.stop_as
        except KeyConflict as error:
            return Fail(JobError(type="KeyConflict", message=str(error), queue=queue, attempt=attempt.claimed.attempt))
        except StoreError as error:
            # That is not the job's fault: after a pause, the next attempt goes on where this one stopped.
            self._events.emit("store.unavailable", queue=queue, error=str(error))
            return Snooze(_PAUSE_MS)
        return AwaitChildren([], outcome.next_queue, outcome.fields, outcome.on_child_failure)
