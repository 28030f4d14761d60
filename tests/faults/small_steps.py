"""What may happen next in the small model: what workers, rescuers and clients send, and what may go wrong.

Accidents are counted, so that the number of states is finite; all else may happen at any time and in any order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from flows.model.outcome import OUTCOMES
from tests.faults.small_model import CHILD_QUEUE, GONE, OVER, PARENT, Rules, State, Token, Worker
from tests.faults.small_scripts import call

#: The kinds of accidents, in the order of `State.left`: a worker dies, is stopped past its lease, or its call is
#: executed and the answer lost; a client does something; data is damaged; an attempt ends to be made again.
KINDS: Final = ("crash", "stall", "lost", "client", "damage", "again")
CRASH, STALL, LOST, CLIENT, DAMAGE, AGAIN = range(6)


#: Calls on behalf of an attempt that do not end it, and ways to end that could go on for ever.
PARTS: Final = frozenset({"build", "publish"})
CREATING: Final = frozenset({"build", "await_children"})
#: After these a job comes back to its queue, and may do so for ever.
ENDLESS: Final = frozenset(row.verb for row in OUTCOMES.values() if row.again)


class Step(NamedTuple):
    """One thing that happens: a script and its arguments, who gets its answer, and whether it is no accident."""

    script: str
    arguments: tuple[Any, ...] = ()
    ordinary: bool = True
    #: Which worker gets the answer, or None.
    worker: int | None = None
    #: Which accidents it uses up.
    costs: tuple[int, ...] = ()

    def __str__(self) -> str:
        """Say what happens, as one line of a trace."""
        words = [self.script, *map(str, self.arguments)]
        return " ".join(words) + (" (the answer is lost)" if LOST in self.costs else "")


class Case(NamedTuple):
    """Where it begins, and what may happen."""

    name: str
    start: State
    rules: Rules
    verbs: dict[str, tuple[tuple[Any, ...], ...]]
    wants: tuple[int, ...] = (1,)
    #: Jobs that may change places: what holds for one order holds for all.
    alike: tuple[tuple[int, ...], ...] = ()
    clients: tuple[str, ...] = ()
    damages: tuple[str, ...] = ()


def steps(state: State, case: Case) -> Iterator[Step]:
    """Yield all that may happen in a state."""
    for number, worker in enumerate(state.workers):
        yield from _of_worker(state, case, number, worker)
        if state.left[CRASH]:
            yield Step("crash", (number,), ordinary=False, costs=(CRASH,))
    yield from _of_time(state)
    for queue, _ids in state.waiting:
        if any(of == queue for (of, _id), _runs in state.processing):
            yield Step("rescue", (queue,))
    if state.family.cancelling:
        yield Step("cascade")
    yield from _of_clients(state, case)
    if state.left[DAMAGE]:
        yield from _damages(state, case)


def _of_worker(state: State, case: Case, number: int, worker: Worker) -> Iterator[Step]:  # noqa: C901 - one branch per call
    if worker.asking:
        yield Step("turn", (worker.name, worker.asking, 1, False, True), worker=number)
        return
    mine = [state.jobs[token[0]] for token in worker.tokens if owns(state, token)]
    isolated = any(job.rescues >= case.rules.isolated_from for job in mine)
    delayed = {queue for (queue, _id), due in state.delayed if due}
    for queue, ids in state.waiting:
        if not isolated and (ids or queue in delayed):
            for want in case.wants:
                arguments = (worker.name, queue, want, bool(worker.tokens), False)
                yield Step("turn", arguments, worker=number)
                if state.left[LOST]:
                    yield Step("turn", arguments, ordinary=False, worker=number, costs=(LOST,))
        if ids:
            yield Step("late_turn", (worker.name, queue, 1), ordinary=False)
    for token in sorted(worker.tokens):
        if ((token[1], token[0]), False) in state.processing:
            yield Step("renew", (token,), ordinary=False)
        verbs = case.verbs[token[1]]
        if not owns(state, token) and not any(guard.startswith("owned:") for guard in case.rules.without):
            verbs = verbs[:1]  # refused whatever it says: the token is looked at before the verb
        for verb, *arguments in verbs:
            yield from _of_attempt(state, number, token, verb, arguments)


def _of_attempt(state: State, number: int, token: Token, verb: str, arguments: list[Any]) -> Iterator[Step]:
    script, given = (verb, (token, *arguments)) if verb in PARTS else ("end", (token, verb, *arguments))
    if verb in CREATING:
        # The children of each visit are others: their ids are made by the attempt.
        first = 1 + 2 * state.jobs[PARENT].visit
        children = tuple(first + place for place in arguments)
        given = (token, *children, *arguments) if verb == "build" else (token, verb, children)
    costs = (AGAIN,) if verb in ENDLESS else ()
    if costs and not state.left[AGAIN]:
        return
    yield Step(script, given, worker=number, costs=costs)
    if state.left[LOST]:
        yield Step(script, given, ordinary=False, costs=(*costs, LOST))


def _of_time(state: State) -> Iterator[Step]:
    for place, runs in state.processing:
        if runs and not any(_holds(worker, state, place) for worker in state.workers):
            yield Step("lease_ends", (place,))
        elif runs and state.left[STALL]:
            yield Step("lease_ends", (place,), ordinary=False, costs=(STALL,))
    for place, due in state.delayed:
        if not due:
            yield Step("comes_due", (place,))


def _of_clients(state: State, case: Case) -> Iterator[Step]:
    for job_id, job in enumerate(state.jobs):
        if job_id in state.retried and job.status in {"failed", "cancelled"}:
            yield Step("same_retry_job", (job_id,), ordinary=False)
    for script in case.clients if state.left[CLIENT] else ():
        for arguments in _clients_arguments(state, script):
            yield Step(script, arguments, ordinary=False, costs=(CLIENT,))


def _clients_arguments(state: State, script: str) -> Iterator[tuple[Any, ...]]:
    for job_id, job in enumerate(state.jobs):
        if job.status == "hidden" or (job.status == GONE and job_id not in state.copied):
            continue
        yield (job_id, False) if script == "cancel" else (job_id,)
        if script == "cancel" and job.status == "waiting":
            yield (job_id, True)


def _damages(state: State, case: Case) -> Iterator[Step]:
    for job_id, job in enumerate(state.jobs):
        if job.status in {GONE, "hidden"}:
            continue
        if "lose" in case.damages and job.status not in OVER:
            yield Step("lose", (job_id,), ordinary=False, costs=(DAMAGE,))
        for queue, _ids in state.waiting:
            for kind in {"copy", "stray_lease", "stray_delayed"}.intersection(case.damages):
                if (queue == CHILD_QUEUE) == (job_id != PARENT and CHILD_QUEUE in dict(state.waiting)):
                    yield Step(kind, (queue, job_id), ordinary=False, costs=(DAMAGE,))


def take(state: State, case: Case, step: Step) -> tuple[State, Any]:
    """Return the state after a step, and what the script answered.

    Raises:
        ScriptError: the script would stop in the middle.
    """
    if step.script in ACTS:
        after, answer = ACTS[step.script](state, *step.arguments), None
    else:
        after, answer = call(state, case.rules, step.script, *step.arguments)
    if step.worker is not None:
        after = _answered(after, step, answer)
    if step.costs:
        left = tuple(count - step.costs.count(kind) for kind, count in enumerate(after.left))
        after = after._replace(left=left)
    if answer == "retried":
        after = after._replace(retried=after.retried | {step.arguments[0]})
    if step.script in {"lose", "create_again"} or (step.script == "cancel" and step.arguments[1]):
        after = after._replace(copied=after.copied | {step.arguments[0]})
    return after, answer


def _answered(state: State, step: Step, answer: Any) -> State:
    """Let a worker hear what its call was answered, unless that is lost."""
    assert step.worker is not None
    worker = state.workers[step.worker]
    if step.script == "turn" and LOST in step.costs:
        # A lost answer that brought nothing is as if the call had never come.
        worker = worker._replace(asking=step.arguments[1] if answer else "")
    elif step.script == "turn":
        worker = worker._replace(tokens=worker.tokens | frozenset(answer), asking="")
    elif step.script == "end" or answer[0] not in {"ok", "built"}:
        worker = worker._replace(tokens=worker.tokens - {step.arguments[0]})
    workers = tuple(worker if number == step.worker else other for number, other in enumerate(state.workers))
    # What was answered matters only while the worker may ask again.
    answers = tuple(pair for pair in state.answers if pair[0][0] != worker.name or worker.asking)
    return state._replace(workers=workers, answers=answers)


def owns(state: State, token: Token) -> bool:
    """Whether an attempt is its job's own."""
    job = state.jobs[token[0]]
    return (job.status, job.queue, job.fence, job.worker) == ("processing", *token[1:])


