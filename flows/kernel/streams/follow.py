"""Follows the text that a job or a run streams: reads what is new when a message says so, until the job has ended."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING

from flows.errors import JobGone
from flows.kernel.callers.ends import LONGEST_PAUSE, SHORTEST_PAUSE, noun_of
from flows.model.names import check_job_id
from flows.model.state import TERMINAL
from flows.store.streams.text_piece import check_cursor
from flows.store.streams.text_stream import PAGE, read_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from flows.kernel.callers.ends import Ending, Reads
    from flows.kernel.runtime import Runtime
    from flows.store.streams.text_piece import TextPiece


def follow_text(
    runtime: Runtime, reader: Reads[Ending], job_id: str | UUID, after: str | None
) -> AsyncIterator[TextPiece]:
    """Return the pieces behind a cursor, as they come, until the job has ended and all were read.

    Args:
        runtime: Of its flow.
        reader: Reads its state.
        job_id: Its id.
        after: The cursor of the last piece that was read; None: from the beginning.

    Raises:
        ValidationError: the id or the cursor cannot be one.
        JobGone: while it is iterated: the job has expired or was deleted.
        StoreError: while it is iterated: the server cannot be used.
    """
    return _follow(runtime, reader, check_job_id(job_id), check_cursor(after))


async def _follow(runtime: Runtime, reader: Reads[Ending], job_id: str, position: int) -> AsyncIterator[TextPiece]:
    state = await reader.state(job_id)  # opens the runtime
    session = await runtime.open()
    signals, keys, flow = session.signals, session.settings.keys, runtime.options.name
    channels = (keys.heard(flow), keys.ended(flow, job_id), keys.streamed(flow, job_id))
    notice = _Notice()
    listeners = (_ignore, notice.ended, notice.streamed)
    try:
        for channel, listener in zip(channels, listeners, strict=True):
            await signals.subscribe(channel, listener)
        pause = SHORTEST_PAUSE
        while True:
            notice.event.clear()
            if notice.look:  # before the text: all that an attempt has streamed stands there before it ends
                notice.look = False
                state = await reader.state(job_id)
            pieces, position = await read_text(session.connection, session.settings, flow, job_id, position)
            for piece in pieces:
                yield piece
            if state is None:
                raise JobGone(job_id, what=noun_of(flow))
            if len(pieces) == PAGE:
                continue
            if state in TERMINAL:
                return
            pause = min(pause * 2, LONGEST_PAUSE) if all(map(signals.hears, channels)) else SHORTEST_PAUSE
            if not await _woken(notice.event, random.uniform(pause * 0.75, pause)):  # noqa: S311 - not all at once
                notice.look = True
    finally:
        for channel, listener in zip(channels, listeners, strict=True):
            signals.unsubscribe(channel, listener)


class _Notice:
    """What was published on the channels of a job."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        #: Whether to look at the job's state.
        self.look = True

    def streamed(self, message: str | None) -> None:
        """Take where the text ends now, or None where a message may have been missed."""
        self.look = self.look or message is None
        self.event.set()

    def ended(self, _message: str | None) -> None:
        """Take how the job has ended, or None where a message may have been missed."""
        self.look = True
        self.event.set()


async def _woken(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, no longer than so many seconds, and return whether it came."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
            return True
    return False


def _ignore(_message: str | None) -> None:
    """Do nothing with a message: the subscription is there to be counted."""
