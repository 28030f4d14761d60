"""Packs commands and reads replies (RESP2) in plain Python, for machines without `hiredis`: the same two names.

The protocol: https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_LINE_END = b"\r\n"


def pack_command(command: tuple[str | bytes | float, ...]) -> bytes:
    """Return the bytes of one command."""
    parts = [b"*%d\r\n" % len(command)]
    for argument in command:
        data = argument if isinstance(argument, bytes) else str(argument).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(parts)


class Reader:
    """Takes bytes as they come and returns whole replies; an incomplete reply is continued, not read again."""

    def __init__(self, *, replyError: Callable[[str], Exception]) -> None:  # noqa: N803 - hiredis's own name
        self._error = replyError
        self._buffer = bytearray()
        self._start = 0
        self._parsing: Generator[None, None, Any] | None = None

    def feed(self, data: bytes) -> None:
        """Add received bytes."""
        if self._start > 1 << 16:
            del self._buffer[: self._start]
            self._start = 0
        self._buffer += data

    def gets(self) -> Any:
        """Return the next reply, or False where it is not yet complete."""
        parsing = self._parsing or self._reply()
        try:
            next(parsing)
        except StopIteration as whole:
            self._parsing = None
            return whole.value
        self._parsing = parsing
        return False

    def _line(self) -> Generator[None, None, bytes]:
        while (end := self._buffer.find(_LINE_END, self._start)) < 0:
            yield
        line = bytes(self._buffer[self._start : end])
        self._start = end + 2
        return line

    def _reply(self) -> Generator[None, None, Any]:
        line = yield from self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest
        if kind == b"-":
            return self._error(rest.decode("utf-8", "replace"))
        if kind == b":":
            return int(rest)
        length = int(rest)
        if length < 0:
            return None
        if kind == b"$":
            while len(self._buffer) < self._start + length + 2:
                yield
            data = bytes(self._buffer[self._start : self._start + length])
            self._start += length + 2
            return data
        if kind == b"*":
            replies: list[Any] = []
            for _ in range(length):
                replies.append((yield from self._reply()))  # noqa: PERF401 - a comprehension cannot yield
            return replies
        raise ValueError(f"the server sent {line[:20]!r}, which is not RESP2")
