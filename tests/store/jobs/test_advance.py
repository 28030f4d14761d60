"""advance: a job goes on to another queue."""

from __future__ import annotations

import pytest

from tests.world import NOW, TTL, World, advance, line, processing


def test_passes_the_job_on_with_what_the_function_returned(world: World) -> None:
    """The job waits at the end of the other queue: a new visit, its attempts counted anew, its fence kept."""
    mine = processing(a="1", _fence="4", _attempts="3", _visit="1", _rescues="1")
    world.seed(jobs={"shop:1": mine}, processing={"pick": {"1": NOW + 9}}, waiting={"pack": ["7"]})
    assert world.report(advance("1", 4, b="2")) == ["ok"]
    after = mine | {"b": "2", "_status": "waiting", "_queue": "pack", "_attempts": "0", "_visit": "2"}
    del after["_rescues"]
    assert world.snapshot() == {"jobs": {"shop:1": after}, "waiting": {"pack": ["7", "1"]}}


def test_what_was_tried_again_tells_of_its_success(world: World) -> None:
    """A job that has a history gets a line for the attempt that succeeded."""
    before = line("retry")
    world.seed(
        jobs={"shop:1": processing(_fence="2", _attempts="2", _history=before)}, processing={"pick": {"1": NOW + 9}}
    )
    world.report(advance("1", 2))
    assert world.job("shop:1")["_history"].split("\n") == [before, line("advance", 2)]


def test_the_same_queue_can_be_the_next_one(world: World) -> None:
    """A queue may send a job to itself: it goes to the end and no lease stays."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9}}, waiting={"pick": ["7"]})
    assert world.report(advance("1", to="pick")) == ["ok"]
    found = world.snapshot()
    assert (found["waiting"], "processing" in found) == ({"pick": ["7", "1"]}, False)


@pytest.mark.parametrize("left", [TTL // 2, -1], ids=["a TTL", "no TTL"])
def test_gives_the_job_its_time_anew(world: World, left: int) -> None:
    """The TTL runs from the last activity, and the lookup lists live longer than the hash."""
    world.seed(jobs={"shop:1": processing(_lookups="user:7")}, lookups={"shop:user:7": ["1"]})
    if left > 0:
        world.redis.pexpire(world.key("jobs", "shop:1"), left)
        world.redis.pexpire(world.key("lookups", "shop:user:7"), left)
    world.report(advance("1"))
    assert world.lives("jobs", "shop:1", TTL)
    assert left < 0 or world.lives("lookups", "shop:user:7", TTL)


def test_a_job_without_a_ttl_gets_none(world: World) -> None:
    """With `job_ttl=None` a job on its way does not expire."""
    world.seed(jobs={"shop:1": processing(_lookups="user:7")}, lookups={"shop:user:7": ["1"]})
    world.redis.persist(world.key("jobs", "shop:1"))
    world.report(advance("1"), ttl=0)
    assert (world.life("jobs", "shop:1"), world.life("lookups", "shop:user:7")) == (-1, -1)


def test_another_key_in_the_place_of_the_bell_hinders_nothing(world: World) -> None:
    """It is only a hint: the job waits in its next queue, though nobody can be woken."""
    world.seed(jobs={"shop:1": processing()})
    world.redis.set(world.key("wake", "pack"), "not ours")
    assert world.report(advance("1")) == ["ok"]
    assert world.snapshot()["waiting"] == {"pack": ["1"]}
