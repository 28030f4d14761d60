"""The steps in which the code of a run stands: for a time, for what comes from outside, or as it was cancelled once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from flows.model.outcome import Suspend

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.model.outcome import EventWait
    from flows.model.runs.step_record import Place, StepKind
    from flows.workflow.steps.writes import Writes

#: These are settled from outside by what stands in Redis: there they have to be known.
_FROM_OUTSIDE: Final = frozenset({"event", "input"})


def _future() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


@dataclass(slots=True, eq=False)
class Pending:
    """A step in which the code stands."""

    name: str
    kind: StepKind
    until: int | None = None
    """When its time is over, by the server's clock, in milliseconds."""
    event: EventWait | None = None
    withdrawn: bool = False
    """Whether the code has cancelled it in an earlier attempt, and will again."""
    place: Place | None = None
    """What it had been given last by then."""
    over: bool = False
    """Whether its time is over."""
    registered: bool = False
    """Whether it is known in Redis while the attempt goes on."""
    future: asyncio.Future[None] = field(default_factory=_future)


class Standing:
    """All steps in which the code of one attempt stands.

    Attributes:
        steps: These, by their names.

    Args:
        writes: Where waits are registered.
        now_ms: Returns the server's clock.
        poke: Called when a time is over.
    """

    def __init__(self, writes: Writes, now_ms: Callable[[], int], poke: Callable[[], None]) -> None:
        self._writes = writes
        self._now_ms = now_ms
        self._poke = poke
        self.steps: dict[str, Pending] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def holds_attempt(self) -> bool:
        """Whether one stands that the code will cancel by a timer of its own: it has to go on here."""
        return any(one.withdrawn for one in self.steps.values())

    def first(self, before: Place | None) -> Place | None:
        """Return from where on the code is given nothing: `before`, or when it first cancelled one that stands here.

        What came later, it is given when it has cancelled that again.
        """
        places = [one.place._replace(nth=one.place.nth + 1) for one in self.steps.values() if one.place is not None]
        return min((place for place in (before, *places) if place is not None), default=None)

    def add(self, pending: Pending) -> None:
        """Let the code stand in a step."""
        self.steps[pending.name] = pending

    def take(self, name: str) -> Pending | None:
        """Remove a step, and return it if the code stood in it."""
        return self.steps.pop(name, None)

    def close(self) -> None:
        """Forget all."""
        self.steps.clear()
        self._cancel_timer()

    def let_over(self, *, withdrawn: bool = False) -> Pending | None:
        """Let the step go on whose time is over, the one that was over first, and return it.

        Args:
            withdrawn: Only one that the code has cancelled in an earlier attempt, and has not cancelled in this one.
        """
        now = self._now_ms()
        over = [one for one in self.steps.values() if one.until is not None and one.until <= now]
        if withdrawn:
            over = [one for one in over if one.withdrawn]
        if not over:
            return None
        first = min(over, key=lambda one: one.until or 0)
        del self.steps[first.name]
        first.over = True
        if not first.future.done():
            first.future.set_result(None)
        return first

    def wait_here(self) -> None:
        """Wait on while something runs: for events in Redis, for times here."""
        for one in self.steps.values():
            if one.kind in _FROM_OUTSIDE and not one.registered:
                one.registered = True
                if one.event is not None:
                    self._writes.note_wait(one.event)
                self._writes.send()
        self._cancel_timer()
        now = self._now_ms()
        # What is over already waits for something else, which pokes when it is there.
        soonest = min(
            (one.until for one in self.steps.values() if one.until is not None and one.until > now), default=0
        )
        if soonest:
            self._timer = asyncio.get_running_loop().call_later((soonest - now) / 1000, self._poke)

    def suspend(self, deadline_ms: int | None) -> Suspend:
        """Return what puts the run aside until one of these steps goes on; it is due by its deadline at the latest."""
        steps = self.steps.values()
        times = [time for time in (deadline_ms, *(one.until for one in steps)) if time is not None]
        waits = tuple(one.event for one in steps if one.event is not None)
        return Suspend(min(times, default=None), self._writes.come, self._writes.take_notes(), waits)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
