"""Tells when the code of a run stands still: when it has asked for nothing in so many ticks of the loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: So many ticks without a question mean that the code stands still. What follows from a result takes two of them for
#: each task, gather or group that it passes on its way up.
QUIET: Final = 12


class Stillness:
    """Counts the ticks since the code of a run was given something or asked for something.

    Args:
        on_still: Called when it stands still.
    """

    def __init__(self, on_still: Callable[[], None]) -> None:
        self._on_still = on_still
        self._quiet = 0
        self._closed = False
        #: Whether ticks are being counted: the code may still be doing something.
        self.counting = False

    def stir(self) -> None:
        """Count anew: the code was given something, or has asked."""
        self._quiet = 0
        if not self.counting and not self._closed:
            self.counting = True
            asyncio.get_running_loop().call_soon(self._tick)

    def poke(self) -> None:
        """Call `on_still` now where the code stands still; else it is called when it does."""
        if not self.counting and not self._closed:
            self._on_still()

    def close(self) -> None:
        """Call it no more."""
        self._closed = True

    def reopen(self) -> None:
        """Call it again."""
        self._closed = False

    def let_go(self) -> None:
        """Forget what is called, for good."""
        self._closed, self._on_still = True, nobody

    def _tick(self) -> None:
        self._quiet += 1
        if self._closed:
            self.counting = False
        elif self._quiet < QUIET:
            asyncio.get_running_loop().call_soon(self._tick)
        else:
            self.counting = False
            self._on_still()


def nobody(*_told: object) -> None:
    """Stand for whom an attempt that is over does not call any more."""
