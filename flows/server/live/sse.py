"""One topic as Server-Sent Events (HTML Standard, 9.2): the same room, for who cannot open a WebSocket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import StreamingResponse

from flows.server.live import protocol
from flows.server.problem import code_of, told

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from flows.api import Caller
    from flows.server.live.rooms import Rooms, Watch


async def stream_topic(rooms: Rooms, topic: str, caller: Caller, cursor: str | None) -> StreamingResponse:
    """Return a response that tells of a topic until its reader goes.

    Args:
        rooms: Those of the process.
        topic: Its name.
        caller: Who reads.
        cursor: The last that it has seen, as the header `Last-Event-ID` brings it.

    Raises:
        FlowsError: There is no such topic, or it cannot be watched.
    """
    new = asyncio.Event()
    watch = await rooms.enter(topic, caller, new.set)
    watch.seen = watch.room.seen(cursor)
    return StreamingResponse(
        _events(watch, new),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _events(watch: Watch, new: asyncio.Event) -> AsyncGenerator[bytes]:
    try:
        while True:
            new.clear()
            if (update := watch.room.since(watch.seen)) is not None:
                watch.seen = update.revision
                yield b"id: %b\ndata: %b\n\n" % (watch.room.cursor.encode(), update.text)
            if (error := watch.room.error) is not None:
                yield b"data: %b\n\n" % protocol.app_error(code_of(error), told(error), watch.room.topic)
                return
            try:
                async with asyncio.timeout(protocol.BEAT):
                    await new.wait()
            except TimeoutError:
                yield b": beat\n\n"
    finally:
        watch.leave()
