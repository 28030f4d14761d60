"""Where commands and replies begin and end in the bytes of a connection: all that the proxy needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_END: Final = b"\r\n"
_MESSAGES: Final = (b"*3\r\n$7\r\nmessage\r\n", b"*4\r\n$8\r\npmessage\r\n", b"*3\r\n$8\r\nsmessage\r\n")


@dataclass(frozen=True, slots=True)
class Command:
    """One command as it was sent."""

    raw: bytes
    words: list[bytes]

    @property
    def name(self) -> str:
        """Its first word, in capitals."""
        return self.words[0].decode("ascii", "replace").upper() if self.words else ""

    @property
    def replies(self) -> int:
        """How many replies it brings: a subscription has one for each channel."""
        return max(1, len(self.words) - 1) if self.name.endswith("SUBSCRIBE") else 1


class Commands:
    """Cuts what a client sends into commands."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Command]:
        """Return the commands that are whole by now."""
        self._buffer += data
        found: list[Command] = []
        at = 0
        while (cut := self._next(at)) is not None:
            end, words = cut
            if words:
                found.append(Command(self._buffer[at:end], words))
            at = end
        self._buffer = self._buffer[at:]
        return found

    def _next(self, start: int) -> tuple[int, list[bytes]] | None:
        line = self._line(start)
        if line is None:
            return None
        text, at = line
        if not text.startswith(b"*"):
            return at, text.split()  # typed by hand
        words: list[bytes] = []
        for _ in range(int(text[1:])):
            line = self._line(at)
            if line is None:
                return None
            text, at = line
            end = at + int(text[1:])
            if len(self._buffer) < end + 2:
                return None
            words.append(self._buffer[at:end])
            at = end + 2
        return at, words

    def _line(self, start: int) -> tuple[bytes, int] | None:
        end = self._buffer.find(_END, start)
        return None if end < 0 else (self._buffer[start:end], end + 2)


class Replies:
    """Cuts what a server sends into replies, of both versions of the protocol."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0
        self._left = 1

    def feed(self, data: bytes) -> list[bytes]:
        """Return the replies that are whole by now."""
        self._buffer += data
        found: list[bytes] = []
        while self._skip():
            found.append(bytes(self._buffer[: self._at]))
            del self._buffer[: self._at]
            self._at, self._left = 0, 1
        return found

    def _skip(self) -> bool:
        """Go on to the end of the first reply; whether it is there."""
        while self._left:
            end = self._buffer.find(_END, self._at)
            if end < 0:
                return False
            kind, rest = self._buffer[self._at : self._at + 1], self._buffer[self._at + 1 : end]
            after = end + 2
            if kind in b"$=!":
                length = int(rest)
                after += length + 2 if length >= 0 else 0
                if len(self._buffer) < after:
                    return False
            elif kind in b"*~>":
                self._left += max(int(rest), 0)
            elif kind in b"%|":
                self._left += 2 * int(rest)
            self._at = after
            if kind != b"|":  # attributes stand before the reply that they belong to
                self._left -= 1
        return True


def is_push(reply: bytes) -> bool:
    """Whether this was sent without being asked for: a message of a subscription."""
    return reply.startswith((b">", *_MESSAGES))
