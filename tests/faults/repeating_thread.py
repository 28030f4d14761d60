"""A thread that does something again and again beside a row."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self


class RepeatingThread:
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
