"""The reasons why a job is where it is, as one table: the first whose test holds says the sentence.

To add a reason, add a row where it belongs in the order, and what its test reads to `Situation`. The page
`docs/howto/why-does-my-job-not-run.md` has the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flows.model.explain import limit_sentences as of_limits
from flows.model.explain import sentences as say
from flows.model.explain.explanation import Explanation
from flows.model.state import TERMINAL, JobState

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.model.explain.situation import Situation


@dataclass(frozen=True, slots=True)
class Reason:
    """One row of the table."""

    name: str
    meaning: str
    """Where the job is, and what it waits for."""
    remedy: str
    """What makes it go on."""
    holds: Callable[[Situation], bool]
    says: Callable[[Situation], str]


def explain(found: Situation) -> Explanation:
    """Return the explanation of what was found: that of the first reason which holds."""
    row = next(row for row in REASONS if row.holds(found))
    return Explanation(row.says(found), row.name, found.facts())


def _is_malformed(found: Situation) -> bool:
    known = {*JobState}
    return found.kind != "hash" or found.status not in known or (found.due and found.attempt_text is not None)


def _is_lost(found: Situation) -> bool:
    if found.status == JobState.WAITING:
        return found.listed is False
    return found.placed_ms is None or (found.status == JobState.CHILDREN and not found.pending)


REASONS: Final[tuple[Reason, ...]] = (
    Reason(
        "expired",
        "its record is gone, and its id still stands somewhere: `job_ttl`, or its `retention`, was over",
        "create it anew",
        lambda found: found.kind == "none" and bool(found.left_in),
        say.expired,
    ),
    Reason(
        "gone",
        "there is no such job: it has expired, was deleted, or never was",
        "create it anew",
        lambda found: found.kind == "none",
        say.gone,
    ),
    Reason(
        "malformed",
        "its hash, or the key of it, was edited into something that flows does not write",
        "mend what the sentence names",
        _is_malformed,
        say.malformed,
    ),
    Reason(
        "ended",
        "it is done, has failed or was cancelled",
        "`retry_job`, where it has failed or was cancelled; of a child, that of its parent",
        lambda found: found.status in TERMINAL,
        say.ended,
    ),
    Reason(
        "cancelling",
        "it is to be cancelled, or its parent was: its function is asked to stop",
        "wait, then `retry_job`; of a child, that of its parent",
        lambda found: found.cancel is not None or found.parent_cancelled,
        say.cancelling,
    ),
    Reason(
        "lost",
        "its hash says where it is, and its id does not stand there: edited data, or half of a backup",
        "run a process with workers: its reconciler puts it back",
        _is_lost,
        say.lost,
    ),
    Reason(
        "silent",
        "its worker has not renewed its lease: the worker is gone, or was cut off",
        "run a process with workers of its queue: it takes the job back",
        lambda found: found.status == JobState.PROCESSING and (found.placed_ms or 0) <= found.now_ms,
        say.silent,
    ),
    Reason(
        "running",
        "a worker has it",
        "wait, or `cancel_job`",
        lambda found: found.status == JobState.PROCESSING,
        say.running,
    ),
    Reason(
        "children",
        "it waits for children that have not ended",
        "explain the child that the sentence names",
        lambda found: found.status == JobState.CHILDREN,
        say.children,
    ),
    Reason(
        "delayed",
        "it is put off: a retry, a snooze, or a delay that it was created with",
        "wait until then",
        lambda found: not found.due,
        say.delayed,
    ),
    Reason(
        "paused",
        "its queue is paused",
        "`flow.queue(…).resume()`",
        lambda found: found.paused_ms is not None and found.paused_ms > found.now_ms,
        say.paused,
    ),
    Reason(
        "held",
        "its queue or its group is held for a time: a provider was asked too often",
        "wait until then, or `flow.queue(…).hold(0)`",
        lambda found: bool(found.held),
        of_limits.held,
    ),
    Reason(
        "undeclared",
        "its flow does not declare its queue any more",
        "declare the queue again, or name it in `formerly=` of another one",
        lambda found: bool(found.declared) and found.queue not in found.declared,
        say.undeclared,
    ),
    Reason(
        "no_workers",
        "no live process has workers of its queue",
        "start a process with workers of it",
        lambda found: not found.serving,
        say.no_workers,
    ),
    Reason(
        "misfit",
        "the job class of its queue needs a field that it lacks",
        "give the field a default, or write it",
        lambda found: bool(found.needs),
        say.misfit,
    ),
    Reason(
        "rate_limited",
        "a limiter of its queue has given out its tokens",
        "wait until the next one comes back, or `flow.queue(…).set_limit`",
        lambda found: found.limiter is not None,
        of_limits.rate_limited,
    ),
    Reason(
        "group_limited",
        "its group has used its tokens",
        "wait until the next one comes back, or `flow.queue(…).set_limit(…, group=…)`",
        lambda found: found.group_limiter is not None,
        of_limits.group_limited,
    ),
    Reason(
        "slots",
        "as many jobs run as may at a time",
        "wait until one has ended, or `flow.queue(…).set_concurrency`",
        lambda found: found.slots is not None,
        of_limits.slots,
    ),
    Reason(
        "group_slots",
        "as many jobs of its group run as may at a time",
        "wait until one has ended, or `flow.queue(…).set_concurrency(…, group=…)`",
        lambda found: found.group_slots is not None,
        of_limits.group_slots,
    ),
    Reason(
        "isolated",
        "it was rescued twice in its queue: a worker takes it only when it runs nothing else",
        "wait until a worker has ended what it runs, or start another one",
        lambda found: found.rescues >= found.isolated_from,
        say.isolated,
    ),
    Reason(
        "busy",
        "each slot of all workers of its queue has a job",
        "wait until one of these jobs has ended, or start more workers",
        lambda found: found.busy is not None and found.busy >= found.worker_slots > 0,
        say.busy,
    ),
    Reason(
        "due",
        "it was delayed, and its time has come",
        "wait for the next claim of a worker",
        lambda found: found.status == JobState.DELAYED,
        say.due,
    ),
    Reason(
        "queued",
        "it waits for its turn",
        "wait, or start more workers",
        lambda _found: True,
        say.queued,
    ),
)
