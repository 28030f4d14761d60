"""expire: an id whose hash is gone is dropped when its turn comes, and a parent hears of it."""

from __future__ import annotations

from tests.world import NOW, World, processing


def test_drops_and_counts_ids_whose_job_has_expired(world: World) -> None:
    """Nothing is written to a hash that is gone; the next job is claimed in the same turn."""
    world.seed(jobs={"shop:3": {"a": "1"}}, waiting={"pick": ["1", "2", "3", "4"]})
    answer = world.turn(want=1)
    assert (answer.ids, answer.left) == (["3"], 1)
    found = world.snapshot()
    assert (list(found["jobs"]), found["waiting"]) == (["shop:3"], {"pick": ["4"]})
    assert found["meta"] == {"pick": {"expired": "2"}}


def test_a_parent_hears_of_a_child_that_is_gone(world: World) -> None:
    """The map beside the hash knows the parent, which sees the child as expired and goes on."""
    jobs = f'["{world.namespace}job:pack:box:1"]'
    parent = {
        **processing("pack"),
        "_status": "children",
        "_policy": "continue",
        "_next": "ship",
        "children:pack:jobs": jobs,
    }
    world.seed(
        jobs={"shop:9": parent},
        children={"pack": {"9": NOW}},
        pending={"shop:9": {"1"}},
        parents={"pack:box": {"1": "shop:9"}},
        waiting={"pack:box": ["1"]},
    )
    assert world.turn(want=1, queue="pack:box").claimed == []
    found = world.snapshot()
    assert found["waiting"] == {"ship": ["9"]}
    assert found["jobs"]["shop:9"]["children:pack:results"] == '{"box":[{"id":"1","status":"expired"}]}'
    assert found["meta"] == {"pack:box": {"expired": "1"}}
    assert {"pending", "parents", "children"}.isdisjoint(found)


def test_an_id_without_a_parent_writes_nothing_but_the_count(world: World) -> None:
    """Of an unknown child nothing is made up."""
    world.seed(waiting={"pack:box": ["1", "1"]})
    world.turn(want=1, queue="pack:box")
    assert world.snapshot() == {"meta": {"pack:box": {"expired": "2"}}}
