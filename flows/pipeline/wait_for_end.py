"""Waits for the end of a job: reads its state when a message says so, and now and then, since messages may be lost."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING, Final

from flows.errors import JobGone, WaitTimeout
from flows.model.arguments import check_seconds
from flows.model.names import check_job_id
from flows.model.state import TERMINAL, JobState
from flows.pipeline.signature import ParamsT

if TYPE_CHECKING:
    from uuid import UUID

    from flows.kernel.runtime import Runtime
    from flows.model.record import JobRecord
    from flows.pipeline.job_reader import JobReader

#: Without a channel the state is read again after so many seconds; with one the pause doubles up to the longest.
SHORTEST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 5.0
#: So many seconds a message may come later than an answer that was sent after it.
_LATE: Final = 0.2
#: What a message says of a job that has ended and is still there.
_ENDS: Final = frozenset(map(str, TERMINAL))


async def wait_for_end(
    runtime: Runtime, reader: JobReader[ParamsT], job_id: str | UUID, timeout: float
) -> JobRecord[ParamsT]:
    """Wait until a job has ended and return its record.

    Raises:
        WaitTimeout: it has not ended in time.
        JobGone: it has expired or was deleted; `ended` says how it ended, where that was told or seen before.
    """
    job_id = check_job_id(job_id)
    check_seconds("timeout", timeout)
    signals = (await runtime.open()).signals
    keys, flow = runtime.settings.keys, runtime.options.name
    channels = (keys.heard(flow), keys.ended(flow, job_id))
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    notice = _Notice()
    try:
        await signals.subscribe(channels[0], _ignore)
        await signals.subscribe(channels[1], notice)
        pause, known = SHORTEST_PAUSE, False
        while True:
            notice.event.clear()
            state = notice.ended or await reader.state(job_id)
            if state is None:
                if known:  # the hash ended just now: its end is published on another connection, and may come later
                    await _wait(notice.event, _LATE)
                raise JobGone(job_id, notice.ended)
            known = True
            left = deadline - loop.time()
            if state in TERMINAL or left <= 0:
                notice.ended = None  # should the job be retried by hand just now, what was published is over
                record = (await reader.get([job_id], None, resolve=False))[0]
                if record is None:
                    raise JobGone(job_id, state if state in TERMINAL else notice.ended)
                if record.status in TERMINAL:
                    return record
                if left <= 0:
                    raise WaitTimeout(f"job {job_id} {_still(record)} after {timeout} s{_lonely(record, runtime)}")
            hears = all(map(signals.hears, channels))
            pause = min(pause * 2, LONGEST_PAUSE) if hears and not notice.missed else SHORTEST_PAUSE
            notice.missed = False
            # Many who wait for jobs of one moment do not look in one moment.
            await _wait(notice.event, min(left, random.uniform(pause * 0.75, pause)))  # noqa: S311
    finally:
        signals.unsubscribe(channels[1], notice)
        signals.unsubscribe(channels[0], _ignore)


class _Notice:
    """What was published on the channel of a job."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.ended: JobState | None = None
        #: Whether something may have been missed.
        self.missed = True

    def __call__(self, message: str | None) -> None:
        """Take a message: how the job has ended, or None where one may have been missed."""
        if message is None:
            self.missed = True
        elif message in _ENDS:
            self.ended = JobState(message)
        self.event.set()


def _still(record: JobRecord[ParamsT]) -> str:
    """Return what a job does that has not ended."""
    what = "still waits for its children" if record.status == JobState.CHILDREN else f"is still {record.status}"
    return f"{what} in {record.queue!r}"


def _lonely(record: JobRecord[ParamsT], runtime: Runtime) -> str:
    """Return that a job which waits has no worker in this process, where that is so."""
    if record.status != JobState.WAITING or record.queue in runtime.served():
        return ""
    return f"; no worker of {record.queue!r} runs in this process"


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, and no longer than so many seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def _ignore(_message: str | None) -> None:
    """Do nothing with a message: the subscription is there to be counted."""
