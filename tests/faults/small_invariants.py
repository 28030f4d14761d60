"""What holds in every state of the small model, and in every step: the invariants of a flow, by their numbers.

I1 one place, I2 hash and its TTL, I3 lease, I4 fence, I5 attempts, I6 one ending, I7 ownership, I8 parents,
I9 counts, I14 cancelling. A fault is a sentence that begins with the number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from flows.model.state import TERMINAL
from tests.faults.small_model import CHILD_QUEUE, GONE, HIDDEN, PARENT, Job, State
from tests.faults.small_steps import Case, Step, owns

#: Steps after which a job may be what it never was: its id is used again, or its life begins anew.
BIRTHS: Final = frozenset({"create_again", "retry_job", "delete", "lose"})


def state_faults(state: State, case: Case) -> Iterator[str]:
    """Yield what is wrong with a state."""
    for job_id, job in enumerate(state.jobs):
        yield from _place(state, job_id, job, case)
        yield from _hash(state, job_id, job)
        if job.status == "processing" and not (job.worker and job.fence):
            yield f"I3: job {job_id} is processed without an owner"
        if job.attempts < (job.status == "processing"):
            yield f"I5: job {job_id} has made {job.attempts} attempts"
        if job.rescues > case.rules.isolated_from + case.rules.max_crashes - 1:
            yield f"I5: job {job_id} was rescued {job.rescues} times and did not fail"
        if job.cancel and job.status not in {"processing", *TERMINAL, GONE}:
            yield f"I14: job {job_id} is {job.status} although it shall be cancelled"
    yield from _hands(state, case)
    yield from _parent(state)


def _place(state: State, job_id: int, job: Job, case: Case) -> Iterator[str]:
    first = CHILD_QUEUE if job_id != PARENT and CHILD_QUEUE in dict(state.waiting) else case.rules.first
    queue = job.queue or first
    found = [("waiting", of) for of, ids in state.waiting for other in ids if other == job_id]
    found += [("processing", of) for (of, other), _runs in state.processing if other == job_id]
    found += [("delayed", of) for (of, other), _due in state.delayed if other == job_id]
    found += [("children", queue)] if job_id in state.children else []
    found += [("building", CHILD_QUEUE) for other in state.family.building if other == job_id]
    status = "building" if job.status == HIDDEN else job.status
    wanted = [(status, queue)] if status in {"waiting", "processing", "delayed", "children", "building"} else []
    if job.status == HIDDEN and not found:
        return  # forgotten while it was built: its TTL takes it
    if found != wanted and not (job_id in state.copied and set(wanted) <= set(found)):
        number = "I3" if "processing" in {place for place, _of in (*found, *wanted)} else "I1"
        yield f"{number}: job {job_id} is {job.status} in {queue}, and stands in {found}"


def _hash(state: State, job_id: int, job: Job) -> Iterator[str]:
    is_child = job_id != PARENT and CHILD_QUEUE in dict(state.waiting)
    if job.status in TERMINAL:
        wanted = not (job_id == PARENT and state.family.cancelling)
    elif is_child and job.status not in {HIDDEN, GONE}:
        # One that nobody waits for may have either: it was given a new life, or its parent has ended.
        wanted = job.ttl and job_id not in state.family.pending
    else:
        wanted = job.status != "children"
    if job.ttl != wanted:
        yield f"I2: job {job_id} is {job.status} {'with' if job.ttl else 'without'} a TTL"


def _hands(state: State, case: Case) -> Iterator[str]:
    for worker in state.workers:
        mine = [state.jobs[token[0]] for token in worker.tokens if owns(state, token)]
        if len(worker.tokens) > 1 and any(job.rescues >= case.rules.isolated_from for job in mine):
            yield f"I5: worker {worker.name} runs a job that is to be alone beside another"
        for (queue, job_id), runs in state.processing:
            job = state.jobs[job_id]
            known = worker.asking or (job_id, queue, job.fence, worker.name) in worker.tokens
            is_owner = job.worker == worker.name and job.status == "processing" and job_id not in state.copied
            if runs and is_owner and not known:
                yield f"I3: worker {worker.name} has job {job_id} and will never know"


def _parent(state: State) -> Iterator[str]:
    family, parent = state.family, state.jobs[PARENT]
    for child in family.pending:
        if state.jobs[child].status in TERMINAL:
            yield f"I8: child {child} has ended and is still waited for"
        if parent.status == "cancelled" and not family.cancelling:
            job = state.jobs[child]
            if job.status not in {GONE, HIDDEN} and not job.cancel:
                yield f"I14: child {child} of a cancelled parent is {job.status}"
    if parent.status == "children":
        if not family.pending:
            yield "I8: the parent waits for nobody"
        if not family.pending <= family.listed:
            yield "I8: the parent waits for children that it does not name"
    elif family.side == "immortal" and not (parent.status == GONE and family.pending):
        yield "I2: what children left beside their parent stays for ever"


def step_faults(before: State, step: Step, after: State, answer: Any, case: Case) -> Iterator[str]:
    """Yield what is wrong with a step."""
    claimed = {token[0] for token in answer} if step.script in {"turn", "late_turn"} and not _again(step) else set()
    for job_id, (was, job) in enumerate(zip(before.jobs, after.jobs, strict=True)):
        if was.status == GONE and job.status != GONE and not _creates(step, job_id):
            yield f"I2: job {job_id} was gone, and is {job.status}"
        if GONE in {was.status, job.status}:
            continue
        if job.fence - was.fence != (job_id in claimed):
            yield f"I4: the fence of job {job_id} goes from {was.fence} to {job.fence}"
        if was.status in TERMINAL and job.status != was.status and (step.script not in BIRTHS):
            yield f"I6: job {job_id} was {was.status}, and is {job.status}"
        if was.queue != job.queue and was.queue and not _moves(step, was):
            yield f"I1: job {job_id} comes from {was.queue} to {job.queue}"
        if was.status in TERMINAL and step.script == "create_again" and job.status != was.status:
            yield f"I6: job {job_id} was {was.status}, and is {job.status}"
    if before.jobs[PARENT].status in TERMINAL and after.family.failed_child and not before.family.failed_child:
        yield "I6: the parent has ended, and is written to"
    yield from _answer(before, step, answer)
    yield from _goes_on(before, step, after, case)
    if len(before.jobs) != len(after.jobs):
        yield "I9: a job is missing"


def _answer(before: State, step: Step, answer: Any) -> Iterator[str]:
    if step.script == "end" and answer in {"ok", "cancelled"} and not owns(before, step.arguments[0]):
        yield f"I7: an attempt that is not the job's own was accepted: {step.arguments[0]}"
    if step.script in {"build", "publish"} and answer[0] in {"ok", "built"} and not owns(before, step.arguments[0]):
        yield f"I7: an attempt that is not the job's own was accepted: {step.arguments[0]}"
    if step.script == "rescue":
        runs = {job_id: runs for (queue, job_id), runs in before.processing if queue == step.arguments[0]}
        for job_id, word in answer:
            if word in {"rescued", "poison"} and runs[job_id]:
                yield f"I3: job {job_id} was taken from a worker whose lease runs"
            if word == "rescued" and before.jobs[job_id].cancel:
                yield f"I14: job {job_id} is run again although it shall be cancelled"
    if step.script == "cancel":
        status = before.jobs[step.arguments[0]].status
        if (answer == "too late") != (status in TERMINAL) or (answer == "requested") != (status == "processing"):
            yield f"I14: to cancel a job that is {status} was answered with {answer}"


def _goes_on(before: State, step: Step, after: State, case: Case) -> Iterator[str]:
    """Look at a parent that leaves its children, or that would have waited and need not."""
    was, parent = before.jobs[PARENT].status, after.jobs[PARENT].status
    waited = was == "children"
    would_have = was == "processing" and step.arguments[1:2] == ("await_children",)
    if not (waited or would_have) or parent not in {"waiting", "done", "failed"}:
        return
    ended_badly = any(after.jobs[child].status in {"failed", "cancelled"} for child in after.family.listed)
    if waited and not before.family.pending - after.family.pending:
        yield f"I8: the parent is {parent}, and no child of its own has settled"
    elif parent == "failed" and case.rules.policy != "fail":
        yield "I8: the parent has failed although its queue goes on without a child"
    elif parent != "failed" and after.family.pending and was != parent:
        yield "I8: the parent goes on before its last child has settled"
    elif parent != "failed" and case.rules.policy == "fail" and ended_badly:
        yield "I8: the parent goes on although a child has failed"


def _again(step: Step) -> bool:
    """Whether a turn is one that was sent before."""
    return step.script == "turn" and bool(step.arguments[4])


def _moves(step: Step, was: Job) -> bool:
    """Whether a step may let a job change its queue: it is passed on, or goes on without children."""
    return was.status == "children" or step.arguments[1:2] in {("advance",), ("await_children",)}


def _creates(step: Step, job_id: int) -> bool:
    if step.script == "create_again":
        return True
    return job_id != PARENT and (step.script == "build" or step.arguments[1:2] == ("await_children",))


def is_over(state: State) -> bool:
    """Whether all jobs have ended."""
    return all(job.status in {*TERMINAL, GONE, HIDDEN} for job in state.jobs)
