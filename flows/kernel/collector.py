"""Keeps Python's garbage collector from looking for garbage among attempts that run.

It looks whenever 700 more containers were made than freed (https://docs.python.org/3/library/gc.html). Some forty
attempts that begin together are as many, and all of them are alive: a worker with 500 in hand spent a seventh of its
time on that.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

#: An attempt that is suspended consists of so many: its job, its coroutines, what they wait for.
_CONTAINERS: Final = 20

_lock = Lock()


@contextmanager
def room_for(attempts: int) -> Generator[None]:
    """Let the collector of this process look as many containers later as so many attempts consist of.

    What is added to its threshold is taken off again. A collector that is switched off by a threshold of 0 stays off.
    """
    more = _CONTAINERS * attempts
    if not _add_to_threshold(more):
        yield
        return
    try:
        yield
    finally:
        _add_to_threshold(-more)


def _add_to_threshold(more: int) -> bool:
    """Add to the threshold unless it is 0, or would be; the program may have set it anew meanwhile."""
    with _lock:
        young, *older = gc.get_threshold()
        if young == 0 or young + more <= 0:
            return False
        gc.set_threshold(young + more, *older)
        return True
