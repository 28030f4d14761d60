"""A room: one state that is read once for all who watch it, and numbered, so that each gets what is new to it.

A watcher is a number, the revision that it has seen. Nothing is queued for it: what it is sent next follows from the
state and that number alone, so a slow watcher gets fewer and larger messages, and one that comes back with its cursor,
here or at another process, misses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from pydantic_core import to_json

from flows.errors import FlowsError, StoreUnavailable
from flows.server.live.gate import Gate
from flows.server.live.merge_patch import as_state, merge_patch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_log: Final = logging.getLogger("flows.server")
#: A room whose source gives no hints reads once in so many seconds; with hints, this often at the least.
EVERY: Final = 1.0
#: The server is away when it has not answered for so many seconds, though its connection still tries.
AWAY_AFTER: Final = 5.0
#: So many seconds it waits at its beginning until hints come; it reads without them then.
HEARD_WITHIN: Final = 1.0
#: Between two reads pass so many seconds, however many hints come.
SPACING: Final = 0.05
#: And so many for each watcher, since what was read is sent to all of them: 50 take 3 ms, 1,000 take 60 ms.
SPACING_OF_A_WATCHER: Final = 60e-6
#: And so many times as long as a read took, up to so many seconds: what is dear to read takes a fifth of the time.
REST: Final = 4.0
LONGEST_REST: Final = 10.0
#: A revision has so many digits at most.
_DIGITS: Final = 15
#: The states that are kept to make patches from; who has seen none of them gets the whole.
_KEPT: Final = 16


class Source(Protocol):
    """Where a room reads its state."""

    async def read(self) -> Mapping[str, Any]:
        """Return the state as it is now, of JSON values.

        Raises:
            StoreUnavailable: The server is away; the room keeps what it has.
            FlowsError: What is watched is not there, or cannot be watched: the room ends.
        """
        ...

    async def listen(self, on_hint: Callable[[], None]) -> None:
        """Call `on_hint` whenever something may have changed, from now on. A source without hints does nothing."""
        ...

    async def close(self) -> None:
        """Stop calling."""
        ...


@dataclass(frozen=True, slots=True)
class Update:
    """What one watcher is to be sent.

    Args:
        text: The message, a JSON object.
        revision: The revision that it leads to.
    """

    text: bytes
    revision: int


class Room:
    """One topic that at least one watcher watches.

    Args:
        topic: Its name, which each message bears.
        source: Where its state is read.
        gate: Through which it reads; None: one of its own.
    """

    def __init__(self, topic: str, source: Source, gate: Gate | None = None) -> None:
        self.topic = topic
        self._gate = gate or Gate(1)
        #: Why it has ended, if it has.
        self.error: FlowsError | None = None
        #: Whether it was closed; if somebody watches it still, the server goes.
        self.closed = False
        self._source = source
        self._epoch = os.urandom(6).hex()
        self._revision = 0
        self._state: dict[str, Any] = {}
        self._states: deque[tuple[int, dict[str, Any]]] = deque(maxlen=_KEPT)
        self._texts: dict[int, bytes] = {}
        self._read_at_ms = 0
        #: Seconds of the last read.
        self._took = 0.0
        #: Since when (ms since 1970) the server has been away, or 0.
        self._away_since_ms = 0
        self._watchers: set[Callable[[], None]] = set()
        self._hint = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def watchers(self) -> int:
        """How many watch it."""
        return len(self._watchers)

    @property
    def cursor(self) -> str:
        """What a watcher that has seen all of it brings when it comes back."""
        return f"{self._epoch}.{self._revision}"

    async def open(self) -> None:
        """Listen for hints, *then* read for the first time: what changes in between is not lost.

        Raises:
            FlowsError: It cannot be watched.
        """
        try:
            with contextlib.suppress(TimeoutError):  # it goes on listening, and hears of it when the server is back
                async with asyncio.timeout(HEARD_WITHIN):
                    await self._source.listen(self._hint.set)
            await self._read()
        except BaseException:
            await self._source.close()
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
        await self._source.close()

    def enter(self, on_change: Callable[[], None]) -> None:
        """Call `on_change` whenever there is something new, or the room has ended."""
        self._watchers.add(on_change)

    def leave(self, on_change: Callable[[], None]) -> None:
        """Stop calling."""
        self._watchers.discard(on_change)

    def seen(self, cursor: str | None) -> int:
        """Return the revision that a cursor stands for, and 0, which is nothing, for one that is not of this room."""
        epoch, _, revision = (cursor or "").partition(".")
        if epoch != self._epoch or not revision.isascii() or not revision.isdigit() or len(revision) > _DIGITS:
            return 0
        return int(revision) if int(revision) <= self._revision else 0

    def since(self, seen: int) -> Update | None:
        """Return what to send to a watcher that has seen a revision (0: none); None where that is the newest.

        The message is made once for all who have seen the same.
        """
        if seen == self._revision:
            return None
        before = next((state for revision, state in self._states if revision == seen), None)
        whole = before is None
        seen = 0 if whole else seen  # one message for all who get the whole, whatever cursors they have made up
        text = self._texts.get(seen)
        if text is None:
            message = {
                "type": "topicState",
                "topic": self.topic,
                "from": seen,
                "rev": self._revision,
                "cursor": self.cursor,
                "at": self._read_at_ms,
                "state": self._state if before is None else merge_patch(before, self._state),
            }
            if self._away_since_ms:
                message["awaySince"] = self._away_since_ms
            text = self._texts[seen] = to_json(message)
        return Update(text, self._revision)

    async def _keep_reading(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._hint.wait()
            self._hint.clear()
            changed = False
            try:
                changed = await self._read()
            except StoreUnavailable:
                changed = self._note_away()
            except FlowsError as error:
                self.error = error
            except Exception:  # noqa: BLE001 - a fault of ours; nobody is to hold a state that is read no more
                _log.exception("the room of %r cannot be read", self.topic)
                self.error = FlowsError("this is a fault of the server; its log says more")
            if self.error is not None:
                self._tell()
                return
            if changed:
                self._tell()
            await asyncio.sleep(self._rest())

    def _rest(self) -> float:
        """Return the seconds before the next read: for who watches, and for who is asked."""
        told = min(EVERY, max(SPACING, SPACING_OF_A_WATCHER * len(self._watchers)))
        return max(told, min(LONGEST_REST, REST * self._took))

    async def _read(self) -> bool:
        async with self._gate.place():
            began = time.monotonic()
            try:
                async with asyncio.timeout(AWAY_AFTER):
                    state: dict[str, Any] = as_state(dict(await self._source.read()))
            except TimeoutError:
                raise StoreUnavailable(f"the server has not answered for {AWAY_AFTER:g} s") from None
            self._took = time.monotonic() - began
        self._read_at_ms = int(time.time() * 1000)
        back, self._away_since_ms = self._away_since_ms != 0, 0
        if state == self._state and self._revision and not back:
            return False
        self._state = state
        self._number()
        return True

    def _note_away(self) -> bool:
        """Tell once that the server is away: the state stands as it was read last."""
        if self._away_since_ms:
            return False
        self._away_since_ms = int(time.time() * 1000)
        self._number()
        return True

    def _number(self) -> None:
        self._revision += 1
        self._states.append((self._revision, self._state))
        self._texts.clear()

    def _tell(self) -> None:
        for on_change in tuple(self._watchers):
            on_change()
