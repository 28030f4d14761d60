"""drop_tasks: results and logs of tasks that are gone, as long as they are."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.store.trees.tree_world import DONE, ID, OK, TreeWorld


def seeded(trees: TreeWorld) -> TreeWorld:
    """Let two tasks have results and lines."""
    trees.create()
    trees.begin()
    trees.write("#.a", OK, "1", "#.b", OK, "2", end_record=DONE)
    for path in ("#.a", "#.b", "#.bb"):
        trees.run("log_task", '{"text":"x"}', '{"text":"y"}', path=path)
    return trees


def test_what_they_have_goes(trees: TreeWorld) -> None:
    """And nothing of the others."""
    seeded(trees)
    assert trees.run("drop_tasks", "#.b", "#.z", if_changed=1) == 2
    assert {*trees.hash("treeresults")} == {"#.a"}
    assert {*trees.hash("treelog")} == {"#.a", "#.a 1", "#.a 2", "#.bb", "#.bb 1", "#.bb 2"}


def test_with_another_tree_nothing_goes(trees: TreeWorld) -> None:
    """It may have the paths again: whoever comes late is done."""
    seeded(trees)
    before = trees.snapshot()
    assert trees.run("drop_tasks", "#.b", "#.z", if_changed=2) == 2
    assert trees.snapshot() == before


def test_long_logs_go_in_several_calls(trees: TreeWorld) -> None:
    """So that none takes long; those that are kept of a longer one are all that there is of it."""
    trees.create()
    paths = [f"#.t{at}" for at in range(7)]
    for path in paths:
        for _ in range(3):
            trees.run("log_task", *(['{"text":"x"}'] * 500), path=path)
    assert trees.run("drop_tasks", *paths, if_changed=1) == 5
    assert trees.run("drop_tasks", *paths[5:], if_changed=1) == 2
    assert trees.hash("treelog") == {}


@pytest.mark.parametrize("kind", ["tree", "treeresults", "treelog"])
def test_what_is_not_ours_stops_it(trees: TreeWorld, kind: str) -> None:
    """Before anything is written."""
    trees.create()
    trees.redis.delete(trees.key(kind, ID))
    trees.redis.rpush(trees.key(kind, ID), "not ours")
    before = trees.snapshot()
    with pytest.raises(ResponseError, match="FLOWSCONFLICT"):
        trees.run("drop_tasks", "#.b")
    assert trees.snapshot() == before
