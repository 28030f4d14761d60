"""A few seeds of the rules' storm; `make rules` runs 1,000."""

from __future__ import annotations

import pytest

from tests.faults.rules.shared_world import world_of
from tests.faults.rules.storm import Storm, storm_load
from tests.world import World


@pytest.mark.parametrize("seed", range(3))
def test_all_that_is_kept_agrees_with_the_jobs(world: World, seed: int) -> None:
    """While limits change, jobs are moved or deleted, and workers die, nothing is over, left, or done twice."""
    load = storm_load(seed)
    assert Storm(world_of(world.redis, world.namespace, load), load).storm() == []
