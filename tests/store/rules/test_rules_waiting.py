"""Views of queues with rules: where a job stands among those that go before it, and what the queue holds."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from flows.model.limits.rules import Rules
from flows.store.views.observe import _state
from tests.store.rules.ruled_world import ruled_world
from tests.world import NOW, QUEUES, World


@pytest.fixture
def world(redis: Redis, namespace: str) -> World:
    """Make a world in which `pick` and `pack` have rules."""
    return ruled_world(redis, namespace)


def position(world: World, job_id: str) -> tuple[int, bool, int]:
    """Return how many go before a job, whether that is exact, and its place in its group, or -1."""
    ahead, exact, _due, in_group = world.run("position", *QUEUES, id=job_id)
    return ahead, bool(exact), in_group


def test_jobs_of_higher_priorities_go_before(world: World) -> None:
    """Exactly, where the queue has no groups: all of theirs, and those before it with its own."""
    world.seed(
        jobs={"shop:5": {"_status": "waiting", "_queue": "pack", "_priority": "2"}},
        waiting={"pack": ["1", "2", "3"], "pack/2": ["4", "5", "6"]},
    )
    assert position(world, "5") == (4, True, -1)


def test_each_group_may_go_before_as_often_as_its_own_jobs(world: World) -> None:
    """At most: the third of one group, with three groups beside, one of which is parked, and those of priority 1."""
    groups = {"7": ["a", "b", "c", "d"], "8": ["e"] * 9, "9": ["f"] * 9, "10": ["g"] * 9}
    world.seed(
        jobs={"shop:c": {"_priority": "2", "user": "7"}},
        waiting={"pick": ["1", "2"]},
        group={f"pick/2/{group}": ids for group, ids in groups.items()},
        ring={"pick/2": {"7": 0, "8": 0, "9": 0}, "pick/1": {"7": 0}},
        parked={"pick": {"2/10": NOW + 9}},
        fair={"pick": {"n1": "3", "n2": "31"}},
    )
    assert position(world, "c") == (2 + 3 + 3 * 4 - 1, False, 2)
    world.redis.hset(world.key("fair", "pick"), "n2", 8)
    assert position(world, "c") == (2 + 3 + 7, False, 2), "not more than there are"


def test_a_job_that_an_older_worker_has_put_into_the_first_list_is_found_there(world: World) -> None:
    """It is not said to stand nowhere."""
    world.seed(jobs={"shop:c": {"_priority": "2", "user": "7"}}, waiting={"pick": ["1", "c"]})
    assert position(world, "c")[0] >= 1


def test_a_job_that_stands_nowhere_has_no_position(world: World) -> None:
    """As in a queue without rules."""
    world.seed(jobs={"shop:c": {"_priority": "2", "user": "7"}}, group={"pick/1/7": ["c"]})
    assert position(world, "c") == (-1, True, -1)


def test_priorities_with_shares_make_an_estimate(redis: Redis, namespace: str) -> None:
    """Of twelve starts eight are of the first, one of the last: so many go before, but not more than there are."""
    world = ruled_world(redis, namespace, pick=Rules(priorities=3, shares=(8.0, 3.0, 1.0)))
    world.seed(jobs={"shop:c": {"_priority": "3"}}, waiting={"pick": ["x"] * 100, "pick/3": ["a", "b", "c"]})
    assert position(world, "c") == (2 * 12, False, -1)
    world.redis.ltrim(world.key("waiting", "pick"), 0, 3)
    assert position(world, "c") == (6, False, -1)


def test_explain_says_how_many_go_before_and_where_it_stands_in_its_group(world: World) -> None:
    """About so many, where groups take their turns; not that it stands in no list."""
    world.seed(
        jobs={"shop:c": {"user": "7"}},
        group={"pick/1/7": ["a", "c"], "pick/1/8": ["b"]},
        ring={"pick/1": {"7": 0, "8": 0}},
        fair={"pick": {"n1": "3"}},
    )
    _now, told = world.run("explain", *QUEUES, id="c")
    facts = dict(told)
    assert (facts["about"], facts["in_group"], facts["queue"]) == (2, 1, "pick")
    assert not {"ahead", "unlisted"} & facts.keys()


def states(world: World, *queues: str) -> list[Any]:
    """Return the states of queues, as programs see them."""
    now, rows = world.run("observe", *queues)
    texts = [[part.encode() if isinstance(part, str) else part for part in row] for row in rows]
    for row in texts:
        row[-2:] = [[part.encode() if isinstance(part, str) else part for part in more] for more in row[-2:]]
    return [_state(now, row) for row in texts]


def test_what_a_queue_holds_counts_all_its_lists(world: World) -> None:
    """By priority, in how many groups, and how many of them are parked; the oldest job stands in any of them."""
    old, older = (f"0000000{n}-0000-7000-8000-000000000000" for n in (2, 1))
    world.now = 0x3_0000_0000
    world.seed(
        jobs={f"shop:{old}": {"a": "1"}, f"shop:{older}": {"user": "7"}},
        waiting={"pick": [old], "pick/3": ["2", "3"]},
        group={"pick/1/7": [older], "pick/2/8": ["a", "b", "c", "d"]},
        ring={"pick/1": {"7": 0, "": 3}},
        parked={"pick": {"2/8": NOW + 9}},
        fair={"pick": {"n1": "1", "n2": "4", "n3": "-2"}},
        meta={"pick": {"stale": "1", "held": str(world.now + 9), "rules": "3 user"}},
    )
    pick, pack, ship = states(world, "pick", "pack", "ship")
    assert (pick.waiting, pick.by_priority, pick.groups, pick.parked) == (8 - 1, (2, 4, 2), 2, 1)
    assert pick.oldest_age is not None
    assert pick.oldest_age.total_seconds() * 1000 == 0x3_0000_0000 - 0x1_0000
    world.redis.hset(world.key("jobs", "shop:oldest"), mapping={"_status": "waiting", "_queue": "pick"})
    world.redis.hset(world.key("jobs", "shop:oldest"), "_attempt", "1 w1 0 1 0 7 -")
    world.redis.lpush(world.key("waiting", "pick"), "oldest")
    [pick] = states(world, "pick")
    assert pick.oldest_age is not None
    assert pick.oldest_age.total_seconds() * 1000 == 0x3_0000_0000 - 7
    assert pick.held_until is not None
    assert pick.counts == {}
    assert (pack.waiting, pack.by_priority, pack.groups) == (0, (0, 0), 0)
    assert (ship.by_priority, ship.held_until) == ((), None)


def test_a_hold_that_is_over_is_none(world: World) -> None:
    """It stays in the hash until the next one."""
    world.seed(meta={"pick": {"held": str(NOW)}})
    assert states(world, "pick")[0].held_until is None


def test_keys_that_hold_something_else_count_as_nothing(world: World) -> None:
    """The rest is told all the same."""
    for kind, name in (("ring", "pick/1"), ("parked", "pick"), ("fair", "pick"), ("waiting", "pick/2")):
        world.redis.set(world.key(kind, name), "something")
    world.seed(waiting={"pick": ["1"], "pick/3": ["2"]})
    [pick] = states(world, "pick")
    assert (pick.waiting, pick.by_priority, pick.groups, pick.parked) == (2, (1, 0, 1), 0, 0)


def test_queues_that_are_declared_no_more_are_found_by_all_their_lists(world: World) -> None:
    """Their layouts are known from the server."""
    world.seed(queues={"shop": {"pick": "first"}}, waiting={"pick/2": ["1"]}, fair={"pick": {"n1": "4"}})
    assert world.run("undeclared", "ship") == [["pick", 5, 0, 0, 0]]


def test_a_job_that_was_never_claimed_is_located_in_its_own_list(world: World) -> None:
    """Of several queues that were the first one, that in which it stands; the longest is not searched."""
    world.seed(
        queues={"shop": {"pick": "first", "pack": "first"}},
        jobs={"shop:1": {"_priority": "2", "user": "7"}, "shop:2": {"user": "7"}},
        waiting={"pack": ["x", "y", "z", "2"]},
        group={"pick/2/7": ["1"]},
        fair={"pick": {"n2": "1"}},
    )
    assert world.run("locate", "1", "2") == ["pick", "pack"]


@pytest.mark.parametrize("parked", [False, True])
def test_a_former_name_is_drained_of_all_its_lists(*, parked: bool, world: World) -> None:
    """Each job goes where its own priority and group in the new queue are; what was counted is counted off."""
    ids = [f"{n}" for n in range(7)]
    groups = {"pick/1/7": ids[2:5], "pick/3/8": ids[5:]}
    taking_part = {"pick/1": {"9": 0} | ({} if parked else {"7": 5}), "pick/3": {"": 0} | ({} if parked else {"8": 1})}
    world.seed(
        jobs={f"shop:{n}": {"_priority": "2"} for n in ids},
        waiting={"pick": ids[:1], "pick/2": ids[1:2]},
        group=groups,
        ring=taking_part,
        parked={"pick": {"1/7": NOW + 9, "3/8": NOW + 9}} if parked else {},
        fair={"pick": {"n1": "3", "n3": "2"}},
        meta={"pick": {"owner": "shop"}},
        queues={"shop": {"pick": "first"}},
    )
    moved = left = 0
    for _ in range(9):
        some, left = world.run("drain", queue="pack", former="pick")
        moved += some
        if not left:
            break
    found = world.snapshot()
    assert (moved, left) == (7, 0)
    assert sorted(found["waiting"]["pack/2"]) == ids
    assert {kind: found.get(kind, {}) for kind in ("group", "fair")} == {
        "group": {},
        "fair": {"pick": {"n1": "0", "n3": "0"}},
    }
