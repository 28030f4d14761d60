"""One number for several workers of a process: how many jobs they run together, with the refused ones next in turn."""

from __future__ import annotations

from typing import Protocol


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
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._users: dict[SlotUser, None] = {}
        #: Who was refused, the one that has waited longest first.
        self._refused: dict[SlotUser, None] = {}

    def add(self, user: SlotUser) -> None:
        """Count a worker loop from now on."""
        self._users[user] = None

    def remove(self, user: SlotUser) -> None:
        """Count a worker loop no more; what it had is free."""
        self._users.pop(user, None)
        self._refused.pop(user, None)
        self.freed()

    def room(self, user: SlotUser, wanted: int) -> int:
        """Return how many of `wanted` jobs a worker loop may claim; one that gets fewer is woken when more are free."""
        free = self.most - sum(one.slots_taken for one in self._users)
        # Whoever was refused before goes first: one slot is left for each of them.
        before = list(self._refused).index(user) if user in self._refused else len(self._refused)
        room = max(0, min(wanted, free - before))
        if wanted and not room:
            self._refused[user] = None
        else:
            self._refused.pop(user, None)
        return room

    def freed(self) -> None:
        """Wake those that were refused, as many as there is room for."""
        if not self._refused:
            return
        free = self.most - sum(one.slots_taken for one in self._users)
        for user in list(self._refused)[: max(0, free)]:
            user.wake()
