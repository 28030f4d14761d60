"""The small model is a model of the scripts: the same calls, in random order, leave the same state on a real server."""

from __future__ import annotations

import os
import random
from typing import Final

import pytest
from redis import Redis

from tests.faults.small_cases import ALL_AT_ONCE
from tests.faults.small_model import GONE, Job, State
from tests.faults.small_real_store import RealStore
from tests.faults.small_steps import Case, Step, steps, take
from tests.world import World

#: So many walks of so many steps through each case.
WALKS: Final = int(os.environ.get("FLOWS_TEST_EXAMPLES", "20"))
STEPS: Final = 40
#: So often a step is one that is no accident.
USUAL: Final = 0.88


def seen(state: State) -> State:
    """Return a state without what no reader of keys can tell: the fields of a hash that is gone."""
    return state._replace(jobs=tuple(Job(GONE) if job.status == GONE else job for job in state.jobs))


def one_of(possible: list[Step], choose: random.Random) -> Step | None:
    """Choose a step: seldom an accident, else each job would come to an early end."""
    ordinary = [step for step in possible if step.ordinary]
    if ordinary and choose.random() < USUAL:
        possible = ordinary
    kinds = sorted(
        {(step.script, *step.arguments[1:2]) if step.script == "end" else (step.script,) for step in possible}
    )
    if not kinds:
        return None
    script, *verb = choose.choice(kinds)
    return choose.choice(
        [step for step in possible if (step.script, *step.arguments[1 : 1 + len(verb)]) == (script, *verb)]
    )


@pytest.mark.parametrize("walk", range(WALKS))
@pytest.mark.parametrize("case", ALL_AT_ONCE, ids=lambda case: case.name.partition(":")[0])
def test_the_scripts_go_the_same_way(case: Case, walk: int, redis: Redis, namespace: str) -> None:
    """After each step of a random walk, the server holds what the model holds, and has answered the same."""
    world = World(redis, namespace, max_crashes=case.rules.max_crashes)
    real, state, choose = RealStore(world, case), case.start, random.Random(f"{case.name} {walk}")  # noqa: S311
    way: list[str] = []
    for _ in range(STEPS):
        step = one_of(list(steps(state, case)), choose)
        if step is None:
            break
        way.append(str(step))
        state, answer = take(state, case, step)
        found = real.take(step)
        assert found == answer, "\n".join(way)
        assert seen(real.state(state)) == seen(state), "\n".join(way)
