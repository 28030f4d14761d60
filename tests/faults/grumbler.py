"""A middleware that raises: around creations by what a job is to be, around attempts by its number."""

from __future__ import annotations

from typing import Final

from flows import AttemptNext, CreateNext, Creation, CurrentJob, Job, JobResult, Middleware, Verdict
from tests.faults.ledger import Ledger

#: The kind of jobs at whose creation it raises before there is one.
UNBORN: Final = "plain;ship=plain"
#: The kind of those at whose creation it raises when there is one.
ORPHAN: Final = "plain;ship=slow:0"
#: What goes with each job.
CARRIED: Final = {"tenant": "acme"}
#: Of so many numbers, the first attempt of 0 is stopped before its function, and that of 1 behind it.
EACH: Final = 4


class Grumble(Exception):
    """What it raises."""


class Grumbler(Middleware):
    """Raises now and then; writes a NOTE of each attempt that does not carry what it should.

    Attributes:
        orphans: The ids of jobs that were created though their creation raised.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.orphans: list[str] = []

    async def create(self, creation: Creation, call_next: CreateNext) -> str:
        """Raise before or behind the creation of some."""
        kind = getattr(creation.params, "kind", "")
        creation.carried.update(CARRIED)
        if kind == UNBORN:
            raise Grumble("it is not created")
        job_id = await call_next(creation)
        if kind == ORPHAN:
            self.orphans.append(job_id)
            raise Grumble("it is created")
        return job_id

    async def attempt(self, job: Job, current: CurrentJob, call_next: AttemptNext) -> JobResult | Verdict | None:
        """Raise before or behind the function of some, in their first attempt in each queue."""
        if current.carried != CARRIED:
            self._ledger.write("NOTE", job.id, what="uncarried", queue=current.queue)
        turn = getattr(job, "number", 0) % EACH
        if turn == 0 and current.attempt == 1:
            raise Grumble("before the function")
        ended = await call_next(job)
        if turn == 1 and current.attempt == 1:
            raise Grumble("behind the function")
        return ended
