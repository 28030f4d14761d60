"""Tells of attempts and of creations how long they took; where nobody listens, nothing is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Measured:
    """One attempt that a worker of this process has made, and that the store has recorded.

    Attributes:
        flow: The flow's name.
        queue: The queue's name.
        outcome: How it ended, by the word by which the queue counts it: "done", "failed", "cancelled", "advance",
            "await_children", "retry", "snooze" or "release".
        error: The class of the error by which it failed.
        waited: How many seconds the job had waited when it was claimed, or was late.
        ran: How many seconds its function ran; None where none ran.
    """

    flow: str
    queue: str
    outcome: str
    error: str | None = None
    waited: float | None = None
    ran: float | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """One call of `create_job` or `create_jobs` in this process.

    Attributes:
        flow: The flow's name.
        queue: The flow's first queue.
        jobs: How many jobs it has sent to the server, or was about to send when that failed; 0 where all was refused
            before.
        seconds: How long it took, until the server had answered.
        error: The class of the error that it raised.
    """

    flow: str
    queue: str
    jobs: int
    seconds: float
    error: str | None = None


class Listeners(Generic[T]):
    """Those who listen to what is measured of a flow; what one of them raises, it has to catch itself."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[T], None]] = []

    @property
    def wanted(self) -> bool:
        """Whether anybody listens: else nothing need be measured."""
        return bool(self._listeners)

    def listen(self, listener: Callable[[T], None]) -> Callable[[], None]:
        """Call `listener` with each measurement from now on, where it is made; return the function that stops that."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def tell(self, measured: T) -> None:
        """Call all listeners."""
        for listener in tuple(self._listeners):
            listener(measured)
