"""`flow.queue(…)`, `workflows.queue(…)`: one queue, to look at, limit, pause and drain, by coroutines or plain code."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from flows.errors import ValidationError, WaitTimeout
from flows.kernel.callers.loop_thread import blocking
from flows.kernel.limits.queue_limits import QueueLimits
from flows.model.arguments import check_seconds, check_text, check_whole
from flows.model.codec import encode_value
from flows.model.creation.job_options import server_ms
from flows.model.fleet.statistics import STEPS
from flows.store.fleet.statistics import read_series
from flows.store.jobs.pausing import pause, resume
from flows.store.views.observe import observe

if TYPE_CHECKING:
    from datetime import datetime

    from flows.model.explain.queue_state import QueueState
    from flows.model.fleet.statistics import QueueSample, Step

#: How often `drain` looks, in seconds: the pause doubles up to the longest.
_FIRST: Final = 0.02
_LONGEST: Final = 0.5
#: So many characters a note of a pause may have.
LONGEST_NOTE: Final = 1000


class QueueHandle(QueueLimits):
    """One queue of a flow.

    Attributes:
        name: Its full name: a child queue's begins with its parent's.
    """

    def __repr__(self) -> str:
        """Return a text that says which queue this is."""
        return f"<QueueHandle {self.name} of {self._runtime.options.name}>"

    async def state(self) -> QueueState:
        """Return what the queue holds now, whether it is paused, and what has become of jobs in it.

        Raises:
            StoreError: the server cannot be used.
        """
        session = await self._runtime.open()
        return (await observe(session.connection, session.settings, [self.name]))[self.name]

    async def series(self, step: Step = "minute", count: int | None = None) -> list[QueueSample]:
        """Return the queue's history, oldest first: what it held, what became of jobs, how long they waited and ran.

        The last 120 minutes are kept, 144 times ten minutes, and 168 hours. A step in which no process had workers of
        the queue, or in which nothing was there and nothing happened, is left out.

        Args:
            step: How it is divided.
            count: So many steps at most, the present one included; None: all that are kept.

        Raises:
            ValidationError: there is no such step, or `count` is no positive whole number.
            StoreError: the server cannot be used.
        """
        if step not in STEPS:
            raise ValidationError(f"step={step!r}: give one of {', '.join(map(repr, STEPS))}")
        if count is not None:
            check_whole("count", count, 1)
        session = await self._runtime.open()
        return await read_series(session.connection, session.settings, self.name, step, count)

    async def pause(self, until: datetime | None = None, note: str = "") -> None:
        """Let no job of the queue start until `resume` is called, or until a time; jobs in flight go on.

        Jobs come into the queue as before. A queue that is paused is paused anew: the last `until` and `note` count.

        Args:
            until: An aware datetime, by the server's clock. None: until `resume`.
            note: Who or why, for whoever looks at it: `state()` and `flow.explain` show it.

        Raises:
            ValidationError: `until` is naive, or is over; or the note is no text, or longer than 1,000 characters.
            StoreError: the server cannot be used.
        """
        until_ms = None if until is None else server_ms("until", until)
        encode_value("note", check_text("note", note))  # refused here, where it cannot be written
        if len(note) > LONGEST_NOTE:
            raise ValidationError(f"note= has {len(note):,} characters: give at most {LONGEST_NOTE:,}")
        session = await self._runtime.open()
        if await pause(session.connection, session.settings, self.name, until_ms, note) == "over":
            raise ValidationError(f"until={until} is over, by the server's clock: give a later time, or none")

    async def resume(self) -> None:
        """Let the queue go on at once; where it is not paused, nothing changes.

        Raises:
            StoreError: the server cannot be used.
        """
        session = await self._runtime.open()
        await resume(session.connection, session.settings, self.name)

    async def drain(self, timeout: float) -> None:
        """Wait until nothing waits in the queue, runs or awaits children; delayed jobs come later and do not count.

        Args:
            timeout: In seconds.

        Raises:
            WaitTimeout: it holds jobs still; the message says how many, and whether the queue is paused.
            StoreError: the server cannot be used.
        """
        check_seconds("timeout", timeout)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        pause = _FIRST
        while not (state := await self.state()).idle:
            left = deadline - loop.time()
            if left <= 0:
                raise WaitTimeout(f"queue {self.name!r} is not drained after {timeout} s: {_held(state)}")
            await asyncio.sleep(min(left, pause))
            pause = min(_LONGEST, pause * 2)


class SyncQueueHandle:
    """The same for plain callers: `flow.sync.queue(…)`."""

    def __init__(self, handle: QueueHandle) -> None:
        self.name = handle.name
        where = f"await flow.queue({handle.name!r})"
        self.state = blocking(handle.state, f"{where}.state()")
        self.series = blocking(handle.series, f"{where}.series(...)")
        self.pause = blocking(handle.pause, f"{where}.pause(...)")
        self.resume = blocking(handle.resume, f"{where}.resume()")
        self.drain = blocking(handle.drain, f"{where}.drain(...)")
        self.limits = blocking(handle.limits, f"{where}.limits()")
        self.set_limit = blocking(handle.set_limit, f"{where}.set_limit(...)")
        self.set_concurrency = blocking(handle.set_concurrency, f"{where}.set_concurrency(...)")
        self.set_share = blocking(handle.set_share, f"{where}.set_share(...)")
        self.hold = blocking(handle.hold, f"{where}.hold(...)")


def _held(state: QueueState) -> str:
    paused = ", and it is paused" if state.paused else "" if state.workers else ", and no process has workers of it"
    return f"{state.waiting} wait, {state.processing} run, {state.children} await their children{paused}"
