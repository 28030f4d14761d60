"""A few random loads of every kind of limiter, on the real scripts; `make rules` runs 500 of each."""

from __future__ import annotations

import pytest

from tests.faults.rules.loads import KINDS, make
from tests.faults.rules.ruled_world import RuledWorld
from tests.faults.rules.verdict import problems
from tests.world import World

#: Loads that have found a fault once: a job that was due in a queue whose shared slots others held.
FOUND = [("shared slots", 2011)]


@pytest.mark.parametrize(("kind", "seed"), [*((kind, seed) for kind in KINDS for seed in (1, 2)), *FOUND])
def test_nothing_is_over_or_late_or_lost(world: World, kind: str, seed: int) -> None:
    """No window, group or slot is ever over; nobody is late; the limit is used; each job is done once."""
    load = make(kind, seed)
    ruled = RuledWorld(world.redis, world.namespace, load.queues, lease_ms=load.lease)
    assert problems(ruled, load) == []
