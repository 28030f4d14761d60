"""What a monitor shows: a reading of all queues at each tick, and each attempt that this process has made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class QueueFigures(Protocol):
    """The state of one queue."""

    @property
    def unknown(self) -> bool:
        """Whether it could not be read, since somebody has put something else in its keys."""
        ...

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        ...

    @property
    def delayed(self) -> int:
        """How many jobs are delayed."""
        ...

    @property
    def processing(self) -> int:
        """How many jobs workers have."""
        ...

    @property
    def children(self) -> int:
        """How many parents wait for their children."""
        ...

    @property
    def failed(self) -> int:
        """How many jobs have failed here, and are kept."""
        ...

    @property
    def oldest_age(self) -> float | None:
        """How many seconds the job that is next has waited."""
        ...

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each verb has ended or moved a job here."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """All queues of a flow at one moment.

    Attributes:
        flow: The flow's name.
        up: Whether the server has answered; if not, nothing is known of any queue.
        queues: The state of each queue, by its name.
        at: When it was read, by `time.monotonic()`.
        lasts: After so many seconds it says nothing any more, since the monitor should have brought another.
    """

    flow: str
    up: bool
    queues: Mapping[str, QueueFigures]
    at: float
    lasts: float

    def holds(self, now: float) -> bool:
        """Return whether it says how things are by this time of `time.monotonic()`."""
        return self.up and now - self.at <= self.lasts


@dataclass(frozen=True, slots=True)
class Measured:
    """One attempt that a worker of this process has made, and that the store has recorded.

    Attributes:
        flow: The flow's name.
        queue: The queue's name.
        outcome: How it ended, by its verb: "finish", "advance", "await_children", "retry", "snooze", "fail", "cancel"
            or "release".
        error: The class of the error by which it failed.
        waited: How many seconds the job had waited when it was claimed; None where that is not known.
        ran: How many seconds its function ran; None where none ran.
    """

    flow: str
    queue: str
    outcome: str
    error: str | None = None
    waited: float | None = None
    ran: float | None = None


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

    async def close(self, flow: str) -> None:
        """Let go of what was opened for a flow, whose monitor stops."""
