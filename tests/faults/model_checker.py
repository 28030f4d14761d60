"""Visits every state that the small model can reach: `python -m tests.faults.model_checker` prints how many there are.

Each state and each step is held against small_invariants.py, and from each state some path without accidents has to
lead to the end of all jobs. What is wrong is told by the shortest way there.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from tests.faults.small_cases import CASES
from tests.faults.small_invariants import is_over, state_faults, step_faults
from tests.faults.small_model import ScriptError, State, Worker
from tests.faults.small_steps import Case, Step, steps, take


class Found(NamedTuple):
    """What a search has seen; `trace` leads to the fault where there is one."""

    states: int
    transitions: int
    seconds: float
    fault: str = ""
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say it in some lines."""
        seen = f"{self.states:,} states, {self.transitions:,} transitions, {self.seconds:.1f} s"
        return "\n".join([seen, *([self.fault, *(f"  {line}" for line in self.trace)] if self.fault else ())])


def search(case: Case, without: frozenset[str] = frozenset(), most: int = 0) -> Found:
    """Visit all states of a case, nearest first, up to `most` of them; some guards may be taken away."""
    case = case._replace(rules=case.rules._replace(without=without))
    gc.disable()  # it keeps what it makes, and makes no circles
    try:
        return _Search(case).run(most)
    finally:
        gc.enable()


class _Search:
    """A breadth-first search that keeps, of each state, where it was first reached from."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._began = time.perf_counter()
        self._transitions = 0
        self._numbers: dict[State, int] = {canonical(case.start, case): 0}
        #: The same of states as they were reached: most are reached again, and to put one in order takes long.
        self._as_reached: dict[State, int] = {}
        #: The states as they were first reached: by which step, and from which other.
        self._states: list[State] = [case.start]
        self._ways: list[tuple[int, Step | None]] = [(0, None)]
        #: For each state, the states from which it is reached without an accident.
        self._back: list[list[int]] = [[]]

    def run(self, most: int) -> Found:
        number = 0
        while number < len(self._states):
            if fault := self._visit(number):
                return self._found(*fault)
            number += 1
            if most and number >= most:
                return self._found()
        return self._found(*self._stuck())

    def _visit(self, number: int) -> tuple[str, int, Step | None] | None:
        """Take all steps from a state; return what is wrong, where, and by which last step."""
        state = self._states[number]
        for fault in state_faults(state, self._case):
            return fault, number, None
        for step in steps(state, self._case):
            self._transitions += 1
            try:
                after, answer = take(state, self._case, step)
            except ScriptError as error:
                return f"a script stops: {error}", number, step
            for fault in step_faults(state, step, after, answer, self._case):
                return fault, number, step
            other = self._number(after)
            if other == len(self._states):
                self._states.append(after)
                self._ways.append((number, step))
                self._back.append([])
            if step.ordinary and other != number:
                self._back[other].append(number)
        return None

    def _number(self, state: State) -> int:
        """Return the number of a state, which is the next one if none like it was reached before."""
        number = self._as_reached.get(state)
        if number is None:
            number = self._numbers.setdefault(canonical(state, self._case), len(self._states))
            self._as_reached[state] = number
        return number

    def _stuck(self) -> tuple[str, int, None]:
        """Look for the nearest state from which nothing but accidents leads to the end."""
        fine = bytearray(len(self._states))
        todo = [number for number, state in enumerate(self._states) if is_over(state)]
        for number in todo:
            fine[number] = True
        while todo:
            for other in self._back[todo.pop()]:
                if not fine[other]:
                    fine[other] = True
                    todo.append(other)
        stuck = fine.find(0)
        return ("", 0, None) if stuck < 0 else ("from here the jobs never end", stuck, None)

    def _found(self, fault: str = "", number: int = 0, step: Step | None = None) -> Found:
        trace = [f"and then: {step}"] if step else []
        while number:
            number, before = self._ways[number]
            trace.append(str(before))
        seconds = time.perf_counter() - self._began
        return Found(len(self._states), self._transitions, seconds, fault, tuple(reversed(trace)))


def canonical(state: State, case: Case) -> State:
    """Return the state with workers, and jobs that are alike, in one order: what holds for one holds for all."""
    one, other = state.workers
    if _sign(other) < _sign(one):
        state = _rename(state, {one.name: other.name, other.name: one.name})
    for alike in case.alike:
        order = sorted(alike, key=lambda job_id: _marks(state, job_id))
        if tuple(order) != alike:
            state = _reorder(state, dict(zip(order, alike, strict=True)))
    return state


def _sign(worker: Worker) -> tuple[object, ...]:
    return len(worker.tokens), worker.asking, sorted(token[:3] for token in worker.tokens)


def _marks(state: State, job_id: int) -> tuple[object, ...]:
    """Return all that tells a job from one that is like it, but for who has it."""
    job = state.jobs[job_id]
    return (
        job[:3],
        job[4:],
        [ids.index(job_id) if job_id in ids else -1 for _queue, ids in state.waiting],
        [runs for (_queue, other), runs in state.processing if other == job_id],
        sorted((worker.name, token[2]) for worker in state.workers for token in worker.tokens if token[0] == job_id),
        job_id in state.family.pending,
        job_id in state.family.known,
        job_id in state.copied,
        job.worker,
    )


def _rename(state: State, names: dict[str, str]) -> State:
    def name(old: str) -> str:
        return names.get(old, old)

    one, other = (
        Worker(name(worker.name), frozenset((*token[:3], name(token[3])) for token in worker.tokens), worker.asking)
        for worker in state.workers
    )
    return state._replace(
        jobs=tuple(job._replace(worker=name(job.worker)) for job in state.jobs),
        workers=(other, one),
        answers=tuple(
            sorted(
                ((name(who), queue), tuple((*token[:3], name(token[3])) for token in given))
                for (who, queue), given in state.answers
            )
        ),
    )


def _reorder(state: State, ids: dict[int, int]) -> State:
    def new(old: int) -> int:
        return ids.get(old, old)

    def places(found: tuple[tuple[tuple[str, int], bool], ...]) -> tuple[tuple[tuple[str, int], bool], ...]:
        return tuple(sorted(((queue, new(job_id)), more) for (queue, job_id), more in found))

    def many(old: frozenset[int]) -> frozenset[int]:
        return frozenset(map(new, old))

    family = state.family
    back = {value: key for key, value in ids.items()}
    return state._replace(
        jobs=tuple(state.jobs[back.get(number, number)] for number in range(len(state.jobs))),
        waiting=tuple((queue, tuple(map(new, waiting))) for queue, waiting in state.waiting),
        processing=places(state.processing),
        delayed=places(state.delayed),
        family=family._replace(pending=many(family.pending), known=many(family.known), listed=many(family.listed)),
        answers=tuple((who, tuple((new(token[0]), *token[1:]) for token in given)) for who, given in state.answers),
        workers=tuple(
            worker._replace(tokens=frozenset((new(token[0]), *token[1:]) for token in worker.tokens))
            for worker in state.workers
        ),
        copied=many(state.copied),
    )


def main(show: Callable[[str], object] = print) -> int:
    """Search all cases; return 1 where a fault was found."""
    began, states, transitions, bad = time.perf_counter(), 0, 0, False
    for case in CASES:
        found = search(case)
        show(f"{case.name}: {found}")
        states, transitions, bad = states + found.states, transitions + found.transitions, bad or bool(found.fault)
    show(f"{states:,} states, {transitions:,} transitions, {time.perf_counter() - began:.1f} s")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
