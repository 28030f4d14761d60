"""The tree of most tests of trees in this process, and what they ask of it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from pydantic import BaseModel, Field

from flows.tree.annotations import TaskInput
from flows.tree.current import current_task
from flows.tree.declare import Task, Tree
from flows.tree.generator import Generator
from flows.tree.instance import Instance
from flows.tree.state import InstanceState
from flows.tree.trees import Trees
from tests.waiting import LONG


class Site(BaseModel):
    """The data."""

    url: str = "u"
    sizes: list[int] = []
    wanted: bool = True
    limit: int = 1


class Url(TaskInput):
    """Reads the address."""

    url: str


class Pages(TaskInput):
    """Reads what was fetched."""

    pages: list[str]


class Wanted(TaskInput):
    """Reads whether images are wanted."""

    wanted: bool


class Publish(TaskInput):
    """Reads what may be skipped."""

    pages: list[str]
    sizes: dict[str, int] = Field(default_factory=dict)
    limit: int


class Nothing(TaskInput):
    """Reads nothing."""


class Argument(TaskInput):
    """Reads its argument."""

    argument: int = 0


def nothing(view: Nothing) -> None:
    """Do nothing."""


def is_wanted(view: Wanted) -> bool:
    """Ask."""
    return view.wanted


calls: list[str] = []


async def fetch(view: Url) -> list[str]:
    """Return two pages."""
    calls.append("fetch")
    current_task().progress(0.5, "half")
    current_task().log("fetched", pages=2)
    return [view.url, "b"]


async def resize(size: int, view: Pages) -> int:
    """Return a number, after the others have begun."""
    calls.append(f"w{size}")
    await asyncio.sleep(0)
    return size * len(view.pages)


def publish(view: Publish) -> str:
    """Return all there is, from a thread."""
    assert threading.current_thread() is not threading.main_thread()
    calls.append("publish")
    return f"{view.pages} {view.sizes} {view.limit}"


def tree_of(trees: Trees, *tasks: Task[Any], name: str = "x") -> Generator[Site]:
    """Return a generator of these tasks, whatever the data."""

    @trees.generator(name)
    async def made(data: Site) -> Tree:  # noqa: ARG001 - the tree is always the same
        return Tree(*tasks)

    return made


async def done(instance: Instance[Any], *path: str, **how: Any) -> InstanceState:
    """Execute all, or a path, and return how it stands at the end."""
    execution = await (instance.execute(*path, **how) if path else instance.execute_all(**how))
    return await execution.wait(LONG)


def statuses(state: InstanceState) -> dict[str, str]:
    """Return the status of each task; a stale one has a star."""
    return {path[2:]: one.status + "*" * one.stale for path, one in state.tasks.items()}


async def is_done(instance: Instance[Any]) -> bool:
    """Return whether its last execution is."""
    return (await instance.state()).status == "done"
