"""create_instance: once by its id, and once by its key."""

from __future__ import annotations

import pytest

from tests.store.trees.tree_world import ID, TreeWorld, created
from tests.world import NOW


def test_it_stands_at_revision_one_and_is_due_for_the_index(trees: TreeWorld) -> None:
    """By the server's clock, and its app is known."""
    assert trees.create() == ID
    found = trees.hash("tree")
    assert {name: found[name] for name in ("_order", "changed", "shown", "created", "updated", "app")} == {
        "_order": "1", "changed": "1", "shown": "1", "created": str(NOW), "updated": str(NOW), "app": "imports",
    }  # fmt: skip
    assert trees.due() == {ID: NOW}
    assert trees.hash("treeapps", "") == {"imports": str(NOW)}


def test_what_is_there_is_left_alone(trees: TreeWorld) -> None:
    """By its id, or by its key."""
    trees.create(key="k")
    before = trees.snapshot()
    trees.now += 5
    assert trees.create(key="k") == ID
    assert trees.create("other", key="k") == ID
    assert trees.create() == ID
    assert trees.snapshot() == before


def test_the_key_of_one_that_is_gone_is_free(trees: TreeWorld) -> None:
    """Also where its holder was left behind."""
    trees.create(key="k")
    trees.redis.delete(trees.trees.tree(ID))
    assert trees.create("other", key="k") == "other"
    assert trees.redis.get(trees.trees.holder("imports", "k")) == "other"


@pytest.mark.parametrize("kind", ["tree", "treekey", "treedirty", "treeapps"])
def test_what_is_not_ours_stops_it(trees: TreeWorld, kind: str) -> None:
    """Before anything of it is written."""
    name = {"tree": ID, "treekey": "imports:k", "treedirty": "imports", "treeapps": ""}[kind]
    trees.redis.rpush(trees.key(kind, name), "not ours")
    before = trees.snapshot()
    assert "holds a list where flows keeps" in trees.create(key="k")
    assert trees.snapshot() == before


def test_many_are_created_by_one_call(trees: TreeWorld) -> None:
    """Each for itself; of two with one key the first; what is wrong with one concerns no other."""
    trees.redis.rpush(trees.key("tree", "b"), "not ours")
    fields = ["app", "imports"]
    calls = [("a", "k"), ("b", ""), ("c", "k"), ("d", ""), ("d", "")]
    answers = trees.run("create_instance", *(part for name, key in calls for part in created(fields, name, key)))
    assert [word for word, _ in answers] == ["there", "conflict", "there", "there", "there"]
    assert [about for word, about in answers if word == "there"] == ["a", "a", "d", "d"]
    assert trees.due() == {"a": NOW, "d": NOW}
