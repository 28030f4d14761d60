"""One example of each outcome and each verdict, from which the tests take their lists: a new one needs a line here."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flows.model import verdict as verdicts
from flows.model.job import JobError
from flows.model.outcome import (
    OUTCOMES,
    Advance,
    AwaitChildren,
    Cancel,
    Fail,
    Finish,
    NewChild,
    Outcome,
    OutcomeRow,
    Release,
    Retry,
    Snooze,
)
from flows.store.client.scripts import Argument
from flows.store.jobs.finished import arguments_of

ERROR: Final = JobError(type="E", message="m", queue="pick", attempt=1)
#: Delays are long: nothing that a test does takes a minute.
EXAMPLES: Final[dict[type[Outcome], Outcome]] = {
    Finish: Finish({"b": b"2"}),
    Advance: Advance("pack", {"b": b"2"}),
    AwaitChildren: AwaitChildren([NewChild("box", "c", {"n": b'"c"'})], "ship", {"b": b"2"}),
    Retry: Retry(60_000, ERROR),
    Snooze: Snooze(60_000, reason="later"),
    Fail: Fail(ERROR),
    Cancel: Cancel("why"),
    Release: Release(),
}
#: What a function says in a job's first attempt; where the job is tried again, it soon is.
VERDICTS: Final[dict[type[verdicts.Verdict], verdicts.Verdict]] = {
    verdicts.Retry: verdicts.Retry("busy", after=timedelta(milliseconds=5)),
    verdicts.Snooze: verdicts.Snooze("later", after=timedelta(milliseconds=5)),
    verdicts.Fail: verdicts.Fail("broken"),
    verdicts.Cancel: verdicts.Cancel("unwanted"),
}


def outcome_of(verdict: verdicts.Verdict) -> tuple[type[Outcome], OutcomeRow]:
    """Return the outcome that a verdict becomes, which has its name, and its row of the table."""
    [(kind, row)] = [(kind, row) for kind, row in OUTCOMES.items() if kind.__name__ == type(verdict).__name__]
    return kind, row


def ended(verb: str, job_id: str, fence: int = 1) -> list[Argument]:
    """Return an attempt that ended as the example of this verb, as turn and report read it."""
    [outcome] = [EXAMPLES[kind] for kind, row in OUTCOMES.items() if row.verb == verb]
    arguments = arguments_of(outcome, child=False)
    return [verb, job_id, fence, len(arguments), *arguments]
