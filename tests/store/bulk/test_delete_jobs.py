"""delete_jobs: many jobs and everything of them are removed, as `delete` removes one."""

from __future__ import annotations

import pytest

from tests.balanced import BalancedWorld
from tests.store.bulk.kinds import same_as_single
from tests.world import NOW, World, processing

IDS = [f"{number:03}" for number in range(45)]


def test_each_is_deleted_as_one_alone(world: World) -> None:
    """Of each kind of job the same becomes, and the same is answered; the children of a parent are handed over."""
    words, names = same_as_single(world, "delete", "delete_jobs")
    assert words.count("deleted") == 11
    assert words.count("gone") == 3
    assert names == [f"{world.namespace}job:pack:box:c"]


@pytest.mark.parametrize("step", [1, 2, 9, 20], ids=["side by side", "apart", "few", "very few"])
def test_nothing_of_them_stays(world: World, step: int) -> None:
    """Neither in the waiting list nor in their lookup lists, in which others stay; these are looked at again later."""
    counting = BalancedWorld(world.redis, world.namespace)
    lists = {"shop:user:7": IDS, "shop:user:8": ["0", *IDS[::-1], "1"]}
    counting.seed(
        jobs={f"shop:{job_id}": {"a": "1", "_lookups": "user:7\nuser:8"} for job_id in IDS},
        waiting={"pick": IDS},
        lookups=lists,
    )
    gone = IDS[3::step]
    words, _names, _errors = counting.run("delete_jobs", *gone)
    assert words == ["deleted"] * len(gone)
    found = world.snapshot(unseen=frozenset({"call"}))
    assert found["lookups"] == {name: [i for i in ids if i not in gone] for name, ids in lists.items()}
    assert found["waiting"] == {"pick": [job_id for job_id in IDS if job_id not in gone]}
    assert set(found["prune"]["shop"]) == {"user:7", "user:8"}


def test_a_lookup_list_that_is_empty_is_not_looked_at_again(world: World) -> None:
    """There is nothing left in it."""
    world.seed(
        jobs={f"shop:{job_id}": {"_status": "cancelled", "_lookups": "user:7"} for job_id in IDS[:20]},
        lookups={"shop:user:7": IDS[:20]},
    )
    world.run("delete_jobs", *IDS[:20])
    assert world.snapshot(unseen=frozenset({"call", "ended", "meta"})) == {}


def test_one_call_searches_only_so_much(world: World) -> None:
    """Each job stands in long lists of its own: the rest of the ids is left to the next call."""
    others = [f"other{number}" for number in range(9_000)]
    ids = [f"{number:03}" for number in range(90)]
    jobs = {f"shop:{job_id}": {"_status": "cancelled", "_lookups": f"user:{job_id}"} for job_id in ids}
    world.seed(jobs=jobs, lookups={f"shop:user:{job_id}": [*others, job_id] for job_id in ids})
    calls = 0
    while ids:
        words, _names, _errors = world.run("delete_jobs", *ids)
        done = words.count("deleted")
        assert words == ["deleted"] * done + ["later"] * (len(ids) - done)
        assert 0 < done <= 80
        ids, calls = ids[done:], calls + 1
    assert calls > 1
    assert "jobs" not in world.snapshot()


def test_one_call_hands_over_only_so_many_children(world: World) -> None:
    """A parent of very many takes a call for itself."""
    of = [f"{world.namespace}job:pack:box:{number}" for number in range(12_000)]
    keys = "[" + ",".join(f'"{key}"' for key in of) + "]"
    parent = {**processing("pack"), "_status": "children", "children:pack:jobs": keys}
    world.seed(jobs={"shop:1": parent, "shop:2": parent}, children={"pack": {"1": NOW, "2": NOW}})
    words, names, _errors = world.run("delete_jobs", "1", "2")
    assert (words, names) == (["deleted", "later"], of)
    assert world.run("delete_jobs", "2")[1] == of


def test_children_settle_with_their_parents(world: World) -> None:
    """A parent whose last children are deleted goes on."""
    counting = BalancedWorld(world.redis, world.namespace)
    parent = processing("pack", _status="children", _policy="continue", _next="ship")
    counting.seed(
        jobs={"shop:9": parent, "pack:box:1": {"_parent": "shop:9"}, "pack:box:2": {"_parent": "shop:9"}},
        children={"pack": {"9": NOW}},
        pending={"shop:9": {"1", "2", "3"}},
        parents={"pack:box": dict.fromkeys("123", "shop:9")},
        waiting={"pack:box": ["1", "2"]},
    )
    words, _names, _errors = counting.run("delete_jobs", *"123", flow="pack:box", first="pack:box")
    assert words == ["deleted", "deleted", "gone"]
    assert world.snapshot()["waiting"] == {"ship": ["9"]}
