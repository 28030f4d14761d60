"""Instances are read together, each in one moment, and a tree only where this process does not know it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from flows.errors import KeyConflict
from flows.store.client.connection import Connection
from flows.store.client.wire import pack_command
from flows.store.trees.instance_reads import InstanceReads
from flows.store.trees.tree_link import GivenLines, TreeLink, tree_settings
from tests.store.trees.tree_world import ID, OK, TreeWorld, begun


class Counted(Connection):
    """A connection that says what went over it."""

    def __init__(self, url: str) -> None:
        super().__init__(url, "test")
        self.trees: list[str] = []
        self.together: list[int] = []

    async def call(self, *command: Any, **more: Any) -> Any:
        """Note the instances whose trees are asked for."""
        if "tree" in command:
            self.trees.append(command[1].rpartition(":")[2])
        return await super().call(*command, **more)

    async def packed(self, data: bytes, replies: int) -> Any:
        """Note how many instances are read."""
        self.together.append(data.count(pack_command(("MULTI",))))
        return await super().packed(data, replies)


@pytest.fixture
async def connection(redis_url: str) -> AsyncIterator[Counted]:
    """Return a connection."""
    connection = Counted(redis_url)
    yield connection
    await connection.close()


@pytest.fixture
def reads(connection: Counted, trees: TreeWorld) -> InstanceReads:
    """Return the reads of a process that knows nothing yet."""
    settings = tree_settings(trees.namespace)
    return InstanceReads(TreeLink(GivenLines(connection).opened, lambda: settings))


async def test_what_is_asked_for_in_one_moment_is_read_together(
    reads: InstanceReads, connection: Counted, trees: TreeWorld
) -> None:
    """Each with its tasks, or that it is not there; what is wrong with one concerns no other."""
    for name in ("a", "b", "c"):
        trees.create(name)
        trees.begin(instance_id=name)
    trees.write("#.x", OK, "1", instance_id="a")
    trees.redis.delete(trees.key("treetasks", "b"))
    trees.redis.set(trees.key("treetasks", "b"), "not ours")
    names = ("a", "b", "c", "d")
    a, b, c, d = await asyncio.gather(*(reads.read(one, tasks=True) for one in names), return_exceptions=True)
    assert connection.together == [4]
    assert isinstance(b, KeyConflict)
    assert not isinstance(a, BaseException)
    assert not isinstance(c, BaseException)
    assert a is not None
    assert c is not None
    assert d is None
    assert (a.fields[b"_order"], a.tasks) == (b"3", {b"#.x": b'{"status":"ok","order":3,"run":"e1"}'})
    assert (c.fields[b"_order"], c.tasks) == (b"2", {})
    without = await reads.read("b", tasks=False)
    assert without is not None
    assert (without.fields[b"tree"], without.tasks) == (b"{}", {})


async def test_a_tree_is_brought_once(reads: InstanceReads, connection: Counted, trees: TreeWorld) -> None:
    """Of all instances that have it; one that was written here is known."""
    for name in ("a", "b"):
        trees.create(name)
    for name in ("a", "b", "a"):
        found = await reads.read(name, tasks=False)
        assert found is not None
        assert found.fields[b"tree"] == b"{}"
    assert connection.trees == ["a"]
    reads.know({"tree_digest": "e", "tree": b"[]"})
    trees.run("begin_execution", *begun(instance_id="b", tree_digest="e", tree="[]"))
    found = await reads.read("b", tasks=True)
    assert found is not None
    assert found.fields[b"tree"] == b"[]"
    assert connection.trees == ["a"]


async def test_the_tree_is_that_of_the_moment(
    reads: InstanceReads, connection: Counted, trees: TreeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that became another between the two calls is read again, and so is an instance that has gone."""
    trees.create()
    call, changes = connection.call, [lambda: trees.begin(tree_digest="e", tree="[]")]

    async def late(*command: Any, **more: Any) -> Any:
        while changes:
            changes.pop()()
        return await call(*command, **more)

    monkeypatch.setattr(connection, "call", late)
    found = await reads.read(ID, tasks=True)
    assert found is not None
    assert (found.fields[b"_order"], found.fields[b"tree"]) == (b"2", b"[]")
    trees.create("gone")
    trees.redis.hset(trees.key("tree", "gone"), "tree_digest", "f")
    changes.append(lambda: trees.redis.delete(trees.key("tree", "gone")))
    assert await reads.read("gone", tasks=True) is None


async def test_only_the_last_trees_are_remembered(reads: InstanceReads, connection: Counted, trees: TreeWorld) -> None:
    """A process may see any number of them."""
    trees.create()
    assert await reads.read(ID, tasks=False) is not None
    for n in range(64):
        reads.know({"tree_digest": f"{n}", "tree": b"[]"})
    assert await reads.read(ID, tasks=False) is not None
    assert connection.trees == [ID, ID]
