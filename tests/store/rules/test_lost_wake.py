"""rules/lost_wake: a rescuer wakes a worker for what waits, unless that can start nothing."""

from __future__ import annotations

import pytest
from redis import Redis

from flows.model.limits.rules import Rules
from flows.model.runs.run_rules import RunRules
from tests.store.ruled.ruled_world import Ruled
from tests.store.runs.run_world import RunWorld, run
from tests.world import NOW, World


def woken_by_rescuer(world: World, queue: str = "pick") -> bool:
    """Look for leases that are over, and say whether a worker was woken."""
    world.redis.delete(world.keys.wake(queue))
    world.run("rescue", queue=queue)
    return bool(world.redis.exists(world.keys.wake(queue)))


@pytest.mark.parametrize("shared", [None, "all"])
def test_none_is_woken_where_no_slot_is_free(redis: Redis, namespace: str, shared: str | None) -> None:
    """Whatever number of slots was set meanwhile."""
    world = Ruled(redis, namespace, slots=2, shared_slots=shared)
    assert not woken_by_rescuer(world)
    world.wait(*"123")
    world.take(1)
    assert woken_by_rescuer(world)
    world.take(1, worker_id="w2")
    assert not woken_by_rescuer(world)
    key = world.key("sharing", "all") if shared else world.key("fair", "pick")
    world.redis.hset(key, "" if shared else "slots", 3)
    assert woken_by_rescuer(world)


def test_limits_and_groups_keep_nobody_asleep(redis: Redis, namespace: str) -> None:
    """Only slots are looked at here."""
    world = Ruled(redis, namespace, priorities=2)
    world.wait("1")
    assert woken_by_rescuer(world)


def test_a_run_that_has_kept_its_slot_needs_none(redis: Redis, namespace: str) -> None:
    """It is claimed though no other one could be."""
    rules = Rules(slots=1, shared_slots="@order")
    runs = RunWorld(redis, namespace, rules=RunRules({"order": rules}))
    runs.start(run("1"), run("2"))
    runs.claim(queue="order")
    runs.suspend("1", due_ms=NOW + 99, keeps_slot=True)
    assert not woken_by_rescuer(runs, "order")
    runs.run("cancel", id="1", first="order", reason="")
    assert woken_by_rescuer(runs, "order")
    runs.start(run("3", undo=True))
    [claimed] = runs.claim(queue="order")
    runs.report(["finish", claimed.id, str(claimed.fence), "3", "", "output", "1"], queue="order")
    runs.claim(queue="order")
    runs.suspend("3", due_ms=NOW + 99, keeps_slot=True)
    runs.start(run("4"))
    assert not woken_by_rescuer(runs, "order")
    runs.run("cancel", id="3", first="order", reason="")
    assert woken_by_rescuer(runs, "order")
    assert [job.id for job in runs.claim(queue="order")] == ["3"]
