"""What is done again and again beside a row; and how a server's file grows meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Self

from tests.faults.server import Server


class Repeating:
    """A thread that does something again and again until the `with` statement ends."""

    def __init__(self, action: Callable[[], object], pause: float) -> None:
        self._action = action
        self._pause = pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._repeat, name="repeating", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """End."""
        self.end()

    def end(self) -> None:
        """End; what is being done is done first."""
        self._stop.set()
        self._thread.join()

    def _repeat(self) -> None:
        while not self._stop.wait(self._pause):
            self._action()


class Tape(Repeating):
    """Notes the size of a server's file all the while."""

    def __init__(self, server: Server) -> None:
        super().__init__(self._note, 0.01)
        self._server = server
        self._sizes: list[tuple[float, int]] = []

    def size_at(self, moment: float) -> int:
        """Return how large the file was at a moment of the monotonic clock: what was answered before is in it."""
        return next((size for when, size in reversed(self._sizes) if when <= moment), 0)

    def _note(self) -> None:
        self._sizes.append((time.monotonic(), self._server.aof_bytes()))
