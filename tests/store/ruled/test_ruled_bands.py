"""ruled/bands: priorities by shares, so that none of them waits for ever."""

from __future__ import annotations

import pytest
from redis import Redis

from tests.store.ruled.ruled_world import GROUP, Ruled


def counted(world: Ruled, want: int, turns: int) -> dict[str, int]:
    """Take turns, and return how many jobs of each priority came; an id begins with that."""
    counts: dict[str, int] = {}
    for _ in range(turns):
        for job_id in world.take(want).ids:
            counts[job_id[0]] = counts.get(job_id[0], 0) + 1
    return counts


@pytest.mark.parametrize("want", [100, 7, 1])
@pytest.mark.parametrize("group", [None, GROUP])
def test_priorities_get_what_their_shares_say(redis: Redis, namespace: str, want: int, group: str | None) -> None:
    """8 : 3 : 1, exactly, by turns of many jobs and by turns of one; with groups and without."""
    world = Ruled(redis, namespace, priorities=3, shares=(8.0, 3.0, 1.0), group=group)
    for band in (1, 2, 3):
        ids = [f"{band}-{number:03}" for number in range(160)]
        world.wait(*ids, priority=band, group="x" if group else None)
    counts = counted(world, want, 120 // want + 1)
    total = sum(counts.values())
    for band, share in (("1", 8), ("2", 3), ("3", 1)):
        assert abs(counts[band] - total * share / 12) <= 1, counts


def test_a_priority_that_comes_back_has_saved_nothing(redis: Redis, namespace: str) -> None:
    """It goes on at the present, however long it was empty."""
    world = Ruled(redis, namespace, priorities=2, shares=(1.0, 1.0))
    world.wait(*(f"1-{number:02}" for number in range(60)))
    assert world.take(40).left == 20
    world.wait(*(f"2-{number:02}" for number in range(60)), priority=2)
    counts = counted(world, 20, 1)
    assert counts in ({"1": 10, "2": 10}, {"1": 9, "2": 11})


def test_an_empty_priority_holds_nobody_up(redis: Redis, namespace: str) -> None:
    """Its share goes to the others."""
    world = Ruled(redis, namespace, priorities=3, shares=(100.0, 1.0, 1.0))
    world.wait(*(f"3-{number:02}" for number in range(30)), priority=3)
    assert counted(world, 30, 1) == {"3": 30}


def test_a_job_of_a_higher_cost_takes_more_of_its_priority(redis: Redis, namespace: str) -> None:
    """A start of cost 4 is as much as four of one."""
    world = Ruled(redis, namespace, priorities=2, shares=(1.0, 1.0))
    world.wait(*(f"1-{number:02}" for number in range(40)), cost=4)
    world.wait(*(f"2-{number:02}" for number in range(40)), priority=2)
    counts = counted(world, 25, 1)
    assert (counts["1"], counts["2"]) == (5, 20)


def test_a_job_of_a_lower_priority_than_there_are_is_one_of_the_last(redis: Redis, namespace: str) -> None:
    """Its priority may be from another queue."""
    world = Ruled(redis, namespace, priorities=2)
    world.wait("8", priority=8)
    world.wait("2", priority=2)
    world.wait("1")
    assert world.take().ids == ["1", "8", "2"]
