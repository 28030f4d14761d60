"""A source whose state a test sets, and which counts how often it was read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any


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
