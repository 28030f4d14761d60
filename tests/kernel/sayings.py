"""What functions say of their attempts, by number; they stand here so that another process can import them."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime, timedelta
from functools import partial

from flows import CurrentJob, Retry, Snooze, Verdict, current_job
from tests.kernel.parts import Answer, Work
from tests.outcomes import VERDICTS

NOW = timedelta(0)
SOON = timedelta(milliseconds=5)
#: The timeout of their queue.
TIMEOUT = timedelta(minutes=1)
#: Jobs whose number is over this raise what the others return.
RAISED = 100
#: From this number on, one verdict of each kind.
OF_EACH = 20


#: What is said in a job's first attempt, and what is said in each.
FIRST: dict[int, Callable[[], Exception]] = {
    2: lambda: Snooze("soon", until=datetime.now(UTC) + SOON),
    5: lambda: ConnectionRefusedError("refused"),
} | {OF_EACH + number: partial(copy, verdict) for number, verdict in enumerate(VERDICTS.values())}
ALWAYS: dict[int, Callable[[], Exception]] = {
    6: lambda: ConnectionResetError("reset"),
    7: lambda: ValueError("no connection"),
    9: lambda: Retry("never ready", after=NOW),
}


def say(job: Work) -> Answer | Verdict:
    """Return or raise what the job's number says; where it says nothing, the attempt ends well."""
    said = saying(job.number % RAISED, current_job())
    if isinstance(said, Answer) or (isinstance(said, Verdict) and job.number < RAISED):
        return said
    raise said


def saying(number: int, here: CurrentJob) -> Answer | Exception:
    """Return what a number says in this attempt."""
    if number == 8:
        return Snooze("again", after=NOW) if here.fence <= 3 else ConnectionRefusedError("refused")
    if number == 10:
        return Answer(answer=int(0 < (here.deadline or 0.0) - time.monotonic() <= TIMEOUT.total_seconds()))
    said = ALWAYS.get(number) or (FIRST.get(number) if here.fence == 1 else None)
    return Answer(answer=here.attempt) if said is None else said()


async def say_in_the_loop(job: Work) -> Answer | Verdict:
    """Say the same in a coroutine."""
    return say(job)
