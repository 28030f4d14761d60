"""What tests of executions by workers share: an app, its data, and how its executions end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from flows.tree.annotations import TaskInput
from flows.tree.declare import Task, Tree
from flows.tree.generator import Generator
from flows.tree.index.memory import MemoryIndex
from flows.tree.instance import Instance
from flows.tree.state import InstanceState
from flows.tree.storage.memory import MemoryStorage
from flows.tree.trees import Trees
from tests.waiting import LONG, until


class Site(BaseModel):
    """The data."""

    n: int = 2


class Number(TaskInput):
    """Reads the data."""

    n: int


class Nothing(TaskInput):
    """Reads nothing."""


class Both(TaskInput):
    """Reads two results."""

    here: int
    there: int


class World:
    """An app whose storage and index are in this process, so that several apps may share them."""

    def __init__(self, redis_url: str, namespace: str) -> None:
        self.where = {"redis_url": redis_url, "namespace": namespace}
        self.now: float = datetime.now(UTC).timestamp()
        self.storage = MemoryStorage()
        self.index = MemoryIndex()
        self.calls: list[str] = []

    def trees(self, queues: list[str] | None = None, **options: Any) -> Trees:
        """Return an app with workers of these queues, or of all."""
        made = self.without_workers(**options)
        made.create_workers(queues, concurrency=5)
        return made

    def without_workers(self, **options: Any) -> Trees:
        """Return an app."""
        return Trees("imports", **self.where, storage=self.storage, index=self.index, **options)


def tree_of(trees: Trees, *tasks: Task[Any], name: str = "site") -> Generator[Site]:
    """Return a generator of these tasks, whatever the data."""

    @trees.generator(name)
    def made(data: Site) -> Tree:  # noqa: ARG001 - the tree is always the same
        return Tree(*tasks)

    return made


async def done(instance: Instance[Any], path: str = "#", **how: Any) -> InstanceState:
    """Execute a path, and return how the instance stands at the end."""
    return await (await instance.execute(path, **how)).wait(LONG)


def statuses(state: InstanceState) -> dict[str, str]:
    """Return the status of each task."""
    return {path[2:]: one.status for path, one in state.tasks.items()}


async def ended(instance: Instance[Any]) -> InstanceState:
    """Return how an instance stands when its execution is over."""

    async def is_over() -> bool:
        return (await instance.state()).status != "working"

    await until(is_over)
    return await instance.state()
