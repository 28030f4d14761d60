"""A Redis client of sixty lines, so that the harness needs no package in any peer's environment."""

from __future__ import annotations

import socket
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

__all__ = ["Client", "Reply"]

Reply: TypeAlias = "bytes | str | int | list[Reply] | None"


class Client:
    """One blocking connection; calling it sends a command and returns the reply."""

    def __init__(self, url: str, timeout: float | None = None) -> None:
        """Connect to `redis://[user:password@]host:port/db`."""
        parts = urlsplit(url)
        if parts.scheme != "redis" or parts.hostname is None:
            raise ValueError(
                "the comparison needs a server at redis://host:port/db: not every peer knows other addresses"
            )
        self._socket = socket.create_connection((parts.hostname, parts.port or 6379))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(timeout)
        self._replies = self._socket.makefile("rb")
        if parts.password:
            self("AUTH", *filter(None, [unquote(parts.username or "")]), unquote(parts.password))
        if database := parts.path.strip("/"):
            self("SELECT", database)

    def __call__(self, *words: str | bytes | float) -> Reply:
        """Send one command and return its reply.

        Raises:
            RuntimeError: the server says no.
        """
        packed = [b"*%d\r\n" % len(words)]
        for word in words:
            text = word if isinstance(word, bytes) else str(word).encode()
            packed.append(b"$%d\r\n%s\r\n" % (len(text), text))
        self._socket.sendall(b"".join(packed))
        return self._reply()

    def close(self) -> None:
        """Hang up."""
        self._replies.close()
        self._socket.close()

    def _reply(self) -> Reply:
        line = self._replies.readline()
        if not line:
            raise ConnectionError("the server hung up")
        kind, rest = line[:1], line[1:-2]
        match kind:
            case b"+":
                return rest.decode()
            case b"-":
                raise RuntimeError(rest.decode())
            case b":":
                return int(rest)
            case b"$":
                return None if (size := int(rest)) < 0 else self._replies.read(size + 2)[:-2]
            case b"*":
                return None if (size := int(rest)) < 0 else [self._reply() for _ in range(size)]
            case _:
                raise RuntimeError(f"no reply starts with {kind!r}")
