"""begin_execution: one at a time, of the revision that was seen."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.store.trees.tree_world import DONE, ID, OK, PARTS, RUN, TreeWorld
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
    answer = trees.run(
        "begin_execution", 4, "tree", "[]", "tree_digest", "e", "#.b", "#.z",
        execution="e2", if_revision=6, tree_digest="e", is_another_tree=1,
    )  # fmt: skip
    assert answer == ["begun", "e2", 7]
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


@pytest.mark.parametrize("kind", [*PARTS, "treedirty"])
def test_what_is_not_ours_stops_it(trees: TreeWorld, kind: str) -> None:
    """Before anything is written."""
    trees.create()
    trees.redis.delete(trees.key(kind, "imports" if kind == "treedirty" else ID))
    trees.redis.rpush(trees.key(kind, "imports" if kind == "treedirty" else ID), "not ours")
    before = trees.snapshot()
    with pytest.raises(ResponseError, match="FLOWSCONFLICT"):
        trees.begin()
    assert trees.snapshot() == before
