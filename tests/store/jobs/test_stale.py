"""`stale` in a queue's meta: how many ids stand in its waiting list whose jobs wait there no more.

A list that is long is not searched when a job is taken out of it. Its depth is its length less `stale`, at any time.
"""

from __future__ import annotations

import pytest

from tests.balanced import BalancedWorld, search_short_lists_only
from tests.world import World, await_children

IDS = ("1", "2", "3", "4")


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch) -> BalancedWorld:
    """Let four jobs wait in a list that is too long to be searched."""
    search_short_lists_only(monkeypatch, 3)
    counting = BalancedWorld(world.redis, world.namespace)
    counting.seed(jobs={f"shop:{job_id}": {"a": "1"} for job_id in IDS}, waiting={"pick": [*IDS]})
    return counting


def meta(world: World, queue: str = "pick") -> dict[str, int]:
    """Return what a queue counts, but what is 0."""
    found: dict[str, str] = world.redis.hgetall(world.keys.meta(queue))
    return {name: int(count) for name, count in found.items() if name != "owner" and int(count)}


def depth(world: World, queue: str = "pick") -> int:
    """Return how many jobs wait, as everyone reads it."""
    length: int = world.redis.llen(world.keys.waiting(queue))  # type: ignore[assignment]
    return length - meta(world, queue).get("stale", 0)


@pytest.mark.parametrize(("script", "counted"), [("cancel", "cancelled"), ("delete", "deleted"), ("move", "moved_out")])
def test_what_leaves_a_long_list_is_counted_as_stale_until_it_is_dropped(
    world: BalancedWorld, script: str, counted: str
) -> None:
    """The depth is right at once; the claim that drops the id counts nothing that was counted before."""
    world.run(script, id="2", **{"cancel": {"reason": "why"}, "move": {"target": "ship"}}.get(script, {}))
    assert (meta(world), depth(world)) == ({counted: 1, "stale": 1}, 3)
    assert [job.id for job in world.claim(4)] == ["1", "3", "4"]
    assert (meta(world), depth(world)) == ({counted: 1}, 0)


def test_what_leaves_a_short_list_is_not_stale(world: BalancedWorld) -> None:
    """Its id is taken out."""
    world.claim(1)
    world.run("cancel", id="3", reason="why")
    assert (meta(world), depth(world)) == ({"cancelled": 1}, 2)


def test_a_job_that_is_retried_while_its_old_id_still_stands(world: BalancedWorld) -> None:
    """It stands twice, waits once, and is given out once: at the place of its old id."""
    world.run("cancel", id="2", reason="why")
    world.run("retry_job", id="2")
    assert depth(world) == 4
    assert [job.id for job in world.claim(9)] == [*IDS]
    assert (meta(world), depth(world)) == ({"cancelled": 1, "retry_job": 1}, 0)


def test_an_id_that_is_left_twice_counts_twice(world: BalancedWorld) -> None:
    """However often it is dropped, nothing of it is counted as misplaced."""
    for _ in range(2):
        world.run("cancel", id="2", reason="why")
        world.run("retry_job", id="2")
    world.run("cancel", id="2", reason="why")
    assert (depth(world), world.redis.hgetall(world.keys.stale("pick"))) == (3, {"2": "3"})
    assert [job.id for job in world.claim(9)] == ["1", "3", "4"]
    assert meta(world) == {"cancelled": 3, "retry_job": 2}
    assert not world.redis.exists(world.keys.stale("pick"))


def test_a_key_of_another_type_hinders_nobody(world: BalancedWorld) -> None:
    """What leaves the list then is dropped as whatever it looks like."""
    world.redis.set(world.keys.stale("pick"), "nonsense")
    plain = World(world.redis, world.namespace)
    assert plain.run("cancel", id="2", reason="why") == ["cancelled", 0]
    assert plain.turn(want=9).ids == ["1", "3", "4"]
    assert meta(world) == {"cancelled": 1, "misplaced": 1}


def test_both_ids_of_a_job_are_taken_out_of_a_list_that_has_become_short(world: BalancedWorld) -> None:
    """The old one is not stale any more."""
    world.run("cancel", id="4", reason="why")
    world.run("retry_job", id="4")
    world.claim(3)
    world.run("cancel", id="4", reason="why")
    assert (meta(world), depth(world)) == ({"cancelled": 2, "retry_job": 1}, 0)


def test_a_job_that_expires_beside_stale_ids_is_counted_in_the_end(world: BalancedWorld) -> None:
    """A claim cannot tell which of two ids is whose; when both are dropped, one has expired."""
    world.run("delete", id="3")
    world.redis.delete(world.key("jobs", "shop:2"))
    assert [job.id for job in world.claim(9)] == ["1", "4"]
    assert (meta(world), depth(world)) == ({"deleted": 1, "expired": 1}, 0)


def test_stale_ids_of_a_former_queue_do_not_come_along(world: BalancedWorld) -> None:
    """They are dropped where they stand, and what comes is counted as moved."""
    world.run("cancel", id="2", reason="why")
    for place in (world.keys.waiting, world.keys.stale):
        world.redis.rename(place("pick"), place("ship"))
    for job_id in ("1", "3", "4"):
        world.redis.hset(world.key("jobs", f"shop:{job_id}"), mapping={"_status": "waiting", "_queue": "ship"})
    world.redis.hset(world.keys.meta("ship"), mapping={"owner": "shop", "stale": 1})
    world.redis.delete(world.keys.meta("pick"))
    World.run(world, "drain", former="ship")
    assert (meta(world, "ship"), depth(world, "ship")) == ({"moved_out": 3}, 0)
    assert (meta(world), depth(world)) == ({"moved_in": 3}, 3)


def test_children_that_are_cancelled_in_a_long_list_are_stale(world: BalancedWorld) -> None:
    """Those that a cancelled parent leaves behind, too."""
    [parent] = world.claim(1, queue="pick")
    world.report(await_children(parent.id, parent.fence, tuple(("box", f"c{n}") for n in range(20))))
    world.run("cancel", id=parent.id, reason="why")
    world.run("cascade", parent=f"shop:{parent.id}")
    assert (meta(world, "pick:box"), depth(world, "pick:box")) == ({"cancelled": 20, "stale": 20}, 0)
