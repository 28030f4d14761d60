"""Jobs that wait in a queue with rules are taken out of the lists in which they stand, or left there as stale."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis

from flows.model.limits.rules import Rules
from tests.balanced import search_short_lists_only
from tests.store.rules.ruled_world import ruled_world
from tests.world import NOW, World, processing

#: The rules of a child queue.
BOXES = Rules(priorities=2, group="user")
GROUPED = {"_priority": "2", "user": "7"}


@pytest.fixture
def world(redis: Redis, namespace: str) -> World:
    """Make a world in which `pick` and `pack` have rules."""
    return ruled_world(redis, namespace)


def cancelled(world: World) -> None:
    """Cancel it."""
    assert world.run("cancel", id="1", reason="why")[0] == "cancelled"


def deleted(world: World) -> None:
    """Delete it."""
    assert world.run("delete", id="1")[0] == "deleted"


def moved(world: World) -> None:
    """Move it to a queue without rules."""
    assert world.run("move", id="1", target="ship") == "moved"


WAYS: list[Callable[[World], None]] = [cancelled, deleted, moved]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_it_leaves_the_list_of_its_group(way: Callable[[World], None], world: World) -> None:
    """And is counted there no more; the group leaves the ring when its turn comes."""
    world.seed(
        jobs={"shop:1": GROUPED},
        group={"pick/2/7": ["0", "1", "2"], "pick/1/7": ["1"]},
        fair={"pick": {"n2": "3", "n1": "1"}},
        ring={"pick/2": {"7": 4}},
    )
    way(world)
    found = world.snapshot()
    assert found["group"] == {"pick/2/7": ["0", "2"], "pick/1/7": ["1"]}
    assert (found["fair"], found["ring"]) == ({"pick": {"n2": "2", "n1": "1"}}, {"pick/2": {"7": 4}})


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_it_leaves_the_list_of_its_priority(way: Callable[[World], None], world: World) -> None:
    """Nothing is counted for a list of no group."""
    world.seed(jobs={"shop:1": {"_priority": "2"}}, waiting={"pick/2": ["0", "1"], "pick": ["2"]})
    way(world)
    assert {name: ids for name, ids in world.snapshot()["waiting"].items() if name != "ship"} == {
        "pick/2": ["0"],
        "pick": ["2"],
    }
    assert "fair" not in world.snapshot()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_it_leaves_the_list_into_which_an_older_worker_has_put_it(way: Callable[[World], None], world: World) -> None:
    """One that knows no rules: the job stands in no list of its own."""
    world.seed(jobs={"shop:1": GROUPED}, waiting={"pick": ["0", "1"]}, group={"pick/2/7": ["2"]})
    way(world)
    assert world.snapshot()["waiting"]["pick"] == ["0"]
    assert world.snapshot()["group"] == {"pick/2/7": ["2"]}
    assert "fair" not in world.snapshot()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_long_list_is_not_searched(
    way: Callable[[World], None], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The id stays, and is counted as stale, once; nor is it looked for in another list."""
    search_short_lists_only(monkeypatch, 2)
    world.seed(
        jobs={"shop:1": GROUPED},
        group={"pick/2/7": ["1", "2", "3"]},
        fair={"pick": {"n2": "3"}},
        waiting={"pick": ["1"]},
    )
    way(world)
    found = world.snapshot(counts=True)
    assert (found["stale"], found["meta"]["pick"]["stale"]) == ({"pick": {"1": "1"}}, "1")
    assert (found["group"], found["fair"]) == ({"pick/2/7": ["1", "2", "3"]}, {"pick": {"n2": "3"}})
    assert found["waiting"]["pick"] == ["1"]


def test_a_long_first_list_is_not_searched_for_what_an_older_worker_may_have_put_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id that may not stand there is not counted as one that does."""
    search_short_lists_only(monkeypatch, 2)
    world.seed(jobs={"shop:1": GROUPED}, waiting={"pick": ["0", "8", "9"]})
    cancelled(world)
    assert "stale" not in world.snapshot(counts=True)


def test_an_id_that_stands_twice_is_cut_out_twice(world: World) -> None:
    """Both are counted off the group's, and the one that was left there is stale no more."""
    world.seed(
        jobs={"shop:1": GROUPED},
        group={"pick/2/7": ["1", "2", "1"]},
        fair={"pick": {"n2": "3"}},
        stale={"pick": {"1": "1"}},
        meta={"pick": {"stale": "1"}},
    )
    cancelled(world)
    found = world.snapshot(counts=True)
    assert (found["group"], found["fair"], found["meta"]["pick"]["stale"]) == (
        {"pick/2/7": ["2"]},
        {"pick": {"n2": "1"}},
        "0",
    )
    assert "stale" not in found


