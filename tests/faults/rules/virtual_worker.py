"""One worker of a ruled queue on a clock that is not ours: it does what `kernel/worker_loop.py` does, and no more.

It takes a turn when a job of its own has ended, when it was woken, when its alarm rings, and at once after an answer
that left work behind; else it sleeps. So a wake-up that nobody sends, or an alarm that nobody sets, stops the run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from flows.store.client.scripts import Argument
from tests.faults.rules.ruled_world import Answer, Call, Claimed
from tests.world import attempt, release, retry

#: From so many rescues on a job is given out by itself, and its worker runs nothing beside it.
ISOLATED_FROM: Final = 2
#: A worker that has not heard anything polls after so many milliseconds.
POLL: Final = 4_000


@dataclass
class Held:
    """A job that the worker runs."""

    claimed: Claimed
    ends_at: int


@dataclass
class VirtualWorker:
    """One worker, from start to death."""

    queue: str
    worker_id: str
    room: int
    lives: Callable[[str], int]
    """How long a job runs."""
    random: Random
    polls_after: int = 0
    """After so long without a wake-up it polls; 0: never. Only where wake-ups may be lost with a worker."""
    number: int = 0
    running: dict[str, Held] = field(default_factory=dict)
    ended: list[Claimed] = field(default_factory=list)
    listens: bool = False
    alarm: int | None = None
    awake_at: int | None = 0
    stalled_until: int | None = None
    """A process that is frozen does nothing, and its leases run out."""
    lost: Call | None = None
    """A turn whose answer did not come: it is sent again."""

    def next_at(self) -> int | None:
        """Return when it does something by itself; None: it sleeps until it is woken."""
        if self.stalled_until is not None:
            return self.stalled_until
        if self.lost is not None:
            return self.awake_at
        times = [held.ends_at for held in self.running.values()]
        times += [time for time in (self.alarm, self.awake_at) if time is not None]
        return min(times, default=None)

    def wake(self, now: int) -> None:
        """Hear a wake-up."""
        self.listens, self.awake_at = False, now

    def call(self, now: int, ways: Callable[[Claimed], list[Argument]]) -> Call | None:
        """Return the turn that it sends now, or None where there is nothing to do."""
        self.stalled_until = None
        if self.lost is not None:
            return self.lost
        for job_id, held in [*self.running.items()]:
            if held.ends_at <= now:
                self.ended.append(self.running.pop(job_id).claimed)
        isolated = any(held.claimed.rescues >= ISOLATED_FROM for held in self.running.values())
        want = 0 if isolated else self.room - len(self.running)
        self.awake_at = self.alarm = None
        self.listens = False
        if not want and not self.ended:
            return None
        self.number += 1
        ended = [(claimed, ways(claimed)) for claimed in self.ended]
        self.ended = []
        return Call(self.number, ended, want, bool(self.running))

    def answered(self, now: int, call: Call, answer: Answer) -> None:
        """Begin what the turn has brought, and go on or sleep."""
        self.lost = None
        for claimed in answer.claimed:
            start = max(now, claimed.start)
            self.running[claimed.id] = Held(claimed, start + self.lives(claimed.id))
        if answer.claimed and (answer.left or len(answer.claimed) >= call.want):
            self.awake_at = now
        elif not (answer.left and self.running):
            self.listens = True
            self.alarm = now + answer.due if answer.due else None
            if self.polls_after:
                self.awake_at = now + self.random.randint(self.polls_after // 2, self.polls_after)


def mixed(random: Random, released: float, retried: float) -> Callable[[Claimed], list[Argument]]:
    """Some jobs are handed back, some are tried again later, and all others end well."""

    def way(claimed: Claimed) -> list[Argument]:
        lot = random.random()
        if lot < released:
            return release(claimed.id, claimed.fence)
        if lot < released + retried:
            return retry(claimed.id, claimed.fence, random.choice((1, 50, 700)))
        return attempt("finish", claimed.id, claimed.fence, "")

    return way
