"""A proxy that serves a server under a prefix, which it takes away, as nginx does with `proxy_pass http://…/`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

_LONGEST_HEAD: Final = 64 * 1024
_NOT_HERE: Final = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class RewritingProxy:
    """Passes on what is asked below its prefix; each connection asks once, unless it becomes a socket.

    Args:
        prefix: `/ops/flows`.
        port: Where the server is.
    """

    def __init__(self, prefix: str, port: int) -> None:
        self.prefix = prefix
        self.port = port

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Listen while the block runs, and yield the port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_LONGEST_HEAD)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                head = await reader.readuntil(b"\r\n\r\n")
                rewritten = self._rewrite(head)
                if rewritten is None:
                    writer.write(_NOT_HERE)
                    return
                there = await asyncio.open_connection("127.0.0.1", self.port)
                there[1].write(rewritten)
                await asyncio.gather(_pass_on(reader, there[1]), _pass_on(there[0], writer))
        finally:
            writer.close()

    def _rewrite(self, head: bytes) -> bytes | None:
        """Return the head without the prefix, or None where it asks for what is not below that."""
        method, target, rest = head.split(b" ", 2)
        prefix = self.prefix.encode()
        if not target.startswith(prefix + b"/"):
            return None
        line, _, headers = rest.partition(b"\r\n")
        if b"upgrade: websocket" not in headers.lower():
            kept = [one for one in headers.split(b"\r\n") if not one.lower().startswith(b"connection:")]
            headers = b"connection: close\r\n" + b"\r\n".join(kept)
        return b" ".join((method, target[len(prefix) :], line)) + b"\r\n" + headers


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
