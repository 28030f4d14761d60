"""Lets the results of steps through to the code of a run in the order in which they came."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from typing import TYPE_CHECKING

from flows.model.runs.step_record import Place

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable


class Gate:
    """What has come for the run's steps, and what of it the code has not been given yet.

    Args:
        places: Of all that is recorded.
    """

    def __init__(self, places: Iterable[Place]) -> None:
        self._known = sorted(places)
        #: Before this index the code has been given everything, or has gone on without it.
        self._passed = 0
        self._ready: list[tuple[Place, int, asyncio.Future[None]]] = []
        self._entered = 0
        #: What the code was given last.
        self.last = Place(0)

    @property
    def highest_write(self) -> int:
        """The number of the last write of the run's attempts; 0: there was none."""
        return max([place.write for place in self._known]) if self._known else 0

    @property
    def replays(self) -> bool:
        """Whether something is recorded that the code has not been given."""
        return self._passed < len(self._known)

    @property
    def holds(self) -> bool:
        """Whether a result stands here."""
        while self._ready and self._ready[0][2].done():  # the code has cancelled whoever waited for it
            heapq.heappop(self._ready)
        return bool(self._ready)

    def is_next(self, place: Place) -> bool:
        """Return whether nothing that came before stands here or is still to be asked for."""
        return not self.holds and (not self.replays or place <= self._known[self._passed])

    def add(self, place: Place) -> None:
        """Know of something that has come just now, or was written."""
        at = bisect_right(self._known, place)  # what came from outside during a write is known before that stands
        self._known.insert(at, place)
        self._passed += at < self._passed

    def add_given(self, place: Place) -> bool:
        """Know of a write of which the code is given the result just now, where that is its turn; return whether it is.

        This is `add`, `is_next` and `pass_` at once where the code has been given all that came before.
        """
        known = self._known
        if self._ready or self._passed != len(known) or (known and known[-1] >= place):
            return False
        known.append(place)
        self._passed += 1
        self.last = place
        return True

    def enter(self, place: Place, future: asyncio.Future[None]) -> None:
        """Let a result stand here: the future is resolved when its turn comes."""
        self._entered += 1
        heapq.heappush(self._ready, (place, self._entered, future))

    def pass_(self, place: Place) -> None:
        """Take it that the code has got what came at `place`, and does what follows from that now."""
        self.last = max(self.last, place)
        self.go_past(place)

    def go_past(self, place: Place) -> None:
        """Take it that the code is given what came at `place` next, and goes on without what came before."""
        known, passed = self._known, self._passed
        if passed < len(known) and known[passed] <= place:
            self._passed = bisect_right(known, place, passed)

    def open(self, before: Place | None) -> bool:
        """Let through what came first of all that stands here, and return whether there was anything.

        Args:
            before: What came there or later has to wait: so much is still being written.
        """
        if not self.holds or (before is not None and self._ready[0][0] >= before):
            return False
        come, write, _nth = self._ready[0][0]
        while self._ready and self._ready[0][0][:2] == (come, write):
            place, _entered, future = heapq.heappop(self._ready)
            self.go_past(place)
            if not future.done():
                future.set_result(None)
        return True
