"""The app of tests of trees in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import pytest

from flows.tree.declare import Task, Tree
from flows.tree.generator import Generator
from flows.tree.trees import Trees
from tests.tree.in_memory import trees_in_memory
from tests.tree.site import (
    Site,
    calls,
    fetch,
    is_wanted,
    publish,
    resize,
)


@pytest.fixture
async def trees() -> AsyncIterator[Trees]:
    """Return an app in memory."""
    calls.clear()
    async with trees_in_memory("imports") as app:
        yield app


@pytest.fixture
def site(trees: Trees) -> Generator[Site]:
    """Return a generator of a tree with all kinds of tasks."""

    @trees.generator("site")
    def site(data: Site) -> Tree:
        return Tree(
            Task("fetch", fetch, dest="pages", on_complete=lambda pages: f"{len(pages)} pages"),
            Task(
                "images",
                condition=is_wanted,
                dest="sizes",
                subtasks=[Task(f"w{size}", partial(resize, size), weight=size) for size in (1, 2, *data.sizes)],
            ),
            Task("publish", publish, on_complete="published"),
        )

    return site
