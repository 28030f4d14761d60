"""Limits how often something may be done, in this process."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

#: So many names are remembered; the one that was seen longest ago is forgotten first.
_MOST_NAMES: Final = 10_000


class Rate:
    """So many in a second, of which a second's worth may come at once: a bucket of tokens.

    Args:
        most: How many may be taken.
        seconds: In how many seconds.
    """

    def __init__(self, most: int, seconds: float = 1.0) -> None:
        self._most = most
        self._a_second = most / seconds
        self._left = float(most)
        self._at = time.monotonic()

    def take(self) -> bool:
        """Take one, and return whether there was one."""
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._a_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def wait(self) -> float:
        """Return the seconds until there is one."""
        return max(0.0, (1 - self._left) / self._a_second)


class Places:
    """So many under one name at a time.

    Args:
        most: How many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[str] = Counter()

    @contextmanager
    def take(self, name: str) -> Generator[bool]:
        """Hold one in a block, which is told whether there was one."""
        if self._taken[name] >= self._most:
            yield False
            return
        self._taken[name] += 1
        try:
            yield True
        finally:
            self._taken[name] -= 1
            if not self._taken[name]:
                del self._taken[name]


class Rates:
    """A rate for each name: of a caller, or of an address.

    Args:
        most: How many may be taken under one name.
        seconds: In how many seconds.
    """

    def __init__(self, most: int, seconds: float = 1.0) -> None:
        self._most = most
        self._seconds = seconds
        self._rates: OrderedDict[str, Rate] = OrderedDict()

    def take(self, name: str) -> float | None:
        """Take one under a name: None where there was one, else the seconds until there is."""
        rate = self._rates.get(name)
        if rate is None:
            rate = self._rates[name] = Rate(self._most, self._seconds)
            if len(self._rates) > _MOST_NAMES:
                self._rates.popitem(last=False)
        self._rates.move_to_end(name)
        return None if rate.take() else rate.wait()
