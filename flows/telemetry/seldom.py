"""Lets what happens again and again be told once a minute."""

from __future__ import annotations

import time
from typing import Final

#: One of a kind is told in so many seconds; of so many kinds is remembered when.
_EVERY: Final = 60.0
_MOST_KINDS: Final = 1_000


class Seldom:
    """Remembers what was told when."""

    def __init__(self) -> None:
        self._told: dict[tuple[object, ...], float] = {}

    def is_due(self, *kind: object) -> bool:
        """Return whether nothing of this kind was told within the last minute; if so, it counts as told now."""
        now = time.monotonic()
        if now - self._told.get(kind, -_EVERY) < _EVERY:
            return False
        if len(self._told) >= _MOST_KINDS:
            self._told.clear()
        self._told[kind] = now
        return True
