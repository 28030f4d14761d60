"""Random structures of gather, wait, TaskGroup and timeouts, with a death after each write: `races.py` has more."""

from __future__ import annotations

import pytest

from tests.workflow.steps.races import run_seed


@pytest.mark.parametrize("seeds", [range(6), (54, 211, 956)])  # and those that told of faults once
def test_a_run_goes_the_same_way_after_each_death(seeds: list[int]) -> None:
    """Whatever was given or decided before a write that stands is given and decided again, in the same order."""
    assert [fault for seed in seeds for fault in run_seed(seed)] == []
