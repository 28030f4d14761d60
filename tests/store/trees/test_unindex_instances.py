"""unindex_instances: what is taken out stands nowhere any more."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.store.trees.tree_world import TreeWorld


def test_what_is_taken_out_stands_in_no_list(trees: TreeWorld) -> None:
    """What was not in it is passed over; the others stay."""
    trees.run("index_instances", "1", 5, "imports", "acme", "1", "{}", "2", 1, "imports", "acme", "", "[]")
    assert trees.run("unindex_instances", "1", "nobody") == 1
    assert trees.hash("treerows", "") == {"2": "1\nimports\nacme\n[]"}
    assert trees.snapshot()["trees"] == {"imports": {"2": 0}, "imports:acme": {"2": 0}}
    assert "treesworking" not in trees.snapshot()


@pytest.mark.parametrize(
    ("kind", "name"), [("trees", "imports"), ("trees", "imports:acme"), ("treesworking", "imports")]
)
def test_a_list_that_is_not_ours_hinders_nothing(trees: TreeWorld, kind: str, name: str) -> None:
    """The row goes all the same."""
    trees.run("index_instances", "1", 5, "imports", "acme", "1", "{}")
    trees.redis.set(trees.key(kind, name), "not ours")
    assert trees.run("unindex_instances", "1") == 1
    assert trees.hash("treerows", "") == {}


def test_rows_that_are_not_ours_stop_it(trees: TreeWorld) -> None:
    """Before anything is written."""
    trees.redis.rpush(trees.trees.rows(), "not ours")
    with pytest.raises(ResponseError, match="FLOWSCONFLICT"):
        trees.run("unindex_instances", "1")
