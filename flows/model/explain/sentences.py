"""The sentences of the reasons: what keeps the job, and what makes it go on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flows.model.explain.situation import host_of
from flows.model.explain.words import at_time, counted, lasting
from flows.model.runs.new_run import RUN_FLOW

if TYPE_CHECKING:
    from flows.model.explain.situation import Situation

#: So much of a text of the user's stands in a sentence.
_MOST = 200


def expired(found: Situation) -> str:
    """Say where the id of a job still stands that is gone."""
    kept = f"job_ttl is {lasting(found.ttl_ms)}; " if found.ttl_ms else ""
    return f"its record is gone, and its id still stands in {found.left_in}: it has expired ({kept}create it anew)"


def gone(found: Situation) -> str:
    """Say that there is no job."""
    return f"flow {found.flow!r} has no job {found.job_id}: it has expired, was deleted or never was; create it anew"


def malformed(found: Situation) -> str:
    """Say what was edited."""
    if found.kind != "hash":
        return f"its key holds a {found.kind} where flows keeps a hash: delete or rename that key"
    if found.attempt_text is not None and found.due:
        return (
            f"its hash was edited: _attempt is {_short(found.attempt_text)!r}, by which it fails at its next claim; "
            "delete that field"
        )
    return (
        f"its hash was edited: _status is {_short(found.status)!r}, which is no state; "
        "the reconciler of a process with workers fails it, and then retry_job runs it again"
    )


def ended(found: Situation) -> str:
    """Say how and when the job has ended."""
    at = f" at {at_time(found.ended_ms, found.now_ms)}" if found.ended_ms is not None else ""
    if found.status == "done":
        return f"it is done{at}, in {found.queue!r}"
    if found.status == "cancelled":
        why = f" ({_short(found.reason)})" if found.reason else ""
        return f"it was cancelled{at}, in {found.queue!r}{why}{_again(found)}"
    return f"it failed{at}, in {found.queue!r}{_error(found)}{_again(found)}"


def cancelling(found: Situation) -> str:
    """Say what is to be cancelled."""
    if found.cancel is None:
        return f"its parent {found.parent} was cancelled, and so will it be, as soon as its turn in that comes"
    why = f" ({_short(found.cancel)})" if found.cancel else ""
    return f"it is being cancelled{why}: its function on {found.host} was asked to stop"


def lost(found: Situation) -> str:
    """Say where a job does not stand."""
    if found.status == "children" and found.placed_ms is not None:
        return (
            f"none of the children for which it waits in {found.queue!r} has still to end: {_put_back('lets it go on')}"
        )
    place = f"the {found.status} jobs of {found.queue!r}"
    return f"it is {found.status}, and does not stand among {place}: {_put_back('puts it back')}"


def silent(found: Situation) -> str:
    """Say for how long a worker has said nothing."""
    over = lasting(found.now_ms - (found.placed_ms or 0))
    return (
        f"{found.host} has it, and has not renewed its lease, which ended {over} ago: "
        f"a process with workers of {found.queue!r} takes it back within {lasting(found.lease_ms / 6)}"
    )


def running(found: Situation) -> str:
    """Say where it runs, and for how long."""
    ran = "" if found.since_ms is None else f" for {lasting(found.now_ms - found.since_ms)}"
    left = lasting((found.placed_ms or 0) - found.now_ms)
    return f"it runs in {found.queue!r}{ran} on {found.host}, attempt {found.attempts}, lease for {left} more"


def children(found: Situation) -> str:
    """Say for how many children it waits, and name one."""
    waits = f"it waits in {found.queue!r} for {found.pending:,} of its {counted(found.children, 'child', 'children')}"
    if found.policy == "fail":
        waits += ", and fails with the first that is not done"
    if found.child is None:
        return waits
    child_id, queue, state = found.child
    return f"{waits}; {child_id} of {queue!r} is {_DOES.get(state, state)}: explain that one"


def delayed(found: Situation) -> str:
    """Say until when it is put off, and by what."""
    until = found.placed_ms or 0
    if math.isinf(until):
        return f"it is delayed in {found.queue!r} for ever{_put_off(found)}: its score was edited; set another one"
    waits = f"it is delayed in {found.queue!r} until {at_time(until, found.now_ms)}"
    return f"{waits}, for {lasting(until - found.now_ms)} more{_put_off(found)}"


def paused(found: Situation) -> str:
    """Say since when the queue is paused, and until when."""
    since = "" if found.paused_at_ms is None else f" since {at_time(found.paused_at_ms, found.now_ms)}"
    until = found.paused_ms or 0
    ends = "" if math.isinf(until) else f", until {at_time(until, found.now_ms)}"
    note = f" ({_short(found.note)})" if found.note else ""
    return (
        f"it waits in {found.queue!r}, which is paused{since}{ends}{note}: "
        f"flow.queue({found.queue!r}).resume() lets it go on"
    )


def undeclared(found: Situation) -> str:
    """Say that no process works on the queue, since nobody declares it."""
    return (
        f"it waits in {found.queue!r}, which its flow does not declare any more (it has {', '.join(found.declared)}): "
        "declare it, or name it in formerly= of the queue that took its place"
    )


def no_workers(found: Situation) -> str:
    """Say since when nobody was heard of."""
    heard = (
        "no process has workers of it"
        if found.heard_ms is None
        else f"no process with workers of it was heard of since {at_time(found.heard_ms, found.now_ms)}"
    )
    return f"it waits in {found.queue!r}, and {heard}: start one"


def misfit(found: Situation) -> str:
    """Say which fields are missing."""
    needs = " and ".join(map(repr, found.needs))
    what = found.needed_by or "its job class"
    return (
        f"it waits in {found.queue!r}, and {what} needs {needs}, which it lacks: it fails at its next claim; "
        "give the field a default, or write it"
    )


def isolated(found: Situation) -> str:
    """Say why it runs alone."""
    return (
        f"it waits in {found.queue!r} and was rescued {counted(found.rescues, 'time')} there, "
        f"so a worker takes it only when it runs nothing else{_behind(found)}: "
        "wait until one has ended what it runs, or start another worker"
    )


def busy(found: Situation) -> str:
    """Say how many slots are taken, and which job has one for longest."""
    slots = "the only slot" if found.worker_slots == 1 else f"all {found.worker_slots:,} slots"
    some = f"{found.asked:,} of " if found.asked < found.serving else ""
    sentence = f"it waits in {found.queue!r}, and {slots} of {some}{counted(found.serving, 'process', 'processes')} "
    sentence += "is busy" if found.worker_slots == 1 else "are busy"
    if found.oldest is not None and found.oldest_ms is not None:
        job_id, process = found.oldest
        name = f"the oldest, {job_id}," if found.worker_slots > 1 else job_id
        sentence += f"; {name} runs for {lasting(found.now_ms - found.oldest_ms)} on {host_of(process)}"
    if found.ahead:
        sentence += f"; {_ahead(found)}"
    return f"{sentence}: wait until a slot is free, or start more workers"


def due(found: Situation) -> str:
    """Say since when it is due."""
    late = lasting(found.now_ms - (found.placed_ms or 0))
    return f"it is due in {found.queue!r} since {late}{_put_off(found)}: the next claim of a worker takes it"


def queued(found: Situation) -> str:
    """Say how many are ahead."""
    if not found.ahead:
        return f"it waits in {found.queue!r} and is the next one{'' if found.exact else ', or almost'}"
    return f"it waits in {found.queue!r}, and {_ahead(found)}"


_DOES = {"processing": "running", "children": "waiting for children of its own"}


def _again(found: Situation) -> str:
    if found.flow == RUN_FLOW:
        return "; retry() of its handle lets it go on"
    if not found.parent:
        return "; retry_job runs it again"
    # Nothing brings back a child whose parent is done, or gone.
    goes = found.parent_status and found.parent_status != "done"
    return f"; a child is created anew when its parent, {found.parent}, is retried" if goes else ""


def _ahead(found: Situation) -> str:
    ahead = found.ahead or 0
    rate = ""
    if found.rate:
        left = lasting(ahead / found.rate * 60_000)
        rate = f"; at {found.rate:,.0f} a minute that is {left}"
    about = "" if found.exact else "about "
    return f"{about}{counted(ahead, 'other is', 'others are')} ahead{rate}"


def _behind(found: Situation) -> str:
    return f"; {counted(found.ahead, 'other is', 'others are')} ahead" if found.ahead else ""


def _put_back(what: str) -> str:
    return f"the reconciler of a process with workers {what}, in its next pass, a minute from now or so"


def _put_off(found: Situation) -> str:
    why = f": {_short(found.reason)}" if found.reason else ""
    match found.put_off_by:
        case "retry":
            return f" (attempt {found.attempts} failed{_error(found)})"
        case "snooze":
            return f" (it was snoozed{why})"
        case _:
            return "" if found.attempts else " (it was created with a delay)"


def _error(found: Situation) -> str:
    if found.error is None:
        return ""
    kind, message = found.error
    return f" by {_short(kind)}: {_short(message)}" if message else f" by {_short(kind)}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST else f"{line[:_MOST]}…"
