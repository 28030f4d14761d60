"""The scripts that are sent, on the state of small_model.py: each takes a state and returns what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flows.model.outcome import OUTCOMES, OutcomeRow
from tests.faults.small_family import await_children, build, cascade, publish
from tests.faults.small_model import GONE, HIDDEN, LAST, PARENT, Family, Job, Rules, Sheet, State, Token


def call(state: State, rules: Rules, script: str, *arguments: Any) -> tuple[State, Any]:
    """Run a script, and return the state after it and its answer.

    Raises:
        ScriptError: it would stop in the middle.
    """
    sheet = Sheet(state, rules)
    answer = SCRIPTS[script](sheet, *arguments)
    return sheet.freeze(), answer


# turn.lua


def turn(sheet: Sheet, worker: str, queue: str, want: int, busy: bool, again: bool) -> tuple[Token, ...]:  # noqa: FBT001, PLR0913, PLR0917 - as the script takes them
    """Claim jobs; `again` says that it has the number of the last call."""
    if again and sheet.on("turn:same number"):
        given = sheet.answers[worker, queue]
        return tuple(token for token in given if sheet.owned(token) == "ok")
    promote(sheet, queue)
    given = ()
    while sheet.waiting[queue] and len(given) < want:
        job_id, rest = sheet.waiting[queue][0], sheet.waiting[queue][1:]
        word = claim(sheet, job_id, worker, queue, beside_others=busy or bool(given))
        if word == "isolated":
            break
        sheet.waiting[queue] = rest
        if word == "claimed":
            job = sheet.jobs[job_id]
            given = (*given, (job_id, queue, job.fence, worker))
            sheet.processing[queue, job_id] = True
            if is_isolated(sheet, job) and sheet.on("turn:isolated"):
                break
    if given:
        sheet.answers[worker, queue] = given
    return given


def late_turn(sheet: Sheet, worker: str, queue: str, want: int) -> tuple[Token, ...]:
    """Claim nothing: the call comes after a later one of the same worker."""
    if sheet.on("turn:late number"):
        return ()
    return turn(sheet, worker, queue, want, False, False)  # noqa: FBT003 - see there


def is_isolated(sheet: Sheet, job: Job) -> bool:
    """Whether a job is handed out with nothing beside it."""
    return job.rescues >= sheet.rules.isolated_from


def claim(sheet: Sheet, job_id: int, worker: str, queue: str, *, beside_others: bool) -> str:
    """Give a job to a worker: transition/claim.lua."""
    job = sheet.jobs[job_id]
    there = job.status != GONE
    if there and job.status != "waiting" and sheet.on("claim:status"):
        return "misplaced"
    if there and job.queue not in {"", queue} and sheet.on("claim:queue"):
        return "misplaced"
    if is_isolated(sheet, job) and beside_others and sheet.on("claim:isolated"):
        return "isolated"
    if not there and sheet.on("claim:exists"):
        sheet.settle_missing(job_id)
        return "expired"
    raised = 1 if sheet.on("claim:fence") else 0
    sheet.move(
        job_id, "waiting", "processing", queue=queue, fence=job.fence + raised, attempts=job.attempts + 1, worker=worker
    )
    return "claimed"


def promote(sheet: Sheet, queue: str) -> None:
    """Let delayed jobs that are due wait again: transition/promote.lua."""
    for (of, job_id), due in sorted(sheet.delayed.items()):
        if of != queue or not due:
            continue
        job = sheet.jobs[job_id]
        fits = (job.status == "delayed" or not sheet.on("promote:status")) and (
            job.queue == queue or not sheet.on("promote:queue")
        )
        if fits:
            sheet.move(job_id, "delayed", "waiting")
            sheet.push(queue, job_id)
        elif job.status == GONE:
            sheet.settle_missing(job_id)
        del sheet.delayed[of, job_id]


# report.lua


def end(sheet: Sheet, token: Token, verb: str, *arguments: Any) -> str:
    """End an attempt: include/end_attempts.lua."""
    job_id, queue, _fence, _worker = token
    word = sheet.owned(token)
    if word == "gone":
        sheet.processing.pop((queue, job_id), None)
        sheet.settle_missing(job_id)
    if word != "ok":
        return word
    job = sheet.jobs[job_id]
    sheet.processing.pop((queue, job_id), None)
    if verb == "cancel" or (job.cancel and verb not in LAST and sheet.on("attempts:cancel")):
        sheet.cancel(job_id, "processing")
        return "cancelled"
    VERBS[verb](sheet, job_id, *arguments)
    return "ok"


def _advance(sheet: Sheet, job_id: int, to: str) -> None:
    visit = sheet.jobs[job_id].visit + 1
    sheet.move(job_id, "processing", "waiting", queue=to, attempts=0, visit=visit, rescues=0)
    sheet.push(to, job_id)


def _as_the_table_says(row: OutcomeRow) -> Callable[..., None]:
    """Return a transition that only does what its row in the table of outcomes says."""

    def act(sheet: Sheet, job_id: int) -> None:
        if row.ends:
            sheet.end_job(job_id, "processing", row.state)
            return
        assert row.state == "delayed", f"{row.verb} leads to {row.state}: say here what it does"
        sheet.move(job_id, "processing", row.state)
        sheet.delayed[sheet.jobs[job_id].queue, job_id] = False
        sheet.change(job_id, attempts=sheet.jobs[job_id].attempts - row.gives_back)

    return act


def _release(sheet: Sheet, job_id: int) -> None:
    job = sheet.jobs[job_id]
    sheet.move(job_id, "processing", "waiting", attempts=job.attempts - 1)
    sheet.waiting[job.queue] = (job_id, *sheet.waiting[job.queue])


#: Those that do more, by their verb.
_OTHERS: Final = {"advance": _advance, "release": _release, "await_children": await_children}
VERBS: Final[dict[str, Callable[..., None]]] = {
    row.verb: _OTHERS.get(row.verb) or _as_the_table_says(row) for row in OUTCOMES.values()
}


# rescue.lua


def rescue(sheet: Sheet, queue: str) -> list[tuple[int, str]]:
    """Take back the jobs of a queue whose leases are over."""
    over = [
        job_id
        for (of, job_id), runs in sorted(sheet.processing.items())
        if of == queue and (not runs or not sheet.on("rescue:over"))
    ]
    return [(job_id, _rescue(sheet, queue, job_id)) for job_id in over]


def _rescue(sheet: Sheet, queue: str, job_id: int) -> str:
    job = sheet.jobs[job_id]
    del sheet.processing[queue, job_id]
    if job.status == GONE:
        sheet.settle_missing(job_id)
        return "expired"
    if job.status != "processing" and sheet.on("rescue:status"):
        return "misplaced"
    if job.queue != queue and sheet.on("rescue:queue"):
        return "misplaced"
    if job.cancel and sheet.on("rescue:cancel"):
        sheet.cancel(job_id, "processing")
        return "cancelled"
    crashes = job.rescues - sheet.rules.isolated_from + 1
    if crashes >= sheet.rules.max_crashes and sheet.on("rescue:crashes"):
        sheet.end_job(job_id, "processing", "failed")
        return "poison"
    sheet.move(job_id, "processing", "waiting", rescues=job.rescues + 1)
    sheet.waiting[queue] = (job_id, *sheet.waiting[queue])
    return "rescued"


def renew(sheet: Sheet, token: Token) -> str:
    """Extend the lease of one attempt."""
    word = sheet.owned(token)
    if word != "ok":
        return word
    if (token[1], token[0]) in sheet.processing:
        sheet.processing[token[1], token[0]] = True
    return "cancel" if sheet.jobs[token[0]].cancel else "kept"


# What clients send


def cancel(sheet: Sheet, job_id: int, long: bool) -> str:  # noqa: FBT001 - as the script takes it
    """Cancel a job; in a `long` list its id stays."""
    return sheet.cancel_job(job_id, long=long)


def delete(sheet: Sheet, job_id: int) -> str:
    """Delete a job; a parent hears of it."""
    job = sheet.jobs[job_id]
    if job.status == GONE:
        sheet.settle_missing(job_id)
        return "gone"
    if job.status == HIDDEN:
        sheet.jobs[job_id] = job._replace(status=GONE)
    else:
        sheet.take_out(job_id, job.status, job.queue or sheet.first_of(job_id))
        sheet.jobs[job_id] = Job(status=GONE)
    if job_id == PARENT:
        sheet.family = Family(known=sheet.family.known)
    if sheet.is_child(job_id):
        sheet.settle(job_id, "deleted")
    return "deleted"


def retry_job(sheet: Sheet, job_id: int) -> str:
    """Give a job that failed or was cancelled a new life."""
    job = sheet.jobs[job_id]
    if job.status == GONE:
        return "gone"
    if job_id == PARENT and sheet.family.cancelling and sheet.on("retry_job:cancelling"):
        return "cancelling"
    if job.status not in {"failed", "cancelled"} and sheet.on("retry_job:ended"):
        return job.status
    queue = job.queue or sheet.first_of(job_id)
    flag = job.cancel and not sheet.on("retry_job:flag")
    sheet.move(job_id, job.status, "waiting", queue=queue, attempts=0, visit=job.visit + 1, rescues=0, cancel=flag)
    if job_id == PARENT and sheet.on("retry_job:pending"):
        sheet.family = sheet.family._replace(
            pending=frozenset(), building=(), built=False, building_visit=-1, failed_child=False, next=""
        )
    sheet.push(queue, job_id)
    return "retried"


def same_retry_job(sheet: Sheet, job_id: int) -> str:
    """Get a call again that was answered before, perhaps a life ago: include/once.lua."""
    return "retried" if sheet.on("once:same call") else retry_job(sheet, job_id)


def create_again(sheet: Sheet, job_id: int) -> None:
    """Send a creation again whose answer was lost."""
    if sheet.jobs[job_id].status == GONE:
        sheet.jobs[job_id] = Job()
    sheet.push(sheet.first_of(job_id), job_id)


def lose(sheet: Sheet, job_id: int) -> None:
    """Lose a hash: it has expired, or somebody has deleted the key."""
    sheet.jobs[job_id] = Job(status=GONE)
    if job_id == PARENT:
        sheet.family = sheet.family._replace(
            listed=frozenset(), built=False, building_visit=-1, failed_child=False, next=""
        )


SCRIPTS: Final[dict[str, Callable[..., Any]]] = {
    function.__name__: function
    for function in (
        turn,
        late_turn,
        end,
        build,
        publish,
        rescue,
        renew,
        cancel,
        cascade,
        delete,
        retry_job,
        same_retry_job,
        create_again,
        lose,
    )
}
