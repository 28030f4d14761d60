"""One number for several workers of a process: how many jobs they run together, with the refused ones next in turn."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import islice
from typing import Protocol

from flows.kernel.collector import CONTAINERS, room_for


class SlotUser(Protocol):
    """A worker loop, as the slots see it."""

    @property
    def slots_taken(self) -> int:
        """How many jobs it has in flight, with those that it has just asked for."""
        ...

    def wake(self) -> None:
        """Look again whether there is something to claim."""
        ...


class ProcessSlots:
    """So many jobs at once, over all workers that share it; it belongs to one event loop at a time.

    Args:
        most: How many.
        containers: Of how many containers one of them consists, as Python's garbage collector counts them.
    """

    def __init__(self, most: int, containers: int = CONTAINERS) -> None:
        self.most = most
        self._containers = containers
        self._room = ExitStack()
        #: How many jobs each had when it last said so. That is never less than it has: only with `room` it gets more.
        self._taken: dict[SlotUser, int] = {}
        self._free = most
        #: Who was refused, the one that has waited longest first.
        self._refused: dict[SlotUser, None] = {}

    def add(self, user: SlotUser) -> None:
        """Count a worker loop from now on."""
        if not self._taken:
            self._room.enter_context(room_for(self.most, self._containers))
        self._taken[user] = 0
        self._count(user)

    def remove(self, user: SlotUser) -> None:
        """Count a worker loop no more; what it had is free."""
        self._free += self._taken.pop(user, 0)
        self._refused.pop(user, None)
        if not self._taken:
            self._room.close()
        self._wake_refused()

    def room(self, user: SlotUser, wanted: int) -> int:
        """Return how many of `wanted` jobs a worker loop may claim; one that gets fewer is woken when more are free."""
        self._count(user)
        # Whoever was refused before goes first: one slot is left for each of them.
        before = list(self._refused).index(user) if user in self._refused else len(self._refused)
        room = max(0, min(wanted, self._free - before))
        if wanted and not room:
            self._refused[user] = None
        else:
            self._refused.pop(user, None)
        self._taken[user] += room
        self._free -= room
        return room

    def freed(self, user: SlotUser) -> None:
        """See how many jobs a worker loop has now, and wake those that were refused, as many as there is room for."""
        self._count(user)
        self._wake_refused()

    def _count(self, user: SlotUser) -> None:
        taken = user.slots_taken
        self._free += self._taken[user] - taken
        self._taken[user] = taken

    def _wake_refused(self) -> None:
        if self._refused and self._free > 0:
            for user in [*islice(self._refused, self._free)]:
                user.wake()
