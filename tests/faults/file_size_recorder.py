"""Records how a server's append-only file grows, so that a row can cut it where it ended at a given moment."""

from __future__ import annotations

import time

from tests.faults.repeating_thread import RepeatingThread
from tests.faults.server import Server


class FileSizeRecorder(RepeatingThread):
    """Records the size of a server's file all the while; use it in a `with` statement."""

    def __init__(self, server: Server) -> None:
        super().__init__(self._record, 0.01)
        self._server = server
        self._sizes: list[tuple[float, int]] = []

    def size_at(self, moment: float) -> int:
        """Return how large the file was at a moment of the monotonic clock: what was answered before is in it."""
        return next((size for when, size in reversed(self._sizes) if when <= moment), 0)

    def _record(self) -> None:
        self._sizes.append((time.monotonic(), self._server.aof_bytes()))