def test_a_job_that_stands_nowhere_is_ended_all_the_same(world: World) -> None:
    """Nothing is counted below what there is."""
    world.seed(jobs={"shop:1": GROUPED}, fair={"pick": {"n2": "0"}})
    cancelled(world)
    assert world.snapshot()["fair"] == {"pick": {"n2": "0"}}


@pytest.mark.parametrize("children", [3, 40])
def test_children_of_a_cancelled_parent_leave_the_lists_of_their_groups(
    children: int, redis: Redis, namespace: str
) -> None:
    """Many at once, from the list of each group, and from those of the plain queue beside."""
    world = ruled_world(redis, namespace, **{"pack:box": BOXES})
    ids = [f"c{number}" for number in range(children)]
    names = [f"pack:box:{child}" for child in ids] + ["pack:label:l"]
    parent = processing("pack", _status="children")
    parent["children:pack:jobs"] = "[" + ",".join(f'"{world.key("jobs", name)}"' for name in names) + "]"
    groups = {f"pack:box/1/{group}": [child for child in ids if int(child[1:]) % 3 == group] for group in range(3)}
    world.seed(
        jobs={"shop:9": parent, "pack:label:l": {"_parent": "shop:9"}}
        | {f"pack:box:{child}": {"_parent": "shop:9", "user": str(int(child[1:]) % 3)} for child in ids},
        children={"pack": {"9": NOW}},
        pending={"shop:9": {*ids, "l"}},
        group={name: [*members, "other"] for name, members in groups.items()},
        fair={"pack:box": {"n1": str(children + 3)}},
        waiting={"pack:label": ["l", "other"]},
    )
    world.run("cancel", id="9", reason="why")
    assert world.run("cascade", parent="shop:9")[2] == children + 1
    found = world.snapshot()
    assert found["group"] == {name: ["other"] for name in groups}
    assert (found["fair"], found["waiting"]) == ({"pack:box": {"n1": "3"}}, {"pack:label": ["other"]})


def family(world: World, **more: dict[str, Any]) -> None:
    """Let a parent that was cancelled have a child `l` in the plain queue and `b` in `pack:box`, which has rules."""
    parent = processing("pack", _status="children")
    names = ["pack:box:b", "pack:label:l"]
    parent["children:pack:jobs"] = "[" + ",".join(f'"{world.key("jobs", name)}"' for name in names) + "]"
    world.seed(
        jobs={"shop:9": parent, "pack:label:l": {"_parent": "shop:9"}, "pack:box:b": {"_parent": "shop:9", **GROUPED}},
        children={"pack": {"9": NOW}},
        pending={"shop:9": {"b", "l"}},
        group={"pack:box/2/7": ["b"]},
        waiting={"pack:label": ["l"], **more.pop("waiting", {})},
        **more,
    )
    world.run("cancel", id="9", reason="why")


def cascades(world: World) -> list[int]:
    """Call `cascade` until nothing is left; how many each call has cancelled."""
    counts: list[int] = []
    goes_on = 1
    while goes_on:
        _parent, goes_on, count, _parents = world.run("cascade", parent="shop:9")
        counts.append(count)
        assert count, "each call cancels some"
    return counts


@pytest.mark.parametrize(
    ("counted", "calls"),
    [
        ({"n1": "0", "n2": "1"}, [2]),
        ({"n1": "9999", "n2": "1"}, [1, 1]),
        ({"n1": "1", "n2": "9999"}, [1, 1]),
        ({"n1": "50000", "n2": "1"}, [1, 1]),
        ({"n1": "?", "n2": "?"}, [2]),
    ],
    ids=["short", "long first", "long second", "over what is searched", "edited"],
)
def test_long_lists_of_groups_are_searched_by_calls_of_their_own(
    redis: Redis, namespace: str, counted: dict[str, str], calls: list[int]
) -> None:
    """As many ids as the groups of all priorities have, which are counted; any number of them comes to an end."""
    world = ruled_world(redis, namespace, **{"pack:box": BOXES})
    family(world, fair={"pack:box": counted})
    assert cascades(world) == calls


@pytest.mark.parametrize("place", ["pack:box", "pack:box/2"])
def test_so_are_long_lists_of_no_group(redis: Redis, namespace: str, place: str) -> None:
    """Of each priority."""
    world = ruled_world(redis, namespace, **{"pack:box": BOXES})
    family(world, waiting={place: ["x"] * 10_000}, fair={"pack:box": {"n1": "0", "n2": "1"}})
    assert cascades(world) == [1, 1]


def test_what_else_stands_where_groups_are_counted_hinders_nothing(redis: Redis, namespace: str) -> None:
    """It counts as no ids."""
    world = ruled_world(redis, namespace, **{"pack:box": BOXES})
    family(world)
    redis.set(world.key("fair", "pack:box"), "?")
    assert cascades(world) == [2]
