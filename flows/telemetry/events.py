"""Emits the events of one flow to its logger and to listeners."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Events that mean that something is wrong; the others are logged at level DEBUG or INFO.
WARNINGS = frozenset(
    {
        "job.failed",
        "job.rescued",
        "job.poison",
        "job.lost",
        "job.malformed",
        "job.overruns",
        "job.timed_out",
        "job.expired",
        "job.repaired",
        "job.unrepaired",
        "store.unavailable",
        "store.full",
        "store.refused",
        "worker.crashed",
        "loop.hangs",
        "service.died",
    }
)
NOTICES = frozenset({"flow.connected", "worker.started", "worker.stopped"})


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: a stable dotted name and flat fields."""

    name: str
    fields: dict[str, object] = field(default_factory=dict[str, object])

    def __str__(self) -> str:
        """Return the event as one line."""
        return " ".join([self.name, *(f"{name}={value!r}" for name, value in self.fields.items())])


class Events:
    """Emits events to the logger and to all listeners; a listener that raises is logged, and stops nothing."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._listeners: list[Callable[[Event], None]] = []

    def emit(self, name: str, **fields: object) -> None:
        """Log an event and call all listeners with it."""
        level = logging.WARNING if name in WARNINGS else logging.INFO if name in NOTICES else logging.DEBUG
        if not self._listeners and not self._logger.isEnabledFor(level):
            return
        event = Event(name, fields)
        self._logger.log(level, "%s", event)
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:
                self._logger.exception("a listener failed on %s", name)

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` with every event from now on, in the event loop, and return the function that stops that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def wait_for(self, name: str, **fields: object) -> Event:
        """Return the next event of this name that has these fields."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[Event] = loop.create_future()

        def answer(event: Event) -> None:
            if not found.done():
                found.set_result(event)

        def listener(event: Event) -> None:
            if event.name == name and fields.items() <= event.fields.items():
                loop.call_soon_threadsafe(answer, event)  # the flow may be open in another loop than this one

        stop = self.subscribe(listener)
        try:
            return await found
        finally:
            stop()
