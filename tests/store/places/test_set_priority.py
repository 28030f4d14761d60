"""set_priority: a job that waits or is delayed gets another priority."""

from __future__ import annotations

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from tests.store.rules.ruled_world import ruled_world
from tests.world import NOW, World, processing


def set_priority(world: World, priority: int) -> str:
    """Call the script for the job 1."""
    word: str = world.run("set_priority", id="1", priority=priority)
    return word


def priority(world: World) -> str | None:
    """Return what the hash says."""
    found: str | None = world.redis.hget(world.key("jobs", "shop:1"), "_priority")
    return found


def test_the_hash_says_the_priority(world: World) -> None:
    """But not the first one, which most jobs have."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    assert set_priority(world, 1) == "same"
    assert (set_priority(world, 3), priority(world)) == ("set", "3")
    assert set_priority(world, 3) == "same"
    assert (set_priority(world, 1), priority(world)) == ("set", None)


def test_where_a_queue_has_no_priorities_the_job_keeps_its_place(world: World) -> None:
    """It waits in the same list as before."""
    world.seed(
        jobs={f"shop:{n}": {"a": "1"} for n in (1, 2, 3)},
        waiting={"pick": ["3", "1", "2"]},
    )
    assert set_priority(world, 2) == "set"
    assert world.redis.lrange(world.keys.waiting("pick"), 0, -1) == ["3", "1", "2"]


def test_a_delayed_job_keeps_its_time(world: World) -> None:
    """It is placed by its priority when it is due."""
    arguments = ["1", "", 2, "a", "1"]
    assert world.run("create", *arguments, delay_ms=5, until_ms=-1, lookup_ttl=1_000) == [["created"]]
    assert (set_priority(world, 2), priority(world)) == ("set", "2")
    assert world.redis.zrange(world.keys.delayed("pick"), 0, -1, withscores=True) == [("1", NOW + 5)]


@pytest.mark.parametrize("state", ["processing", "children", "done", "failed", "cancelled"])
def test_a_job_that_has_started_keeps_its_priority(world: World, state: str) -> None:
    """Its children may have inherited it already."""
    world.seed_damaged(jobs={"shop:1": processing() | {"_status": state}})
    assert (set_priority(world, 2), priority(world)) == (state, None)


def test_a_job_that_is_gone_does_not_come_back(world: World) -> None:
    """Nor is something else at its key touched."""
    assert set_priority(world, 2) == "gone"
    world.redis.set(world.key("jobs", "shop:1"), "not ours")
    assert set_priority(world, 2) == "gone"
    assert world.redis.get(world.key("jobs", "shop:1")) == "not ours"


def test_a_list_of_another_type_is_named(world: World) -> None:
    """Before anything is written."""
    world.seed(jobs={"shop:1": {"a": "1"}})
    world.redis.set(world.keys.waiting("pick"), "not ours")
    with pytest.raises(ResponseError, match=r"FLOWSCONFLICT .* holds a string"):
        set_priority(world, 2)
    assert priority(world) is None


def test_a_job_goes_to_the_list_of_its_priority(redis: Redis, namespace: str) -> None:
    """Behind those that wait there, out of the old one, in the queue in which it waits now."""
    world = ruled_world(redis, namespace)
    for job_id, fields in (("1", {}), ("2", {"_priority": "2"})):
        world.redis.hset(world.key("jobs", f"shop:{job_id}"), mapping={"a": "1", "_queue": "pack", **fields})
    world.redis.hset(world.key("jobs", "shop:1"), "_status", "waiting")
    world.redis.rpush(world.keys.waiting("pack"), "1")
    world.redis.rpush(world.keys.waiting("pack", 2), "2")
    assert set_priority(world, 2) == "set"
    assert world.redis.lrange(world.keys.waiting("pack"), 0, -1) == []
    assert world.redis.lrange(world.keys.waiting("pack", 2), 0, -1) == ["2", "1"]
    assert world.redis.exists(world.key("wake", "pack")) == 1
    assert set_priority(world, 8) == "set"
    assert world.redis.lrange(world.keys.waiting("pack", 2), 0, -1) == ["2", "1"]  # it is among the last already
    assert set_priority(world, 1) == "set"
    assert world.redis.lrange(world.keys.waiting("pack"), 0, -1) == ["1"]
