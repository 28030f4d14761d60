"""What the way between a client and a server does to the bytes on it: late, slowly, or not before it is open again."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from typing import Final, Literal

#: A slow way lets through pieces of this size, so that small answers are not held up by large ones for long.
_PIECE: Final = 1024
_WAYS: Final[dict[str, tuple[str, ...]]] = {"up": ("up",), "down": ("down",), "both": ("up", "down")}


class Conditions:
    """What holds for all connections of a proxy at the moment."""

    def __init__(self) -> None:
        self.rate = 0.0
        self._delay = (0.0, 0.0)
        self._open: dict[str, asyncio.Event] = {"up": asyncio.Event(), "down": asyncio.Event()}
        self._free = {"up": 0.0, "down": 0.0}
        self.open()

    def close(self, direction: Literal["up", "down", "both"]) -> None:
        """Let nothing through."""
        for way in _WAYS[direction]:
            self._open[way].clear()

    def open(self) -> None:
        """Let everything through."""
        for event in self._open.values():
            event.set()

    def delay(self, ms: float, jitter_ms: float) -> None:
        """Let a round trip take longer."""
        self._delay = (ms / 2000, jitter_ms / 2000)

    def throttle(self, bytes_per_s: float) -> None:
        """Let through so many bytes in a second."""
        self.rate = bytes_per_s

    def lateness(self, chance: random.Random) -> float:
        """Return by how many seconds bytes that come now are late, one way."""
        ms, jitter = self._delay
        return ms + chance.uniform(0, jitter)

    async def pass_gate(self, way: str) -> None:
        """Wait until the way is open."""
        await self._open[way].wait()

    async def pass_slowly(self, way: str, size: int) -> None:
        """Wait as long as so many bytes take; all connections share the way."""
        now = asyncio.get_running_loop().time()
        self._free[way] = max(self._free[way], now) + size / self.rate
        await asyncio.sleep(self._free[way] - now)


class Line:
    """One direction of one connection: what is put in comes out in order, as the conditions allow."""

    def __init__(
        self, way: Literal["up", "down"], conditions: Conditions, writer: asyncio.StreamWriter, chance: random.Random
    ) -> None:
        self._way = way
        self._conditions = conditions
        self._writer = writer
        self._chance = chance
        self._queue: asyncio.Queue[tuple[float, bytes | None]] = asyncio.Queue()
        self._last = 0.0

    def put(self, data: bytes) -> None:
        """Send bytes on their way."""
        if data:
            self._add(data)

    def end(self) -> None:
        """Send the end of the connection on its way."""
        self._add(None)

    async def idle(self) -> None:
        """Wait until all that was put in has come out."""
        await self._queue.join()

    async def carry(self) -> None:
        """Carry bytes until the end."""
        while True:
            due, data = await self._queue.get()
            await self._wait_until(due)
            await self._conditions.pass_gate(self._way)
            if data is not None:
                await self._write(data)
            self._queue.task_done()
            if data is None:
                self._writer.close()
                return

    def _add(self, data: bytes | None) -> None:
        now = asyncio.get_running_loop().time()
        self._last = max(self._last, now + self._conditions.lateness(self._chance))
        self._queue.put_nowait((self._last, data))

    async def _wait_until(self, due: float) -> None:
        left = due - asyncio.get_running_loop().time()
        if left > 0:
            await asyncio.sleep(left)

    async def _write(self, data: bytes) -> None:
        if not self._conditions.rate:
            self._writer.write(data)
            await self._writer.drain()
            return
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            if self._conditions.rate:
                await self._conditions.pass_slowly(self._way, len(piece))
            self._writer.write(piece)
            await self._writer.drain()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by RST: the other side learns of it at once, and what was under way is lost."""
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
