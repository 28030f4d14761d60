"""Keeps Python's garbage collector from taking attempts that run at once for garbage.

It looks whenever 700 more containers were made than freed (https://docs.python.org/3/library/gc.html). A few dozen
attempts that begin together are as many, and it finds them all alive: with 500 in hand, that took a sixth of the
worker's time.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What one suspended attempt is made of: its job, its coroutines, what they wait for.
_CONTAINERS: Final = 20

_lock = Lock()


@contextmanager
def room_for(attempts: int) -> Iterator[None]:
    """Let the collector of this process look later by what so many attempts are made of.

    A collector that was switched off stays off, and a threshold that the program sets meanwhile is kept.
    """
    more = _CONTAINERS * attempts
    if not _raise_threshold(more):
        yield
        return
    try:
        yield
    finally:
        _raise_threshold(-more)


def _raise_threshold(more: int) -> bool:
    with _lock:
        young, *older = gc.get_threshold()
        if not 0 < young > -more:
            return False
        gc.set_threshold(young + more, *older)
        return True
