"""Tells of each attempt how long its job waited and its function ran; where nobody listens, nothing is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


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


class Attempts:
    """Those who listen to the attempts of a flow; what one of them raises, it has to catch itself."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Measured], None]] = []

    @property
    def wanted(self) -> bool:
        """Whether anybody listens: else attempts need not be measured."""
        return bool(self._listeners)

    def listen(self, listener: Callable[[Measured], None]) -> Callable[[], None]:
        """Call `listener` with each attempt from now on, in the event loop; return the function that stops that."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def tell(self, measured: Measured) -> None:
        """Call all listeners."""
        for listener in tuple(self._listeners):
            listener(measured)
