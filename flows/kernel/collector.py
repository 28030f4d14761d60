"""Makes Python's garbage collector run less often while workers run.

The collector runs whenever 700 more containers were made than freed, or 2,000 in newer Pythons
(https://docs.python.org/3/library/gc.html). Some forty attempts that start together are as many, and all of them are
alive: with 500 jobs in flight, a tenth of a worker's time went there.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

#: An attempt that is suspended consists of so many containers: its job, its coroutines, what they wait for.
CONTAINERS: Final = 20
#: For so many attempts at most: garbage in cycles stays until the collector runs.
_MOST_ATTEMPTS: Final = 5_000


class _Threshold:
    """Raises and lowers the collector's first threshold, as long as the program does not set it too."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._written: int | None = None

    def raise_by(self, more: int) -> None:
        """Raise the threshold; one of 0 has switched the collector off, and stays."""
        with self._lock:
            young, *older = gc.get_threshold()
            if young > 0:
                self._write(young + more, older)

    def lower_by(self, less: int) -> None:
        """Lower the threshold, unless the program has set it meanwhile."""
        with self._lock:
            young, *older = gc.get_threshold()
            if young == self._written and young > less:
                self._write(young - less, older)

    def _write(self, young: int, older: list[int]) -> None:
        gc.set_threshold(young, *older)
        self._written = young


_threshold: Final = _Threshold()


@contextmanager
def room_for(attempts: int, containers: int = CONTAINERS) -> Generator[None]:
    """Let the collector of this process run later, by as many containers as so many attempts consist of."""
    more = containers * min(attempts, _MOST_ATTEMPTS)
    _threshold.raise_by(more)
    try:
        yield
    finally:
        _threshold.lower_by(more)
