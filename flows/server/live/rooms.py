"""Keeps the rooms of one process: the first watcher of a topic opens its room, and with the last one it ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from flows.server.live.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.api import Caller
    from flows.server.live.room import Room, Watch

#: The topic, and what its watcher may see: a hidden field is never in another's patch. Roles are checked at the door.
_Key: TypeAlias = "tuple[str, frozenset[str] | None, frozenset[str]]"


@dataclass(slots=True)
class _Place:
    """A room that opens or is open, and how many hold it: those who watch and those who wait until it is open."""

    opening: asyncio.Task[Room]
    holders: int = 0

    @property
    def is_over(self) -> bool:
        """Whether its room could not open, or has ended since what it is about is gone."""
        if not self.opening.done():
            return False
        return (
            self.opening.cancelled() or self.opening.exception() is not None or self.opening.result().error is not None
        )


#: So many rooms read at a time.
MOST_READING: Final = 4


class Rooms:
    """All rooms of one process.

    Args:
        make: Makes the room of a topic for a caller, which reads through a gate; it raises a `FlowsError` where there
            is no such topic.
        check: Raises `Forbidden` where a caller's role may not watch a topic. It is asked of everyone who enters: the
            room itself reads as whoever has opened it.
    """

    def __init__(
        self,
        make: Callable[[str, Caller, Gate], Room],
        check: Callable[[str, Caller], None] = lambda _topic, _caller: None,
    ) -> None:
        self._make = make
        self._check = check
        self._gate = Gate(MOST_READING)
        self._places: dict[_Key, _Place] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._places)

    async def enter(self, topic: str, caller: Caller, on_change: Callable[[], None]) -> Watch:
        """Enter the room of a topic.

        Args:
            topic: Such as `board/access`.
            caller: Who watches.
            on_change: Called whenever there is something new.

        Raises:
            FlowsError: There is no such topic, it cannot be watched by this caller, or the server is away.
        """
        self._check(topic, caller)
        key = (topic, caller.flows, caller.hide)
        place = self._places.get(key)
        if place is None or place.is_over:
            opening = asyncio.create_task(self._open(topic, caller), name=f"flows-room-opens {topic}")
            place = self._places[key] = _Place(opening)
        place.holders += 1
        try:
            room = await asyncio.shield(place.opening)
        except BaseException:
            self._let_go(key, place)
            raise
        return room.enter(on_change, lambda: self._let_go(key, place))

    async def close(self) -> None:
        """End all rooms; closing twice changes nothing."""
        for key, place in tuple(self._places.items()):
            place.holders = 1
            self._let_go(key, place)
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _open(self, topic: str, caller: Caller) -> Room:
        room = self._make(topic, caller, self._gate)
        await room.open()
        return room

    def _let_go(self, key: _Key, place: _Place) -> None:
        place.holders -= 1
        if place.holders > 0:
            return
        if self._places.get(key) is place:
            del self._places[key]
        ending = asyncio.create_task(_end(place.opening))
        self._closing.add(ending)
        ending.add_done_callback(self._closing.discard)


async def _end(opening: asyncio.Task[Room]) -> None:
    if not opening.done():
        opening.cancel()
    await asyncio.wait({opening})
    if not opening.cancelled() and opening.exception() is None:
        await opening.result().close()
