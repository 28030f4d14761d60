"""What a monitor shows: a reading of all queues at each tick, and each attempt that this process has made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from flows.model.explain.queue_state import QueueState
from flows.model.fleet.process import Process
from flows.telemetry.measured import Created, Measured


class Served(NamedTuple):
    """What live processes do for one queue, all together, as they have told last."""

    slots: int = 0
    busy: int = 0


_NOBODY: Final = Served()


def served_by(processes: Iterable[Process]) -> dict[str, Served]:
    """Return what the live ones of these processes do for each queue, all together."""
    served: dict[str, Served] = {}
    for process in processes:
        for one in process.queues if process.alive else ():
            slots, busy = served.get(one.queue, _NOBODY)
            served[one.queue] = Served(slots + one.slots, busy + one.busy)
    return served


@dataclass(frozen=True, slots=True)
class Reading:
    """All queues of a flow at one moment.

    Attributes:
        flow: The flow's name.
        up: Whether the server has answered; if not, nothing is known of any queue.
        queues: The state of each queue, by its name.
        at: When it was read, by `time.monotonic()`.
        lasts: After so many seconds it says nothing any more, since the monitor should have brought another.
        served: What processes do for each queue, by its name; a queue for which none works is not there.
        server: Host and port of the server, or the path of its socket and None; None where it is the embedded one.
    """

    flow: str
    up: bool
    queues: Mapping[str, QueueState]
    at: float
    lasts: float
    served: Mapping[str, Served] = field(default_factory=dict[str, Served])
    server: tuple[str, int | None] | None = None

    def each(self) -> Iterator[tuple[str, QueueState, Served]]:
        """Yield the name of each queue, its state, and what processes do for it."""
        for name, queue in self.queues.items():
            yield name, queue, self.served.get(name, _NOBODY)

    def holds(self, now: float) -> bool:
        """Return whether it says how things are by this time of `time.monotonic()`."""
        return self.up and now - self.at <= self.lasts


class Sink:
    """Where a monitor shows what it reads; subclass it for places of your own.

    One sink may serve the monitors of several flows. What its methods raise is told as the event `sink.failed`, once a
    minute, and stops neither the monitor nor other sinks; only what `open` raises reaches whoever starts the monitor.
    """

    async def open(self, flow: str) -> None:
        """Get ready for a flow, whose monitor starts."""

    async def show(self, reading: Reading) -> None:
        """Show the state of a flow's queues; called at each tick, also while the server is away."""

    def measure(self, attempt: Measured) -> None:
        """Take an attempt that has ended: called for each one, in the event loop, so it must be quick."""

    def created(self, creation: Created) -> None:
        """Take a call of `create_job` or `create_jobs` that has ended: called where it was made, so it must be quick.

        Those of `flow.sync` are made in a thread of their own.
        """

    async def close(self, flow: str) -> None:
        """Let go of what was opened for a flow, whose monitor stops."""
