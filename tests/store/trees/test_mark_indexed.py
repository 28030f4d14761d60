"""mark_indexed: what the index knows is not told again, and what it does not know is."""

from __future__ import annotations

from typing import Any

import pytest
from redis.exceptions import ResponseError

from tests.store.trees.tree_world import DONE, ID, OK, TreeWorld
from tests.world import SLOW


def test_what_is_known_is_due_no_more(trees: TreeWorld) -> None:
    """By the revision of its row: records of tasks do not count."""
    trees.create()
    trees.begin()
    trees.write("#.a", OK, "1")
    assert trees.run("mark_indexed", ID, 2) == 0
    assert trees.due() == {}


def test_what_has_changed_meanwhile_is_due_again(trees: TreeWorld) -> None:
    """Also where another one has said already that it is known, or where it is gone."""
    trees.create()
    trees.begin()
    trees.redis.delete(trees.trees.outbox("imports"))
    trees.now += 5
    assert trees.run("mark_indexed", ID, 1, "gone", 7, "never", 0) == 2
    assert trees.due() == {ID: trees.now, "gone": trees.now}


def test_what_will_expire_is_due_when_it_has(trees: TreeWorld) -> None:
    """The index is told of that too."""
    trees.create()
    trees.begin()
    trees.write(end_record=DONE, ttl_ms=600_000)
    assert trees.run("mark_indexed", ID, 3) == 0
    assert trees.now + 600_000 - SLOW < trees.due()[ID] <= trees.now + 600_001
    trees.redis.delete(trees.trees.tree(ID))
    assert trees.run("mark_indexed", ID, 0) == 0
    assert trees.due() == {}


def test_it_is_not_due_before_it_is_gone(trees: TreeWorld) -> None:
    """By the server's clock: in its last millisecond it is still there."""
    trees.create()
    trees.begin()
    trees.write(end_record=DONE, ttl_ms=600_000)
    trees.run("mark_indexed", ID, 3, now=0)
    expires: Any = trees.redis.pexpiretime(trees.trees.tree(ID))
    assert trees.due()[ID] > expires


def test_an_instance_that_is_not_ours_hinders_no_other(trees: TreeWorld) -> None:
    """It stays due."""
    trees.create()
    trees.create("other")
    trees.redis.delete(trees.trees.tree(ID))
    trees.redis.rpush(trees.trees.tree(ID), "not ours")
    assert trees.run("mark_indexed", ID, 1, "other", 1) == 1
    assert [*trees.due()] == [ID]


def test_an_outbox_that_is_not_ours_stops_it(trees: TreeWorld) -> None:
    """Before anything is written."""
    trees.redis.rpush(trees.trees.outbox("imports"), "not ours")
    with pytest.raises(ResponseError, match="FLOWSCONFLICT"):
        trees.run("mark_indexed", ID, 0)
