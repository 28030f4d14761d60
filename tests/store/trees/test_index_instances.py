"""index_instances: rows by id, which stand in the lists of their app and realm."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.store.trees.tree_world import TreeWorld


def test_a_row_stands_in_the_lists_of_its_app_and_realm(trees: TreeWorld) -> None:
    """The last of its revisions, in whatever order they come."""
    assert trees.run("index_instances", "1", 5, "imports", "acme", "", "{}", "2", 1, "imports", "", "1", "[]") == 2
    old, same = ("1", 4, "imports", "other", "1", "old"), ("1", 5, "imports", "other", "1", "same")
    assert trees.run("index_instances", *old, *same) == 0
    assert trees.hash("treerows", "") == {"1": "5\nimports\nacme\n{}", "2": "1\nimports\n\n[]"}
    found = trees.snapshot()["trees"]
    assert found == {"imports": {"1": 0, "2": 0}, "imports:acme": {"1": 0}, "imports:": {"2": 0}}
    assert trees.snapshot()["treesworking"] == {"imports": {"2": 0}}


def test_what_is_worked_on_no_more_leaves_their_list(trees: TreeWorld) -> None:
    """With the row that says so."""
    trees.run("index_instances", "1", 5, "imports", "", "1", "{}")
    assert trees.snapshot()["treesworking"] == {"imports": {"1": 0}}
    trees.run("index_instances", "1", 6, "imports", "", "", "{}")
    assert "treesworking" not in trees.snapshot()


def test_a_row_leaves_the_lists_where_it_stood(trees: TreeWorld) -> None:
    """When its realm is another one, or its app."""
    trees.run("index_instances", "1", 5, "imports", "acme", "1", "{}")
    assert trees.run("index_instances", "1", 6, "imports", "other", "1", "{}") == 1
    assert trees.snapshot()["trees"] == {"imports": {"1": 0}, "imports:other": {"1": 0}}
    assert trees.run("index_instances", "1", 7, "exports", "other", "1", "{}") == 1
    assert trees.snapshot()["trees"] == {"exports": {"1": 0}, "exports:other": {"1": 0}}
    assert trees.snapshot()["treesworking"] == {"exports": {"1": 0}}


@pytest.mark.parametrize(
    ("kind", "name"), [("treerows", ""), ("trees", "imports"), ("trees", "imports:acme"), ("treesworking", "imports")]
)
def test_what_is_not_ours_stops_it(trees: TreeWorld, kind: str, name: str) -> None:
    """Before anything is written."""
    trees.redis.rpush(trees.key(kind, name), "not ours")
    before = trees.snapshot()
    with pytest.raises(ResponseError, match="FLOWSCONFLICT"):
        trees.run("index_instances", "0", 1, "imports", "", "", "{}", "1", 5, "imports", "acme", "", "{}")
    assert trees.snapshot() == before
