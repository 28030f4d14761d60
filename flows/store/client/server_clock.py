"""The server's clock, without asking each time: by its difference to this machine's own, read once a minute."""

from __future__ import annotations

import time
from typing import Final

#: A difference is read anew after so many seconds.
_FRESH: Final = 60.0


class ServerClock:
    """The server's clock, as far as it is known.

    Args:
        ahead_ms: How far ahead of the server scripts are; only tests travel in time.
    """

    def __init__(self, ahead_ms: int) -> None:
        self._ahead_ms = ahead_ms
        self._difference: float | None = None
        self._read = 0.0

    @property
    def fresh(self) -> bool:
        """Whether the difference was read lately."""
        return self._difference is not None and time.monotonic() - self._read < _FRESH

    @property
    def known(self) -> bool:
        """Whether the server's time was ever read."""
        return self._difference is not None

    def now_ms(self) -> int:
        """Return the server's time in milliseconds.

        Raises:
            RuntimeError: it was never read, which is a fault of flows.
        """
        if self._difference is None:
            raise RuntimeError("the server's time was not read")
        return int(time.monotonic() * 1000 + self._difference)

    def saw(self, seconds: int, micro: int) -> int:
        """Take the answer of TIME that has just come, and return the time in milliseconds."""
        now = seconds * 1000 + micro // 1000 + self._ahead_ms
        self._read = time.monotonic()
        self._difference = now - self._read * 1000
        return now
