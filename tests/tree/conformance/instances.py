"""Instances that suites of storages make: rows, trees of tasks in a row, executions that have begun."""

from __future__ import annotations

from typing import Any

from flows.model.ids import new_job_id
from flows.model.tree.node import Declared, Node, Written
from flows.tree.storage.protocol import (
    Execution,
    InstanceRow,
    Snapshot,
    Storage,
    Token,
)


def tree(*names: str) -> bytes:
    """Return the description of a tree of tasks in a row."""
    return Declared(tuple(Node(name, works=True) for name in names), (Written("url"),)).write()


ABC = tree("a", "b", "c")


DATA = b'{"url":"x"}'


def row(**more: Any) -> InstanceRow:
    """Return the row of a new instance."""
    return InstanceRow(more.pop("id", new_job_id()), "imports", "site", **more)


def execution(name: str | None = None, argument: bytes | None = None) -> Execution:
    """Return an execution of all three."""
    return Execution(name or new_job_id(), "#", ("#.a", "#.b", "#.c"), argument)


async def loaded(storage: Storage, instance_id: str, since: int = 0) -> Snapshot:
    """Return an instance that is there."""
    found = await storage.load(instance_id, since=since)
    assert found is not None
    return found


async def begun(storage: Storage, instance_id: str | None = None) -> tuple[str, Token]:
    """Return an instance, a new one by default, whose execution has begun, and who writes."""
    if instance_id is None:
        new = row()
        assert await storage.create(new, DATA, ABC)
        instance_id = new.id
    one = execution()
    answer = await storage.begin(instance_id, one, ABC, (await loaded(storage, instance_id)).revision)
    assert answer.word == "begun"
    return instance_id, Token(one.id, one.id)
