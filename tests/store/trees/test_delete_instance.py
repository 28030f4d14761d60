"""delete_instance: all that it has goes in one step."""

from __future__ import annotations

from tests.store.trees.tree_world import ID, OK, TreeWorld
from tests.world import NOW


def test_nothing_is_left_but_that_the_index_is_to_be_told(trees: TreeWorld) -> None:
    """Also the key that it was created with; what another one has stays."""
    trees.create(key="k")
    trees.create("other")
    trees.begin()
    trees.write("#.a", OK, "1")
    trees.run("log_task", '{"text":"x"}')
    trees.now += 4
    with trees.told() as told:
        assert trees.run("delete_instance") == "deleted"
        assert trees.run("delete_instance") == "gone"
    found = trees.snapshot()
    assert {kind: [*names] for kind, names in found.items()} == {
        "tree": ["other"], "treedirty": ["imports"], "treeapps": [""],
    }  # fmt: skip
    assert (trees.due(), told) == ({ID: NOW + 4, "other": NOW}, [""])


def test_what_is_sent_twice_answers_the_same(trees: TreeWorld) -> None:
    """The caller is told that it was there."""
    trees.create()
    call = trees.settings.new_call()
    assert [trees.run("delete_instance", call=call) for _ in range(2)] == ["deleted", "deleted"]


def test_a_key_that_another_one_has_by_now_stays(trees: TreeWorld) -> None:
    """It was taken when this one was to expire, perhaps."""
    trees.create(key="k")
    trees.redis.set(trees.trees.holder("imports", "k"), "other")
    trees.run("delete_instance")
    assert trees.redis.get(trees.trees.holder("imports", "k")) == "other"


def test_a_key_that_is_not_ours_hinders_nothing(trees: TreeWorld) -> None:
    """It stays where it is."""
    trees.create(key="k")
    trees.redis.delete(trees.trees.holder("imports", "k"))
    trees.redis.rpush(trees.trees.holder("imports", "k"), "not ours")
    assert trees.run("delete_instance") == "deleted"
    assert trees.redis.llen(trees.trees.holder("imports", "k")) == 1
