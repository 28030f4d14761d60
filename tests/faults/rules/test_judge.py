"""The runs and their judges, over queues in plain Python: nothing is found, or a guard is missed."""

from __future__ import annotations

import pytest

from tests.faults.rules.loads import KINDS, make
from tests.faults.rules.model_world import GUARDS, ModelWorld
from tests.faults.rules.verdict import problems

SEEDS = range(4)


def judged(kind: str, seed: int, without: str = "") -> list[str]:
    """Return what is wrong with one run."""
    load = make(kind, seed)
    return problems(ModelWorld(load.queues, without, load.lease), load)


@pytest.mark.parametrize("kind", KINDS)
def test_an_exact_queue_is_not_found_guilty(kind: str) -> None:
    """Neither the loads nor the judges ask for what cannot be."""
    assert {seed: found for seed in SEEDS if (found := judged(kind, seed))} == {}


@pytest.mark.parametrize("guard", sorted(GUARDS))
def test_each_guard_is_missed(guard: str) -> None:
    """Some run of some kind shows that it is gone."""
    assert any(judged(kind, seed, guard) for kind in KINDS for seed in range(6))
