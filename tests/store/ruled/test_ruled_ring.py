"""ruled/ring: groups take turns by their shares, however many they are, and those that may not are parked."""

from __future__ import annotations

from collections import Counter

import pytest
from redis import Redis

from flows import Limiter
from tests.store.ruled.ruled_world import GROUP, Ruled


@pytest.fixture
def world(redis: Redis, namespace: str) -> Ruled:
    """A queue with groups."""
    return Ruled(redis, namespace, group=GROUP)


def taken(world: Ruled, want: int, turns: int) -> Counter[str]:
    """Take turns, and return how many jobs of each group came; an id begins with the group."""
    return Counter(job_id.partition("-")[0] for _ in range(turns) for job_id in world.take(want).ids)


def fill(world: Ruled, count: int, *groups: str) -> None:
    """Let so many jobs of each group wait, one group after the other."""
    for group in groups:
        world.wait(*(f"{group}-{number:03}" for number in range(count)), group=group)


@pytest.mark.parametrize("want", [1, 7, 100])
def test_a_group_of_many_does_not_hold_up_the_others(world: Ruled, want: int) -> None:
    """The three of few are done when each group has had its turns."""
    fill(world, 300, "big")
    fill(world, 20, "a", "b", "c")
    counts = taken(world, want, 84 // want + 1)
    assert counts["a"] + counts["b"] + counts["c"] == 60


@pytest.mark.parametrize("want", [1, 100])
def test_groups_get_what_their_shares_say(world: Ruled, want: int) -> None:
    """1 : 2 : 5, within one job; a share that is none counts as 1."""
    fill(world, 200, "a", "b", "c", "d", "e")
    world.redis.hset(world.key("shares", "pick"), mapping={'"b"': 2, '"c"': 5, '"d"': "x", '"e"': 0})
    counts = taken(world, want, 180 if want == 1 else 2)
    total = sum(counts.values())
    for group, share in (("a", 1), ("b", 2), ("c", 5), ("d", 1), ("e", 1)):
        assert abs(counts[group] - total * share / 10) <= 2, counts


def test_shares_of_another_type_count_as_one(world: Ruled) -> None:
    """They cannot be read."""
    world.redis.set(world.key("shares", "pick"), "x")
    fill(world, 10, "a", "b")
    assert taken(world, 10, 1) == {"a": 5, "b": 5}


def test_more_groups_than_are_read_at_once_all_have_their_turn(world: Ruled) -> None:
    """250 groups of two: each one has one job claimed before any has two."""
    for number in range(250):
        world.wait(f"{number}-1", f"{number}-2", group=f"{number:03}")
    first = [job_id for _ in range(25) for job_id in world.take(10).ids]
    assert (len(first), {job_id.partition("-")[2] for job_id in first}) == (250, {"1"})
    second = [job_id for _ in range(25) for job_id in world.take(100).ids]
    assert (len(second), {job_id.partition("-")[2] for job_id in second}) == (250, {"2"})
    assert "ring" not in world.snapshot()


def test_a_group_that_comes_back_has_the_present_time(world: Ruled) -> None:
    """It has saved no turns while it was away."""
    fill(world, 100, "a")
    assert len(world.take(60).ids) == 60
    fill(world, 100, "b")
    counts = taken(world, 20, 1)
    assert counts in ({"a": 10, "b": 10}, {"a": 9, "b": 11})


def test_who_sends_one_job_at_a_time_does_not_win_by_that(world: Ruled) -> None:
    """An emptied group stays in the ring until its turn has come."""
    fill(world, 60, "a")
    claimed = 0
    for number in range(40):
        world.wait(f"one-{number:03}", group="one")
        [job_id] = world.take(1).ids
        claimed += job_id.startswith("one")
    assert claimed in {20, 21}


@pytest.mark.parametrize("want", [1, 9])
def test_jobs_of_no_group_take_turns_as_one(world: Ruled, want: int) -> None:
    """With the others."""
    fill(world, 10, "a", "b")
    world.wait(*(f"none-{number}" for number in range(10)))
    assert taken(world, want, 9 // want) == {"a": 3, "b": 3, "none": 3}


def test_a_group_has_its_turn_until_a_job_of_it_starts(world: Ruled) -> None:
    """An id without a job is none."""
    fill(world, 2, "a", "b")
    world.redis.delete(world.keys.job("shop", "a-000"))
    assert world.take().ids == ["a-001", "b-000", "b-001"]


def test_a_group_has_no_second_turn_before_those_that_were_not_read_yet(world: Ruled) -> None:
    """Four are read at once, of which three turn out to be empty."""
    fill(world, 2, "a", "e")
    world.redis.zadd(world.key("ring", "pick/1"), {f'"{group}"': 0 for group in "bcd"})
    assert world.take(4).ids == ["a-000", "e-000", "a-001", "e-001"]


def test_a_group_that_takes_part_gains_nothing_by_being_parked(world: Ruled) -> None:
    """It has been both, and keeps its time; what is parked and is no group of a priority is taken out."""
    fill(world, 2, "a", "b")
    world.redis.zadd(world.key("ring", "pick/1"), {'"a"': 5})
    world.redis.zadd(world.key("parked", "pick"), {'1/"a"': 0, "nonsense": 0})
    assert world.take().ids == ["b-000", "b-001", "a-000", "a-001"]
    assert "parked" not in world.snapshot()


def test_a_job_of_a_higher_cost_takes_more_of_its_group(world: Ruled) -> None:
    """As many turns as its cost says."""
    world.wait(*(f"a-{number}" for number in range(10)), group="a", cost=3)
    fill(world, 20, "b")
    assert taken(world, 12, 1) == {"a": 3, "b": 9}


def test_priority_goes_before_fairness(redis: Redis, namespace: str) -> None:
    """Groups take turns within a priority."""
    world = Ruled(redis, namespace, group=GROUP, priorities=2)
    world.wait("a-1", "a-2", group="a")
    world.wait("b-1", group="b", priority=2)
    world.wait("c-1", group="c")
    turn = world.take()
    assert (turn.ids, turn.left) == (["a-1", "c-1", "a-2", "b-1"], 0)


def test_a_group_is_parked_with_each_of_its_priorities(redis: Redis, namespace: str) -> None:
    """And comes back with each; nothing is left parked or in the ring."""
    world = Ruled(redis, namespace, Limiter(1, 1.0, group_key=GROUP), group=GROUP, priorities=2)
    world.wait("a-1", "a-2", group="a")
    world.wait("a-3", group="a", priority=2)
    assert world.take().ids == ["a-1"]
    assert world.snapshot()["parked"]["pick"].keys() == {'1/"a"', '2/"a"'}
    assert "ring" not in world.snapshot()
    world.now += 1_001
    assert world.take().ids == ["a-2"]
    world.now += 1_001
    assert world.take().ids == ["a-3"]
    world.now += 1_001
    world.take()
    assert {"parked", "ring", "group"}.isdisjoint(world.snapshot())


def test_many_parked_groups_come_back_by_the_hundred(redis: Redis, namespace: str) -> None:
    """And the turn after that is told at once."""
    world = Ruled(redis, namespace, Limiter(1, 1.0, group_key=GROUP), group=GROUP)
    for number in range(150):
        world.wait(f"{number}-1", f"{number}-2", group=f"{number:03}")
    assert sum(len(world.take(100).ids) for _ in range(3)) == 150
    assert len(world.snapshot()["parked"]["pick"]) == 150
    world.now += 1_001
    first = world.take(200)
    assert (len(first.ids), first.left, first.due) == (100, 0, 1)
    assert len(world.take(200).ids) == 50


def test_a_thousand_groups_that_may_not_start_are_parked_by_a_turn(redis: Redis, namespace: str) -> None:
    """A turn is bounded: the next one goes on, and it is told that there is more."""
    world = Ruled(redis, namespace, group=GROUP, slots_per_group=1)
    names = [f'"{number:04}"' for number in range(1_200)]
    with world.redis.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.rpush(world.key("group", f"pick/1/{name}"), f"job{name}")
        pipeline.hset(world.key("load", "pick"), mapping=dict.fromkeys(names, 1))
        pipeline.hset(world.key("fair", "pick"), "n1", len(names))
        pipeline.zadd(world.key("ring", "pick/1"), dict.fromkeys(names, 0))
        pipeline.execute()
    first = world.take()
    assert (first.ids, first.left) == ([], 1_200)
    assert world.redis.zcard(world.key("parked", "pick")) == 1_000
    second = world.take()
    assert (second.left, second.due, world.redis.zcard(world.key("parked", "pick"))) == (0, 0, 1_200)


@pytest.mark.parametrize("first", ['"a"', ""])
def test_what_a_turn_has_put_meanwhile_is_not_undone(redis: Redis, namespace: str, first: str) -> None:
    """A group without jobs leaves the ring, but not where a job is moved to it before or after its turn comes."""
    world = Ruled(redis, namespace, group=GROUP)
    world.redis.hset(world.keys.job("shop", "a-2"), mapping={"a": "1", GROUP: '"a"'})
    world.redis.rpush(world.keys.waiting("pick"), "a-2")
    world.redis.zadd(world.key("ring", "pick/1"), {'"a"': 2, "": 2, first: 1, '"b"': 0})
    found = world.take(5).ids
    assert world.redis.zscore(world.key("ring", "pick/1"), '"b"') is None  # no job was put there
    assert [*found, *world.take(5).ids] == ["a-2"]
    world.take()
    assert {"ring", "group"}.isdisjoint(world.snapshot())


def test_a_turn_that_has_put_a_job_where_the_only_group_had_left_takes_none_out(world: Ruled) -> None:
    """Nothing else leaves: the other jobs of no group go on."""
    world.redis.hset(world.keys.job("shop", "a-1"), mapping={"a": "1", GROUP: '"a"'})
    world.redis.hset(world.keys.job("shop", "2"), "a", "1")
    world.redis.rpush(world.keys.waiting("pick"), "a-1", "2")
    world.redis.zadd(world.key("ring", "pick/1"), {'"a"': 1, "": 2})
    assert (world.take(1).ids, world.take(1).ids) == (["2"], ["a-1"])
