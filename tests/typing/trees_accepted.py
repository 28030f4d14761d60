# pyright: strict
"""What users write of task trees: mypy --strict and pyright strict accept every line of this file."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any, assert_type

from pydantic import BaseModel

from flows import Every, Retries, ScheduleRecord
from flows.tree import (
    CurrentTask,
    Execution,
    Find,
    Generator,
    Instance,
    InstancePage,
    InstanceState,
    Task,
    TaskInput,
    Tree,
    TreeFailed,
    Trees,
    current_task,
)


class Site(BaseModel):
    """The data."""

    url: str
    sizes: list[int]


class Fetch(TaskInput):
    """Reads the data."""

    url: str


class Resize(TaskInput):
    """Reads a result."""

    pages: list[str]


class Publish(TaskInput):
    """Reads what may be skipped."""

    pages: list[str]
    small: int | None = None


async def fetch(view: Fetch) -> list[str]:
    """Return pages."""
    assert_type(current_task(), CurrentTask)
    current_task().progress(0.5, "half")
    return [view.url]


async def small(view: Resize) -> int:
    """Return a number."""
    return len(view.pages)


def large(view: Resize) -> int:
    """Return a number."""
    return len(view.pages)


async def fixed(size: int, view: Resize) -> int:
    """Return a number."""
    return size * len(view.pages)


async def publish(view: Publish) -> str:
    """Return a text."""
    return view.pages[0]


def any_pages(view: Resize) -> bool:
    """Ask."""
    return bool(view.pages)


def pages_found(pages: list[str]) -> str:
    """Return a line."""
    return f"{len(pages)} pages"


def show(result: int, view: Resize) -> None:
    """Look."""
    assert result
    assert view


async def on_complete(instance: Instance[Any]) -> None:
    """Look."""
    assert await instance.state()


def on_error(instance: Instance[Any], error: TreeFailed) -> None:
    """Look."""
    assert instance.id != error.path


trees = Trees(
    "imports",
    namespace="a:",
    debug=True,
    ephemeral_ttl=60,
    retention=timedelta(days=1),
    on_complete=on_complete,
    on_error=on_error,
    on_destroy=lambda instance: instance.id,
    lease=10,
)
trees.create_workers(["default", "gpu"], concurrency=4)


@trees.generator("import-site")
def import_site(data: Site) -> Tree:
    """Return the tree of a site."""
    return Tree(
        Task("fetch", fetch, dest="pages", on_complete=pages_found, retries=Retries(max_attempts=3)),
        Task("again", fetch, on_complete=lambda pages: f"{len(pages)} pages"),
        Task(
            "images",
            condition=any_pages,
            dest="sizes",
            subtasks=[
                Task("small", small, debug=show, weight=1),
                Task("large", large, weight=5, queue="gpu"),
                *(Task(f"w{size}", partial(fixed, size)) for size in data.sizes),
            ],
        ),
        Task("asked", small, condition=lambda _view: True),
        Task("publish", publish, timeout=timedelta(minutes=5), on_failure="continue"),
    )


@trees.generator("later")
async def later(data: Site) -> Tree:
    """Return a tree, after a wait."""
    return Tree(Task(data.url, fetch, dest=("one", "other"), subtasks=[Task("below", small)], order="sequence"))


assert_type(import_site, Generator[Site])
assert_type(later, Generator[Site])


async def use() -> None:
    """Use an instance."""
    instance = await import_site.create(Site(url="x", sizes=[1]), realm="acme", labels={"kind": "x"})
    assert_type(instance, Instance[Site])
    assert_type(await instance.execute_all(), Execution)
    execution = await instance.execute("#.publish", 3, missing="run", subtree=True, downstream=True)
    assert_type(await execution.wait(10), InstanceState)
    assert_type(await instance.execute_all(3, delay=60, ref="click-1"), Execution)
    assert_type(await instance.execute("#.publish", cron=Every(60)), ScheduleRecord)
    assert_type(await instance.result("#.fetch", list[str]), list[str])
    assert_type((await instance.state()).tasks["#.images.small"].progress, float)
    await instance.update(Site(url="y", sizes=[]), name="y")
    assert_type(await instance.data(), Site)
    assert_type(await instance.cancel(), bool)
    async for state in instance.watch():
        assert_type(state, InstanceState)
    assert_type(await trees.get(instance.id), Instance[Any] | None)
    assert_type(await import_site.get(instance.id), Instance[Site] | None)
    assert_type(await trees.find(Find(realm="acme")), InstancePage)
    assert_type(await trees.destroy_realm("acme"), int)
