"""A process with workers for a tree of twelve tasks, which dies or stops at the record that it is told.

`dying.py URL NAMESPACE LEDGER INSTANCE FAILPOINTS` ends when the instance is worked on no more.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Final

from pydantic import BaseModel, Field

from flows.telemetry import failpoints
from flows.tree import Generator, Task, TaskInput, Tree, Trees, current_task
from tests.waiting import LONG, until

LEASE: Final = timedelta(seconds=1)


class Site(BaseModel):
    """The data."""

    url: str = "u"
    wanted: bool = False
    deadly: bool = False
    """Whether the last task kills its worker, whenever it runs."""


class Url(TaskInput):
    """Reads the data."""

    url: str


class Wanted(TaskInput):
    """Reads the data."""

    wanted: bool


class Fetched(TaskInput):
    """Reads a result."""

    fetch: str


class Edge(TaskInput):
    """Reads a sibling's result."""

    small: str


class Parsed(TaskInput):
    """Reads a result."""

    two: str


class Last(TaskInput):
    """Reads what may be skipped, and all else."""

    thumbs: dict[str, str] = Field(default_factory=dict)
    large: str
    edge: str
    deep: str
    deadly: bool


def is_wanted(view: Wanted) -> bool:
    """Ask."""
    return view.wanted


def make(url: str, namespace: str, ledger: Path) -> tuple[Trees, Generator[Site]]:
    """Return an app, and its tree of nested, parallel, conditional tasks, of which one is in another queue."""
    trees = Trees("dying", redis_url=url, namespace=namespace, lease=LEASE)

    def note() -> str:
        path = current_task().path
        with ledger.open("a") as file:
            file.write(f"{path}\n")
        return path

    async def fetch(view: Url) -> str:
        return f"{note()} of {view.url}"

    async def of_fetched(view: Fetched) -> str:
        current_task().progress(0.5)
        await asyncio.sleep(0)
        return f"{note()} of {view.fetch}"

    def in_thread(view: Fetched) -> str:
        return f"{note()} of {view.fetch}"

    async def edge(view: Edge) -> str:
        return f"{note()} of {view.small}"

    async def deep(view: Parsed) -> str:
        return f"{note()} of {view.two}"

    async def last(view: Last) -> str:
        if view.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return f"{note()} of {view.large}, {view.edge}, {view.deep}, {sorted(view.thumbs)}"

    @trees.generator("site")
    def site(data: Site) -> Tree:  # noqa: ARG001 - the tree is always the same
        return Tree(
            Task("fetch", fetch),
            Task(
                "images",
                subtasks=[
                    Task("small", in_thread),
                    Task("large", of_fetched, queue="gpu", weight=3),
                    Task("edge", edge),
                ],
            ),
            Task(
                "thumbs", condition=is_wanted, dest="thumbs", subtasks=[Task("t1", of_fetched), Task("t2", of_fetched)]
            ),
            Task(
                "pages",
                subtasks=[
                    Task("parse", of_fetched, subtasks=[Task("first", of_fetched)]),
                    Task("more", order="sequence", subtasks=[Task("one", of_fetched), Task("two", of_fetched)]),
                ],
            ),
            Task("deep", deep),
            Task("last", last),
        )

    return trees, site


async def work(url: str, namespace: str, ledger: str, instance_id: str) -> None:
    """Work until an instance is worked on no more."""
    trees, _site = make(url, namespace, Path(ledger))
    trees.create_workers(concurrency=4)
    async with trees:
        instance = await trees.get(instance_id)
        assert instance is not None

        async def is_over() -> bool:
            return (await instance.state()).status != "working"

        await until(is_over, LONG)


if __name__ == "__main__":
    failpoints.arm(sys.argv[5])
    asyncio.run(work(*sys.argv[1:5]))
    os._exit(0)
