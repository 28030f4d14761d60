"""The process of `flows web`: uvicorn, which ends what is watched first, and ends with status 0 as it was told to."""

from __future__ import annotations

import gc
import signal
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from flows.kernel.collector import room_for
from flows.server.frame_socket import FrameSocket

if TYPE_CHECKING:
    import socket
    from types import FrameType

    from flows.server.guard import Guard

#: So many attempts' worth of containers are made before Python's garbage collector looks: a telling makes some for each
#: watcher, and frees them.
_ROOM: Final = 1_000


class WebServer(uvicorn.Server):
    """Serves an app until SIGTERM or SIGINT.

    Args:
        app: What `create_app` returns.
        options: As `uvicorn.Config` takes them.
    """

    def __init__(self, app: Guard, **options: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(uvicorn.Config(app, ws=FrameSocket, **options))
        self._app = app

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve; Python's garbage collector leaves alone what is there by now, which stays: all modules."""
        gc.collect()
        gc.freeze()
        with room_for(_ROOM):
            await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """End; uvicorn would send itself the signal again when it has ended, and die of that."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell who watches, then end what is under way."""
        await self._app.end_watching()
        await super().shutdown(sockets)
