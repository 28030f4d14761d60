"""What one client is sent: words to it, and all that is new in its rooms, as fast as it takes them and no faster."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from flows.server import patient_stream
from flows.server.live import protocol
from flows.server.live.wake import Wake

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.websockets import WebSocket

    from flows.server.live.protocol import Watched
    from flows.server.live.room import Watch

#: The ASGI extension of a server that can send at once: an `AtOnce`.
AT_ONCE: Final = "flows.at_once"
#: Words to the client that wait to be sent, and their characters; more, and it takes nothing.
_MOST_UNSENT: Final = 64
_MOST_CHARACTERS: Final = 8 << 20
#: Whether a client takes what it is sent, and whether it has heard something, is looked at in so many seconds.
LOOKED_EVERY: Final = 5.0


class AtOnce(Protocol):
    """Sends without waiting."""

    @property
    def takes(self) -> bool:
        """Whether the socket takes more."""
        ...

    def send_texts(self, texts: Sequence[str]) -> None:
        """Send texts, each as a message of its own."""
        ...


class Over(Exception):
    """The connection is to be closed, with this code."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code


class Sending:
    """Sends to one client.

    Args:
        socket: Its socket.
        watches: What it watches.
        end: Called with what it watches no more, since that has ended.
    """

    __slots__ = ("_at_once", "_end", "_new", "_said_at", "_sending_since", "_socket", "_unsent", "_watches")

    def __init__(self, socket: WebSocket, watches: Mapping[Watched, Watch], end: Callable[[Watched], None]) -> None:
        self._socket = socket
        self._watches = watches
        self._end = end
        extensions: Mapping[str, Any] = socket.scope.get("extensions") or {}
        self._at_once: AtOnce | None = extensions.get(AT_ONCE)
        self._unsent: list[str] = []
        self._new = Wake()
        self._sending_since, self._said_at = 0.0, time.monotonic()

    def say(self, text: str) -> None:
        """Send a word to the client, before what is new.

        Raises:
            Over: Too many wait.
        """
        if len(self._unsent) >= _MOST_UNSENT or sum(map(len, self._unsent)) > _MOST_CHARACTERS:
            raise Over(protocol.TOO_MUCH, "what is sent is not taken")
        self._unsent.append(text)
        self._new.set()

    def tell(self) -> None:
        """Send what is new in its rooms: at once, where nothing waits and the socket takes it, or when it does."""
        if not (self._new.is_awaited and self._tell_at_once()):
            self._new.set()

    def _tell_at_once(self) -> bool:
        at_once = self._at_once
        if at_once is None:
            return False
        for watch in self._watches.values():
            if watch.room.is_over or not at_once.takes:
                return False
            if texts := watch.news():
                at_once.send_texts(texts)
                self._said_at = time.monotonic()
        return True

    async def keep_sending(self) -> None:
        """Send all that is new to this watcher, again and again; each sending waits until the socket takes more.

        Raises:
            Over: The server goes.
        """
        while True:
            await self._new.wait()
            while self._unsent:
                unsent, self._unsent = self._unsent, []
                for text in unsent:
                    await self._send(text)
            for watched, watch in tuple(self._watches.items()):
                if self._watches.get(watched) is not watch:
                    continue
                for text in watch.news():
                    await self._send(text)
                if watch.room.closed:
                    raise Over(protocol.GOING)
                if (error := watch.room.error) is not None:
                    self._end(watched)
                    await self._send(protocol.ended(watched, error))

    def look(self) -> None:
        """See that the client takes what it is sent, and hears something now and then.

        Raises:
            Over: It takes nothing.
        """
        now = time.monotonic()
        if self._sending_since and now - self._sending_since > patient_stream.TAKEN_WITHIN:
            raise Over(protocol.SILENT, "what is sent is not taken")
        if now - self._said_at >= protocol.BEAT - LOOKED_EVERY and not self._sending_since:
            self._unsent.append(protocol.beat())
            self._new.set()

    async def _send(self, text: str) -> None:
        self._sending_since = time.monotonic()  # and no timeout: a quarter of what a message costs, for a thousand
        await self._socket.send_text(text)
        self._sending_since, self._said_at = 0.0, time.monotonic()
