"""A TCP proxy that makes a server slow: it holds what clients send for so many seconds, and passes replies on at once.

proxy.py HOST PORT SECONDS      prints the port of 127.0.0.1 that it listens on, and runs until killed
"""

from __future__ import annotations

import asyncio
import selectors
import socket
import sys
from collections import deque

_CHUNK = 1 << 18


async def main(host: str, port: int, delay: float) -> None:
    """Serve for ever."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        their_reader, their_writer = await asyncio.open_connection(host, port)
        for each in (writer, their_writer):
            each.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(hold(reader, their_writer, delay), hold(their_reader, writer, 0.0), return_exceptions=True)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Pass on what comes, each piece `delay` after it came: pieces overlap, so only latency is added."""
    loop = asyncio.get_running_loop()
    held: deque[bytes] = deque()

    def release() -> None:
        writer.write(held.popleft())

    try:
        while piece := await reader.read(_CHUNK):
            if delay:
                held.append(piece)
                loop.call_later(delay, release)
            else:
                writer.write(piece)
                await writer.drain()
        await asyncio.sleep(delay * 2)
    finally:
        writer.close()


if __name__ == "__main__":
    # epoll counts in milliseconds and rounds up, which would add up to two in place of one; select does not.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        runner.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
