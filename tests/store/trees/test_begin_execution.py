"""begin_execution: one at a time, of the revision that was seen."""

from __future__ import annotations

import pytest

from tests.store.trees.tree_world import DONE, ID, OK, PARTS, RUN, TreeWorld, begun
from tests.world import NOW


def test_it_writes_what_is_under_way(trees: TreeWorld) -> None:
    """Under the next revision, with its time; the index is told, and who watches looks."""
    trees.create()
    trees.now += 7
    with trees.told() as told:
        assert trees.begin() == ["begun", RUN, 2]
    found = trees.hash("tree")
    assert found["record"] == f'{{"status":"working","order":2,"run":"e1","started":{NOW + 7}}}'
    assert [found[name] for name in ("_order", "_run", "_path", "_fence", "shown", "changed")] == [
        "2", RUN, "#", "0", "2", "1",
    ]  # fmt: skip
    assert trees.due() == {ID: NOW + 7}
    assert told == [""]


def test_only_one_begins_and_once(trees: TreeWorld) -> None:
    """All else changes nothing."""
    assert trees.begin() == ["gone", "", 0]
    trees.create()
    assert trees.begin(if_revision=2) == ["moved", "", 1]
    assert trees.begin(tree_digest="other") == ["tree", "", 1]
    trees.begin()
    before = trees.snapshot()
    with trees.told() as told:
        assert trees.begin() == ["same", RUN, 2]
        assert trees.begin("e2", 2) == ["busy", RUN, 2]
    assert (trees.snapshot(), told) == (before, [])
    trees.write(end_record=DONE)
    assert trees.begin() == ["same", RUN, 3]
    assert trees.begin("e2", 3) == ["begun", "e2", 4]


def test_with_another_tree_records_go(trees: TreeWorld) -> None:
    """Of the paths that are gone, and of no others."""
    trees.create()
    trees.begin()
    trees.write("#.a", OK, "1", "#.b", OK, "2", "#.bb", OK, "", end_record=DONE)
    rest = begun("e2", 6, ["#.b", "#.z"], tree_digest="e", tree="[]")
    assert trees.run("begin_execution", *rest) == [["begun", "e2", 7]]
    assert {*trees.hash("treetasks")} == {"#.a", "#.bb"}
    assert (trees.hash("tree")["changed"], trees.hash("tree")["tree_digest"]) == ("7", "e")


def test_what_was_to_expire_stays(trees: TreeWorld) -> None:
    """All of it, and the key that it was created with."""
    trees.create(key="k")
    trees.begin()
    trees.write("#.a", OK, "1", end_record=DONE, ttl_ms=60_000)
    trees.run("log_task", '{"text":"x"}')
    lives = [trees.life(kind, ID) for kind in PARTS]
    assert all(0 < left <= 60_000 for left in [*lives, trees.life("treekey", "imports:k")])
    trees.begin("e2", 4)
    assert [trees.life(kind, ID) for kind in PARTS] == [-1] * 4
    assert trees.life("treekey", "imports:k") == -1


def test_many_begin_by_one_call(trees: TreeWorld) -> None:
    """Each for itself; the second one of the same instance is too late."""
    for name in ("a", "b"):
        trees.create(name)
    calls = [("a", "e1"), ("a", "e2"), ("b", "e3"), ("c", "e4"), ("a", "e1")]
    rest = [part for name, run in calls for part in begun(run, instance_id=name)]
    assert trees.run("begin_execution", *rest) == [
        ["begun", "e1", 2], ["busy", "e1", 2], ["begun", "e3", 2], ["gone", "", 0], ["same", "e1", 2]
    ]  # fmt: skip
    assert {name: trees.hash("tree", name)["_run"] for name in ("a", "b")} == {"a": "e1", "b": "e3"}


@pytest.mark.parametrize("kind", ["tree", "treetasks", "treedirty"])
def test_what_is_not_ours_stops_it(trees: TreeWorld, kind: str) -> None:
    """Before anything of it is written, and no other one; records are dropped only of another tree."""
    trees.create()
    place = trees.key(kind, "imports" if kind == "treedirty" else ID)
    trees.redis.delete(place)
    trees.redis.rpush(place, "not ours")
    before = trees.snapshot()
    first, last = trees.run("begin_execution", *begun(tree_digest="e", tree="[]"), *begun(instance_id="other"))
    assert (first[0], first[2], last) == ("conflict", 0, ["gone", "", 0])
    assert "holds a list where flows keeps" in first[1]
    assert trees.snapshot() == before


def test_what_is_not_ours_elsewhere_does_not_concern_it(trees: TreeWorld) -> None:
    """Results and logs are not touched."""
    trees.create()
    for kind in ("treetasks", "treeresults", "treelog"):
        trees.redis.rpush(trees.key(kind, ID), "not ours")
    assert trees.begin() == ["begun", RUN, 2]
