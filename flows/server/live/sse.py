"""What is watched as Server-Sent Events (HTML Standard, 9.2): the same room, for who cannot open a WebSocket."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from flows.server.live import protocol
from flows.server.patient_stream import PatientStream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from flows.server.identity import Session
    from flows.server.live.protocol import Watched
    from flows.server.live.room import Watch


async def stream_watch(  # noqa: PLR0913, PLR0917 - what a stream follows from
    watched: Watched,
    enter: Callable[[Session, Callable[[], None]], Awaitable[Watch]],
    session: Session,
    identify: Callable[[], Awaitable[Session | None]],
    cursor: str | None,
    on_end: Callable[[], None],
) -> PatientStream:
    """Return a response that tells of a room until its reader goes, or takes nothing, or is no longer who it was.

    Args:
        watched: What is told of.
        enter: Enters its room for a session; it is given what to call when there is something new.
        session: Who reads.
        identify: Says again who reads: each minute.
        cursor: The last that it has seen, as the header `Last-Event-ID` brings it.
        on_end: Called when the response is over.

    Raises:
        FlowsError: There is no such room, or it cannot be watched.
    """
    new = asyncio.Event()
    watch = await enter(session, new.set)
    watch.seen = watch.room.seen(cursor)

    def end() -> None:
        watch.leave()
        on_end()

    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return PatientStream(_events(watched, watch, new, session, identify), end, headers, media_type="text/event-stream")


async def _events(
    watched: Watched,
    watch: Watch,
    new: asyncio.Event,
    known: Session,
    identify: Callable[[], Awaitable[Session | None]],
) -> AsyncGenerator[bytes]:
    check_at = 0.0
    while True:
        new.clear()
        if time.time() >= check_at:
            session = await identify()
            if session is None or session.caller != known.caller:
                gone = protocol.app_error("unauthenticated", "the token has ended, or was taken back", watched)
                yield _event(gone)
                return
            check_at = min(time.time() + protocol.CHECKED_EVERY, session.ends_at or float("inf"))
        if watch.room.closed:
            return
        if texts := watch.news():  # the last one of a telling has the cursor: who is cut off before gets all again
            yield b"".join([*map(_event, texts[:-1]), b"id: %b\n" % watch.room.cursor.encode(), _event(texts[-1])])
        if (error := watch.room.error) is not None:
            yield _event(protocol.ended(watched, error))
            return
        try:
            async with asyncio.timeout(max(0.0, min(protocol.BEAT, check_at - time.time()))):
                await new.wait()
        except TimeoutError:
            yield b": beat\n\n"


def _event(text: str) -> bytes:
    return b"data: %b\n\n" % text.encode()
