"""Sends the turns of one worker until they are answered: a server that is away is waited for, a full one is not asked.

A turn that is sent again has the number that it had, so that it is one and the same.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from flows.errors import StoreError, StoreFull, StoreUnavailable
from flows.model.outcome import Release
from flows.telemetry.failpoints import failpoint

if TYPE_CHECKING:
    from flows.kernel.in_flight import InFlight
    from flows.kernel.progress import Progress
    from flows.kernel.runtime import Runtime
    from flows.store.jobs.finished import FinishedAttempt
    from flows.store.jobs.turns import Turn, Turns

#: The words of attempts that have ended, and of those that were to be cancelled: whose children then are, too.
_CANCELLED: Final = frozenset({"cancelled", "undoing"})
_WELL: Final = frozenset({"ok", *_CANCELLED})
#: While the server is full or away, a worker tries again after so many seconds.
_PAUSE: Final = 1.0


class TurnSender:
    """Sends the turns of one worker loop.

    Args:
        runtime: Where it tells what came of them.
        turns: The turns as the store takes them.
        in_flight: Has the attempts that have ended, and drops those that are reported.
        progress: What functions have reported; it is written before each turn.
        stopping: Set when the worker is to stop: no turn is sent again then.
    """

    def __init__(
        self, runtime: Runtime, turns: Turns, in_flight: InFlight, progress: Progress, stopping: asyncio.Event
    ) -> None:
        self._runtime = runtime
        self._turns = turns
        self._in_flight = in_flight
        self._progress = progress
        self._stopping = stopping
        self._queue = turns.queue
        #: How many ended attempts could not be reported to the server.
        self.unreported = 0
        #: How many jobs were handed back since the worker is to stop.
        self.released = 0

    async def begin(self) -> None:
        """Say that this worker is there, before its first turn: it does not rely on what others were to wake for."""
        with contextlib.suppress(StoreError):  # the first turn meets that again
            await self._turns.take_alarm_over()

    async def leave(self) -> None:
        """Hand on what this worker was to wake for, after its last turn."""
        if self._runtime.events.outage.lasts:
            return  # another one polls
        with contextlib.suppress(StoreError):
            await self._turns.hand_alarm_on()

    async def send(self, ended: list[FinishedAttempt], want: int, *, busy: bool) -> Turn | None:
        """Send a turn and return its answer; None where there is none, and what has ended was put back or reported."""
        await self._progress.try_write()
        try:
            if not self._turns.early:
                failpoint("before-turn-send")
            turn = await self._turns.turn(ended, want, busy=busy)
            failpoint("after-turn-reply")
        except StoreUnavailable as error:
            repeated = await self._repeat(error)
            if repeated is None:
                self._in_flight.unreported.put_back(ended)
            return repeated
        except StoreError as error:
            # Refused before anything was written: what has ended can still be reported without claiming.
            name = "store.full" if isinstance(error, StoreFull) else "store.refused"
            self._runtime.events.emit(name, queue=self._queue, error=str(error))
            self._in_flight.unreported.put_back(ended)
            await self.report()
            await self.pause()
            return None
        else:
            return turn
        finally:
            self._turns.under_way = 0

    async def report(self) -> None:
        """Report the attempts that have ended, and claim nothing."""
        ended = self._in_flight.unreported.take(self._turns.most)
        if not ended:
            return
        await self._progress.try_write()
        try:
            self.answered(ended, await self._turns.report(ended))
        except StoreError as error:
            # The leases run out and the jobs run again: at least once is what is promised.
            self._in_flight.reported(ended)
            self.unreported += len(ended)
            self._runtime.events.emit("store.unavailable", queue=self._queue, error=str(error))

    def answered(self, ended: list[FinishedAttempt], words: list[str]) -> None:
        """Drop attempts that were reported, and emit what became of each: what the script answers, a word each."""
        self._in_flight.reported(ended)
        for attempt, word in zip(ended, words, strict=True):
            if word not in _WELL:
                self._runtime.events.emit("job.lost", queue=self._queue, job_id=attempt.claimed.id, word=word)
        if self._stopping.is_set():
            released = (attempt for attempt, word in zip(ended, words, strict=True) if word == "ok")
            self.released += sum(isinstance(attempt.outcome, Release) for attempt in released)
        if not _CANCELLED.isdisjoint(words):
            self._runtime.session.rescuer.cascade_soon()
        self._runtime.emit_outcomes(self._queue, ended, words)

    async def pause(self) -> None:
        """Let a while go by before the next try; a wake-up does not shorten it, or each would be a try."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PAUSE):
                await self._stopping.wait()

    async def _repeat(self, error: StoreUnavailable) -> Turn | None:
        """Send the last turn again until it is answered; None where the worker is to stop first."""
        outage = self._runtime.events.outage
        while not self._stopping.is_set():
            outage.met(self._queue, error, queue=self._queue)
            await self.pause()
            try:
                turn = await self._turns.repeat()
            except StoreUnavailable as again:
                error = again
            else:
                outage.over(self._queue)
                return turn
        outage.forget(self._queue)
        return None
