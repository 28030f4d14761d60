"""A room: one state that is read once for all who watch it, and numbered, so that each gets what is new to it.

A watcher is a number, the revision that it has seen. Nothing is queued for it: what it is sent next follows from the
state and that number alone, so a slow watcher gets fewer and larger messages, and one that comes back with its cursor,
here or at another process, misses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeVar

from flows.errors import FlowsError, StoreUnavailable
from flows.server.live.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

ReadT = TypeVar("ReadT")

_log: Final = logging.getLogger("flows.server")
#: A room reads once in so many seconds at the least.
EVERY: Final = 1.0
#: The server is away when it has not answered for so many seconds, though its connection still tries.
AWAY_AFTER: Final = 5.0
#: So many seconds it waits at its beginning until hints come; it reads without them then.
HEARD_WITHIN: Final = 1.0
#: Between two tellings pass so many seconds for each watcher that takes them: 50 take 1 ms, 1,000 take 20 ms.
SPACING_OF_A_WATCHER: Final = 20e-6
#: A revision has so many digits at most.
_DIGITS: Final = 15

#: Of an instance, what a watcher sees: how its tasks stand, what they say that they are doing, messages of errors too.
Sight: TypeAlias = Literal["statuses", "messages", "errors"]


class Watch:
    """One watcher's stay in a room.

    Args:
        room: The room.
        on_change: Called whenever there is something new, or the room has ended.
        on_leave: Called when the stay is over.
    """

    def __init__(self, room: Room, on_change: Callable[[], None], on_leave: Callable[[], None]) -> None:
        self.room = room
        self.on_change = on_change
        #: The revision that this watcher has seen.
        self.seen = 0
        self.sight: Sight = "statuses"
        #: Of a tree, whose logs it follows: by path, the number of the last line that it has.
        self.logs: dict[str, int] = {}
        self._on_leave: Callable[[], None] | None = on_leave

    def news(self) -> Sequence[str]:
        """Return what is new to it, which it has seen then."""
        return self.room.news(self)

    def leave(self) -> None:
        """Leave; leaving twice changes nothing."""
        on_leave, self._on_leave = self._on_leave, None
        if on_leave is not None:
            self.room.leave(self)
            on_leave()


class Room(ABC):
    """What at least one watcher watches.

    Args:
        topic: Its name, which each message bears.
        gate: Through which it reads; None: one of its own.
    """

    def __init__(self, topic: str, gate: Gate | None = None) -> None:
        self.topic = topic
        #: Why it has ended, if it has.
        self.error: FlowsError | None = None
        #: Whether it was closed; if somebody watches it still, the server goes.
        self.closed = False
        self._gate = gate or Gate(1)
        self._watchers: set[Watch] = set()
        #: How many of them had taken all when it was read last: a telling to the others costs nothing.
        self._taking = 0
        self._hint = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def watchers(self) -> int:
        """How many watch it."""
        return len(self._watchers)

    @property
    def is_over(self) -> bool:
        """Whether nothing will be new in it: it was closed, or has ended."""
        return self.closed or self.error is not None

    @property
    @abstractmethod
    def revision(self) -> int:
        """The number of what it has read last."""

    @property
    @abstractmethod
    def cursor(self) -> str:
        """What a watcher that has seen all of it brings when it comes back."""

    @abstractmethod
    def seen(self, cursor: str | None) -> int:
        """Return what a cursor stands for, and 0, which is nothing, for one that is not of this room."""

    @abstractmethod
    def news(self, watch: Watch) -> Sequence[str]:
        """Return what to send to a watcher, which has seen it then; nothing where there is nothing new to it."""

    async def open(self) -> None:
        """Listen for hints, *then* read for the first time: what changes in between is not lost.

        Raises:
            FlowsError: It cannot be watched.
        """
        try:
            with contextlib.suppress(TimeoutError):  # it goes on listening, and hears of it when the server is back
                async with asyncio.timeout(HEARD_WITHIN):
                    await self._listen()
            await self._read()
        except BaseException:
            await self._stop_listening()
            raise
        self._task = asyncio.create_task(self._keep_reading(), name=f"flows-room {self.topic}")

    async def close(self) -> None:
        """Stop reading; closing twice changes nothing."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self.closed = True
        self._tell()
        await self._stop_listening()

    def enter(self, on_change: Callable[[], None], on_leave: Callable[[], None] = lambda: None) -> Watch:
        """Return the stay of a new watcher: see `Watch`."""
        watch = Watch(self, on_change, on_leave)
        self._watchers.add(watch)
        return watch

    def leave(self, watch: Watch) -> None:
        """Forget a watcher."""
        self._watchers.discard(watch)

    def look_soon(self) -> None:
        """Read at once: a watcher wants to know more than those before it."""
        self._hint.set()

    @abstractmethod
    async def _listen(self) -> None:
        """Let `_hint` be set whenever something may have changed."""

    @abstractmethod
    async def _stop_listening(self) -> None:
        """Let go of what it listens to."""

    @abstractmethod
    async def _read(self) -> bool:
        """Read how things stand, and return whether there is something new to tell.

        Raises:
            StoreUnavailable: The server is away; the room keeps what it has.
            FlowsError: What is watched is not there, or cannot be watched: the room ends.
        """

    @abstractmethod
    def _note_away(self) -> bool:
        """Take that the server is away, and return whether that is something to tell."""

    @abstractmethod
    def _rest(self) -> float:
        """Return the seconds before the next read: for who watches, and for who is asked."""

    @property
    def _spacing(self) -> float:
        """The seconds between two tellings, for those who take them."""
        return min(EVERY, SPACING_OF_A_WATCHER * self._taking)

    async def _through_gate(self, read: Callable[[], Awaitable[ReadT]]) -> ReadT:
        """Return what is read, when it is this room's turn.

        Raises:
            StoreUnavailable: The server has not answered in time.
        """
        async with self._gate.place():
            try:
                async with asyncio.timeout(AWAY_AFTER):
                    return await read()
            except TimeoutError:
                raise StoreUnavailable(f"the server has not answered for {AWAY_AFTER:g} s") from None

    async def _keep_reading(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._hint.wait()
            self._hint.clear()
            try:
                await self._read_and_tell()
            except FlowsError as error:
                self.error = error
            except Exception:  # noqa: BLE001 - a fault of ours; nobody is to hold a state that is read no more
                _log.exception("the room of %r cannot be read", self.topic)
                self.error = FlowsError("this is a fault of the server; its log says more")
            if self.error is not None:
                self._tell()
                return
            await asyncio.sleep(self._rest())

    async def _read_and_tell(self) -> None:
        revision = self.revision
        self._taking = sum(watch.seen == revision for watch in self._watchers)
        try:
            changed = await self._read()
        except StoreUnavailable:
            changed = self._note_away()
        if changed:
            self._tell()

    def _tell(self) -> None:
        for watch in tuple(self._watchers):
            watch.on_change()


def revision_of(cursor: str | None, epoch: str) -> int:
    """Return the revision of a cursor, `<epoch>.<revision>`, and 0 for one of another epoch or for none."""
    of, _, revision = (cursor or "").rpartition(".")
    if of != epoch or not revision.isascii() or not revision.isdigit() or len(revision) > _DIGITS:
        return 0
    return int(revision)
