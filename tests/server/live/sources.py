"""A source whose state a test sets, and which counts how often it was read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from flows.api import Admin
from flows.server.live.instances import Instances
from flows.server.live.room import Room, Watch
from flows.server.live.topic_room import TopicRoom


class SetSource:
    """A source of a room, in the hands of a test."""

    def __init__(self, **state: Any) -> None:
        self.state: dict[str, Any] = state
        self.error: Exception | None = None
        self.reads = 0
        #: Set: it answers; None: at once.
        self.answers: asyncio.Event | None = None
        self.closed = False
        self.hint: Callable[[], None] = lambda: None

    async def read(self) -> Mapping[str, Any]:
        """Return the state, or raise what the test has set."""
        self.reads += 1
        if self.answers is not None:
            await self.answers.wait()
        if self.error is not None:
            raise self.error
        return dict(self.state)

    async def listen(self, on_hint: Callable[[], None]) -> None:
        """Take what the test calls as `hint`."""
        self.hint = on_hint

    async def close(self) -> None:
        """Note that nobody listens any more."""
        self.closed = True

    def change(self, **state: Any) -> None:
        """Change members of the state, and hint at it."""
        self.state.update(state)
        self.hint()


#: For a connection of a test that watches topics alone.
NO_TREES = Instances(Admin("redis://nowhere"))


def made(find_source: Callable[[str, Any], SetSource]) -> Callable[[str, Any, Any], TopicRoom]:
    """Return what makes the room of a topic, over the source that a test has for it."""
    return lambda topic, caller, gate: TopicRoom(topic, find_source(topic, caller), gate)


def since(room: Room, seen: int) -> str | None:
    """Return what a watcher is sent that has seen a revision; None: nothing."""
    watch = Watch(room, lambda: None, lambda: None)
    watch.seen = seen
    texts = room.news(watch)
    return texts[0] if texts else None
