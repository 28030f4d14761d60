"""The room of a topic: what an operation answers, read again and again; who watches gets patches between states."""

from __future__ import annotations

import os
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

from flows.server.live.merge_patch import as_state, merge_patch
from flows.server.live.protocol import text_of
from flows.server.live.room import Room, revision_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flows.server.live.gate import Gate
    from flows.server.live.room import Watch

#: Between two reads pass so many seconds, however many hints come.
SPACING: Final = 0.05
#: And so many times as long as a read took, up to so many seconds: what is dear to read takes a fifth of the time.
REST: Final = 4.0
LONGEST_REST: Final = 10.0
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


class TopicRoom(Room):
    """One topic that at least one watcher watches.

    Args:
        topic: Its name, which each message bears.
        source: Where its state is read.
        gate: Through which it reads; None: one of its own.
    """

    def __init__(self, topic: str, source: Source, gate: Gate | None = None) -> None:
        super().__init__(topic, gate)
        self._source = source
        self._epoch = os.urandom(6).hex()
        self._revision = 0
        self._state: dict[str, Any] = {}
        self._states: deque[tuple[int, dict[str, Any]]] = deque(maxlen=_KEPT)
        self._texts: dict[int, Sequence[str]] = {}
        self._read_at_ms = 0
        #: Seconds of the last read.
        self._took = 0.0
        #: Since when (ms since 1970) the server has been away, or 0.
        self._away_since_ms = 0

    @property
    def revision(self) -> int:
        """The number of what it has read last."""
        return self._revision

    @property
    def cursor(self) -> str:
        """What a watcher that has seen all of it brings when it comes back."""
        return f"{self._epoch}.{self._revision}"

    def seen(self, cursor: str | None) -> int:
        """Return the revision that a cursor stands for, and 0, which is nothing, for one that is not of this room."""
        revision = revision_of(cursor, self._epoch)
        return revision if revision <= self._revision else 0

    def news(self, watch: Watch) -> Sequence[str]:
        """Return what to send to a watcher, made once for all who have seen the same."""
        seen, watch.seen = watch.seen, self._revision
        if seen == self._revision:
            return ()
        before = next((state for revision, state in self._states if revision == seen), None)
        seen = (
            0 if before is None else seen
        )  # one message for all who get the whole, whatever cursors they have made up
        texts = self._texts.get(seen)
        if texts is None:
            texts = self._texts[seen] = self._write(seen, before, self._state)
        return texts

    def _shape(self, read: Mapping[str, Any]) -> dict[str, Any]:
        """Return the state that is kept of what was read."""
        state: dict[str, Any] = as_state(dict(read))
        return state

    def _write(self, seen: int, before: dict[str, Any] | None, state: dict[str, Any]) -> Sequence[str]:
        """Return the messages for who has seen a revision, and its state; or 0 and None for who has seen nothing."""
        message = {
            "type": "topicState",
            "topic": self.topic,
            "from": seen,
            "rev": self._revision,
            "cursor": self.cursor,
            "at": self._read_at_ms,
            "state": state if before is None else merge_patch(before, state),
        }
        if self._away_since_ms:
            message["awaySince"] = self._away_since_ms
        return (text_of(message),)

    async def _listen(self) -> None:
        await self._source.listen(self._hint.set)

    async def _stop_listening(self) -> None:
        await self._source.close()

    def _rest(self) -> float:
        told = max(SPACING, self._spacing)
        return max(told, min(LONGEST_REST, REST * self._took))

    async def _read(self) -> bool:
        state = await self._through_gate(self._read_state)
        self._read_at_ms = int(time.time() * 1000)
        back, self._away_since_ms = self._away_since_ms != 0, 0
        if state == self._state and self._revision and not back:
            return False
        self._state = state
        self._number()
        return True

    async def _read_state(self) -> dict[str, Any]:
        began = time.monotonic()
        state = self._shape(await self._source.read())
        self._took = time.monotonic() - began
        return state

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
