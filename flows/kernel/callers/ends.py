"""Waits for the end of a job or a run: reads its state when a message says so, and now and then, as some are lost."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from flows.errors import JobGone, WaitTimeout
from flows.model.arguments import check_seconds
from flows.model.names import check_job_id
from flows.model.runs.new_run import RUN_FLOW
from flows.model.state import TERMINAL, JobState

if TYPE_CHECKING:
    from uuid import UUID

    from flows.kernel.runtime import Runtime

#: Without a channel the state is read again after so many seconds; with one the pause doubles up to the longest.
SHORTEST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 5.0
#: So many seconds a message may come later than an answer that was sent after it.
_LATE: Final = 0.2
#: What a message says of a job that has ended and is still there.
_ENDS: Final = frozenset(map(str, TERMINAL))


class Ending(Protocol):
    """What a record says of its job."""

    @property
    def status(self) -> str:
        """Its state; of a run that waits, `suspended`."""
        ...

    @property
    def queue(self) -> str:
        """The queue in which it stands."""
        ...


RecordT = TypeVar("RecordT", bound=Ending)
RecordT_co = TypeVar("RecordT_co", bound=Ending, covariant=True)


class Reads(Protocol[RecordT_co]):
    """Reads what is waited for."""

    async def state(self, job_id: str) -> JobState | None:
        """Return the state, by a small read; None where it is gone."""
        ...

    async def record(self, job_id: str) -> RecordT_co | None:
        """Return the record; None where it is gone."""
        ...


async def wait_for_end(runtime: Runtime, reader: Reads[RecordT], job_id: str | UUID, timeout: float | None) -> RecordT:
    """Wait until a job has ended and return its record.

    Args:
        runtime: Of its flow.
        reader: Reads its state and its record.
        job_id: Its id.
        timeout: In seconds; None: as long as it takes.

    Raises:
        WaitTimeout: it has not ended in time.
        JobGone: it has expired or was deleted; `ended` says how it ended, where that was told or seen before.
    """
    job_id = check_job_id(job_id)
    timeout = check_seconds("timeout", timeout, optional=True)
    signals = (await runtime.open()).signals
    keys, flow = runtime.settings.keys, runtime.options.name
    channels, what = (keys.heard(flow), keys.ended(flow, job_id)), noun_of(flow)
    loop = asyncio.get_running_loop()
    deadline = math.inf if timeout is None else loop.time() + timeout
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
                raise JobGone(job_id, notice.ended, what)
            known = True
            left = deadline - loop.time()
            if state in TERMINAL or left <= 0:
                notice.ended = None  # should the job be retried by hand just now, what was published is over
                record = await reader.record(job_id)
                if record is None:
                    raise JobGone(job_id, state if state in TERMINAL else notice.ended, what)
                if record.status in TERMINAL:
                    return record
                if left <= 0:
                    raise WaitTimeout(f"{what} {job_id} {_still(record)} after {timeout} s{_lonely(record, runtime)}")
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


def noun_of(flow: str) -> str:
    """Return what messages call the jobs of a flow: those of the flow of runs are runs."""
    return "run" if flow == RUN_FLOW else "job"


def _still(record: Ending) -> str:
    """Return what a job does that has not ended."""
    what = "still waits for its children" if record.status == JobState.CHILDREN else f"is still {record.status}"
    return f"{what} in {record.queue!r}"


def _lonely(record: Ending, runtime: Runtime) -> str:
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
