"""Talks to the provider: as much of HTTP as that takes, over connections that are opened before the first message."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

#: Seconds after which an answer that should come has not come.
PATIENCE = 30.0


class Answer(NamedTuple):
    """What the provider said."""

    status: int
    body: dict[str, Any]


class Client:
    """Keeps connections open: one that is made for a message would let the first ones come later than those after."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def open(self, connections: int) -> None:
        """Open so many connections, and use each once, so that the provider is ready too."""
        async with asyncio.timeout(PATIENCE):
            opened = [await asyncio.open_connection("127.0.0.1", self._port) for _ in range(connections)]
            await asyncio.gather(*(_ask(*connection, "GET", "/report") for connection in opened))
        self._idle += opened

    async def ask(self, method: str, path: str, body: dict[str, str] | None = None) -> Answer:
        """Send a request, and return the answer.

        Raises:
            OSError: the connection failed, or no answer came in time (`TimeoutError`).
        """
        connection = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await _ask(*connection, method, path, body)
        except BaseException as error:
            connection[1].close()
            if isinstance(error, asyncio.IncompleteReadError):
                raise ConnectionResetError("the provider has closed the connection") from error
            raise
        self._idle.append(connection)
        return answer

    async def close(self) -> None:
        """Close all connections."""
        for _reader, writer in self._idle:
            writer.close()
        self._idle.clear()


async def _ask(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    method: str,
    path: str,
    body: dict[str, str] | None = None,
) -> Answer:
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(content)}\r\n\r\n"
    writer.write(head.encode() + content)
    status, *fields = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    lengths = [int(field.split(":", 1)[1]) for field in fields if field.lower().startswith("content-length:")]
    return Answer(int(status.split()[1]), json.loads(await reader.readexactly(lengths[0])))
