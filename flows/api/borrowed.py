"""What stands in for a flow's own session and runtime where its code is not here: an Admin's connection, and settings.

The kernel's handles ask little of them: a connection, settings, and what reads and acts by those.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

from flows.kernel.callers.queue_handle import QueueHandle
from flows.store.jobs.control import Control
from flows.store.jobs.fetch import Fetch
from flows.store.runs.run_store import RunStore

if TYPE_CHECKING:
    from flows.api.known_flow import KnownFlow
    from flows.kernel.runtime import Runtime
    from flows.store.client.connection import Connection
    from flows.store.jobs.flow_settings import FlowSettings


@dataclass(frozen=True)
class _Named:
    name: str


class Borrowed:
    """The parts of a session that need none of a flow's code."""

    def __init__(self, connection: Connection, known: KnownFlow) -> None:
        self.connection = connection
        self.settings: FlowSettings = known.settings
        self.options = _Named(known.name)
        self.control = Control(connection, known.settings)

    async def open(self) -> Borrowed:
        """Return itself: it is open."""
        return self

    @cached_property
    def fetch(self) -> Fetch:
        """Reads jobs."""
        return Fetch(self.connection, self.settings)

    @cached_property
    def runs(self) -> RunStore:
        """Starts runs, and sends them what they wait for."""
        return RunStore(self.connection, self.settings)


def queue_handle(connection: Connection, known: KnownFlow, queue: str) -> QueueHandle:
    """Return a queue of a flow, to look at, to limit, to pause and to drain.

    Raises:
        NothingThere: the flow has no such queue.
    """
    return QueueHandle(cast("Runtime", Borrowed(connection, known)), known.check_queue(queue))
