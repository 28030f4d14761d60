"""The process of `flows web`: uvicorn, which ends what is watched first, and ends with status 0 as it was told to."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    import socket
    from types import FrameType

    from flows.server.guard import Guard


class WebServer(uvicorn.Server):
    """Serves an app until SIGTERM or SIGINT.

    Args:
        app: What `create_app` returns.
        options: As `uvicorn.Config` takes them.
    """

    def __init__(self, app: Guard, **options: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(uvicorn.Config(app, **options))
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """End; uvicorn would send itself the signal again when it has ended, and die of that."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell who watches, then end what is under way."""
        await self._app.end_watching()
        await super().shutdown(sockets)
