"""change_instance: of the revision that was seen, and the tree only while nothing is under way."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.store.trees.tree_world import DONE, ID, OK, PARTS, TreeWorld
from tests.world import NOW


def change(trees: TreeWorld, *rest: object, **named: object) -> list[object]:
    """Change the instance."""
    found: list[object] = trees.run("change_instance", *rest, **named)  # type: ignore[arg-type]
    return found


def test_fields_change_under_the_next_revision(trees: TreeWorld) -> None:
    """The index is told, and who watches looks."""
    trees.create()
    trees.now += 3
    with trees.told() as told:
        assert change(trees, 2, "name", "b") == ["changed", 2]
        assert trees.hash("tree")["changed"] == "1"
        assert change(trees, 2, "data", "{}", if_revision=2, is_of_tree=1, is_another_tree=1) == ["changed", 3]
    found = trees.hash("tree")
    assert [found[name] for name in ("name", "_order", "shown", "changed", "updated")] == [
        "b", "3", "3", "3", str(NOW + 3),
    ]  # fmt: skip
    assert (trees.due(), told) == ({ID: NOW + 3}, ["", ""])


def test_what_may_not_be_changed_is_not(trees: TreeWorld) -> None:
    """Another revision, a tree that is worked on, and what is gone."""
    assert change(trees, 2, "name", "b") == ["gone", 0]
    trees.create()
    assert change(trees, 2, "name", "b", if_revision=2) == ["moved", 1]
    trees.begin()
    before = trees.snapshot()
    assert change(trees, 2, "data", "{}", if_revision=2, is_of_tree=1) == ["busy", 2]
    assert change(trees, 2, "data", "{}", if_revision=1, is_of_tree=1) == ["moved", 2]
    assert trees.snapshot() == before
    assert change(trees, 2, "name", "b", if_revision=2) == ["changed", 3]
    trees.write(end_record=DONE)
    assert change(trees, 2, "data", "{}", if_revision=4, is_of_tree=1) == ["changed", 5]


def test_many_paths_go_with_the_tree(trees: TreeWorld) -> None:
    """As many as a tree may have, a part at a time."""
    trees.create()
    trees.begin()
    paths = [f"#.t{at}" for at in range(9_000)]
    for at in range(0, 9_000, 200):
        trees.write(*(part for path in paths[at : at + 200] for part in (path, OK, "1")))
    trees.write("#.kept", OK, "1", end_record=DONE)
    revision = int(trees.hash("tree")["_order"])
    change(trees, 2, "tree", "[]", *paths, if_revision=revision, is_of_tree=1, is_another_tree=1)
    assert {*trees.hash("treetasks")} == {"#.kept"}


def test_a_change_of_nothing_is_a_revision(trees: TreeWorld) -> None:
    """Whoever asks for it gets one."""
    trees.create()
    assert change(trees, 0) == ["changed", 2]


def test_what_is_sent_twice_is_done_once(trees: TreeWorld) -> None:
    """It answers the same."""
    trees.create()
    call = trees.settings.new_call()
    assert [change(trees, 2, "name", "b", call=call) for _ in range(2)] == [["changed", 2]] * 2
    assert trees.hash("tree")["_order"] == "2"


@pytest.mark.parametrize("kind", [*PARTS, "treedirty"])
def test_what_is_not_ours_stops_it(trees: TreeWorld, kind: str) -> None:
    """Before anything is written."""
    trees.create()
    trees.redis.delete(trees.key(kind, "imports" if kind == "treedirty" else ID))
    trees.redis.rpush(trees.key(kind, "imports" if kind == "treedirty" else ID), "not ours")
    before = trees.snapshot()
    with pytest.raises(ResponseError, match="FLOWSCONFLICT"):
        change(trees, 2, "name", "b")
    assert trees.snapshot() == before