def _holds(worker: Worker, state: State, place: tuple[str, int]) -> bool:
    """Whether a worker renews this lease, or will once it is answered."""
    queue, job_id = place
    job = state.jobs[job_id]
    token = (job_id, queue, job.fence, worker.name)
    return job.worker == worker.name and (bool(worker.asking) or token in worker.tokens)


# What no script does


def _crash(state: State, number: int) -> State:
    """A process dies, and another one comes in its place: nobody will ever call by the name of the dead again."""
    name = state.workers[number].name
    return state._replace(
        jobs=tuple(job._replace(worker="dead") if job.worker == name else job for job in state.jobs),
        workers=tuple(Worker(name) if other == number else worker for other, worker in enumerate(state.workers)),
        answers=tuple((who, given) for who, given in state.answers if who[0] != name),
    )


def _lease_ends(state: State, place: tuple[str, int]) -> State:
    return state._replace(processing=tuple(sorted({**dict(state.processing), place: False}.items())))


def _comes_due(state: State, place: tuple[str, int]) -> State:
    return state._replace(delayed=tuple(sorted({**dict(state.delayed), place: True}.items())))


def _copy(state: State, queue: str, job_id: int) -> State:
    """An id stands in a list once too often."""
    waiting = {**dict(state.waiting), queue: (*dict(state.waiting)[queue], job_id)}
    return state._replace(waiting=tuple(sorted(waiting.items())), copied=state.copied | {job_id})


def _stray_lease(state: State, queue: str, job_id: int) -> State:
    return _lease_ends(state, (queue, job_id))._replace(copied=state.copied | {job_id})


def _stray_delayed(state: State, queue: str, job_id: int) -> State:
    return _comes_due(state, (queue, job_id))._replace(copied=state.copied | {job_id})


ACTS: Final = {
    "crash": _crash,
    "lease_ends": _lease_ends,
    "comes_due": _comes_due,
    "copy": _copy,
    "stray_lease": _stray_lease,
    "stray_delayed": _stray_delayed,
}
