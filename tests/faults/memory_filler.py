"""Foreign keys that fill a server's memory."""

from __future__ import annotations

import contextlib
from typing import Self

import redis

from tests.faults.repeating_thread import RepeatingThread
from tests.faults.server import Server


class MemoryFiller:
    """Fills a server, and fills it again when something gave room; use it in a `with` statement."""

    def __init__(self, server: Server) -> None:
        self._client = server.client()
        self._repeating = RepeatingThread(self._fill, 0.02)
        self._number = 0

    def __enter__(self) -> Self:
        """Fill it."""
        self._fill()
        self._repeating.__enter__()
        return self

    def __exit__(self, *_error: object) -> None:
        """Take it all away."""
        self.drop()
        self._client.close()

    def drop(self) -> None:
        """Take it all away."""
        self._repeating.end()
        while self._number:
            some = range(max(0, self._number - 500), self._number)
            self._client.delete(*(f"filler:{number}" for number in some))
            self._number = some.start

    def _fill(self) -> None:
        for size in (100_000, 5_000, 200):
            with contextlib.suppress(redis.OutOfMemoryError):
                while True:
                    self._client.set(f"filler:{self._number}", "x" * size)
                    self._number += 1
