"""move_jobs: many jobs are moved to another queue, each as `move` moves one."""

from __future__ import annotations

import pytest

from tests.balanced import BalancedWorld, search_short_lists_only
from tests.store.bulk.kinds import same_as_single
from tests.world import World

IDS = [f"{number:03}" for number in range(45)]


def test_each_is_moved_as_one_alone(world: World) -> None:
    """Of each kind of job the same becomes, and the same is answered."""
    words, names = same_as_single(world, "move", "move_jobs", target="ship")
    assert words.count("moved") == 7
    assert {"gone", "there", "cancelling", "processing", "children", "done"} < set(words)
    assert names == []


def test_children_stay_in_their_queues(world: World) -> None:
    """As where one is asked for."""
    world.seed(jobs={"pack:box:c": {"a": "1"}}, waiting={"pack:box": ["c"]})
    named = {"flow": "pack:box", "first": "pack:box", "target": "ship"}
    assert world.run("move_jobs", "c", **named) == [["child"], [], []]
    assert world.snapshot()["waiting"] == {"pack:box": ["c"]}


@pytest.mark.parametrize("length", [10_000, 10], ids=["a short list", "a long list"])
@pytest.mark.parametrize("step", [1, 2], ids=["side by side", "apart"])
def test_many_leave_one_list(world: World, monkeypatch: pytest.MonkeyPatch, length: int, step: int) -> None:
    """They come to the other queue in the order in which they were given; a long list keeps their ids, as stale."""
    if length == 10:
        search_short_lists_only(monkeypatch, length)
    counting = BalancedWorld(world.redis, world.namespace)
    counting.seed(jobs={f"shop:{job_id}": {"a": "1"} for job_id in IDS}, waiting={"pick": IDS})
    moved = IDS[3::step]
    words, _names, _errors = counting.run("move_jobs", *moved, target="ship")
    assert words == ["moved"] * len(moved)
    waiting = world.snapshot()["waiting"]
    assert waiting["ship"] == moved
    assert waiting["pick"] == (IDS if length == 10 else [job_id for job_id in IDS if job_id not in moved])
    assert len(counting.claim(99)) == len(IDS) - len(moved)


def test_an_error_is_one_jobs_own(world: World) -> None:
    """A key that is not ours stands where one job waits; the others are moved."""
    world.seed(
        jobs={"shop:1": {"a": "1"}, "shop:2": {"_status": "delayed", "_queue": "pack"}, "shop:3": {"a": "1"}},
        waiting={"pick": ["1", "3"]},
    )
    world.redis.set(world.key("delayed", "pack"), "theirs")
    words, _names, errors = world.run("move_jobs", "1", "2", "3", target="ship")
    assert words == ["moved", "error", "moved"]
    assert f"FLOWSCONFLICT {world.key('delayed', 'pack')} holds a string" in errors[0]
    assert world.snapshot()["waiting"] == {"ship": ["1", "3"]}
    assert world.job("shop:2")["_status"] == "delayed"
