"""The WebSocket of `flows web`: uvicorn's, which also sends at once what a thousand watchers are told.

By ASGI each message costs each watcher a task that wakes, five calls and a frame of its own. What a room tells is the
same for all who have seen the same, so its frame is made once, and written to each socket that takes more, at half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode

from flows.server.live.sending import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from websockets.http11 import Request


class FrameSocket(WebSocketsSansIOProtocol):
    """Offers itself to the app as the extension `AT_ONCE` of its scope."""

    #: What was sent last, to whichever socket, and its frames.
    _last: ClassVar[tuple[Sequence[str], bytes]] = ((), b"")

    def handle_connect(self, event: Request) -> None:
        """Take a handshake."""
        super().handle_connect(event)
        if self.handshake_initiated and not self.close_sent and not self.config.ws_per_message_deflate:
            scope = cast("dict[str, Any]", self.scope)
            scope["extensions"] = {**scope["extensions"], AT_ONCE: self}

    @property
    def takes(self) -> bool:
        """Whether the socket takes more; one that holds 64 KiB, or closes, does not."""
        return self.writable.is_set() and not self.transport.is_closing()

    def send_texts(self, texts: Sequence[str]) -> None:
        """Send texts, each as a message of its own; the very same texts are framed once."""
        last, frames = FrameSocket._last
        if last is not texts:
            frames = b"".join(Frame(Opcode.TEXT, text.encode()).serialize(mask=False) for text in texts)
            FrameSocket._last = texts, frames
        self.transport.write(frames)
