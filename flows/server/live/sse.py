"""One topic as Server-Sent Events (HTML Standard, 9.2): the same room, for who cannot open a WebSocket."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from flows.server.live import protocol
from flows.server.patient_stream import PatientStream
from flows.server.problem import code_of, told

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from flows.api import Caller
    from flows.server.identity import Session
    from flows.server.live.rooms import Rooms, Watch


async def stream_topic(  # noqa: PLR0913, PLR0917 - what a stream follows from
    rooms: Rooms,
    topic: str,
    caller: Caller,
    identify: Callable[[], Awaitable[Session | None]],
    cursor: str | None,
    on_end: Callable[[], None],
) -> PatientStream:
    """Return a response that tells of a topic until its reader goes, or takes nothing, or is no longer who it was.

    Args:
        rooms: Those of the process.
        topic: Its name.
        caller: Who reads.
        identify: Says again who reads: each minute.
        cursor: The last that it has seen, as the header `Last-Event-ID` brings it.
        on_end: Called when the response is over.

    Raises:
        FlowsError: There is no such topic, or it cannot be watched.
    """
    new = asyncio.Event()
    watch = await rooms.enter(topic, caller, new.set)
    watch.seen = watch.room.seen(cursor)

    def end() -> None:
        watch.leave()
        on_end()

    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return PatientStream(_events(watch, new, caller, identify), end, headers, media_type="text/event-stream")


async def _events(
    watch: Watch, new: asyncio.Event, caller: Caller, identify: Callable[[], Awaitable[Session | None]]
) -> AsyncGenerator[bytes]:
    check_at = 0.0
    while True:
        new.clear()
        if time.time() >= check_at:
            session = await identify()
            if session is None or session.caller != caller:
                gone = protocol.app_error("unauthenticated", "the token has ended, or was taken back", watch.room.topic)
                yield b"data: %b\n\n" % gone
                return
            check_at = min(time.time() + protocol.CHECKED_EVERY, session.ends_at or float("inf"))
        if watch.room.closed:
            return
        if (update := watch.room.since(watch.seen)) is not None:
            watch.seen = update.revision
            yield b"id: %b\ndata: %b\n\n" % (watch.room.cursor.encode(), update.text)
        if (error := watch.room.error) is not None:
            yield b"data: %b\n\n" % protocol.app_error(code_of(error), told(error), watch.room.topic)
            return
        try:
            async with asyncio.timeout(max(0.0, min(protocol.BEAT, check_at - time.time()))):
                await new.wait()
        except TimeoutError:
            yield b": beat\n\n"
