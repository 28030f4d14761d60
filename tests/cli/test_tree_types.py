"""`flows trees types`: what the tasks of trees return, as TypeScript."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from flows.cli.tree_types import result_types, types
from flows.errors import DeclarationError, ValidationError
from flows.model.tree.errors import UnknownGenerator
from flows.tree.backend.sync import SyncBackend
from flows.tree.declare import Task, TaskInput, Tree
from flows.tree.index.memory import MemoryIndex
from flows.tree.storage.memory import MemoryStorage
from flows.tree.trees import Trees


class Site(BaseModel):
    """What a tree is made of."""

    sizes: list[int]


class Defaults(BaseModel):
    """Data that needs nothing."""

    url: str = ""


class Nothing(TaskInput):
    """A view of nothing."""


class Picture(BaseModel):
    """A picture."""

    name: str
    width: int = 0
    note: str | None = None


def fetch(_view: Nothing) -> list[str]:
    """Return pages."""
    return []


def draw(_view: Nothing) -> Picture:
    """Return a picture."""
    return Picture(name="a")


def count(_view: Nothing) -> int:
    """Return a number."""
    return 1


trees = Trees("imports", backend=SyncBackend(), storage=MemoryStorage(), index=MemoryIndex())


@trees.generator("import-site")
def import_site(data: Site) -> Tree:
    """Return a tree with a task for each size."""
    return Tree(
        Task("fetch", fetch), Task("images", subtasks=[Task(f"w{size}", draw) for size in data.sizes], dest="drawn")
    )


@trees.generator("other")
def other(_data: Defaults) -> Tree:
    """Return a tree with a path that the other one has too, and another result there."""
    return Tree(Task("fetch", count))


EXPECTED = """\
// Made by `flows trees types tests:trees`: what its tasks return.
import "@typed-flows/react";

/** A picture. */
export interface Picture {
  name: string;
  width: number;
  note: string | null;
}

declare module "@typed-flows/react" {
  interface TaskResults {
    "#.fetch": Array<string> | number;
    "#.images.w320": Picture;
    "#.images.w640": Picture;
  }
}
"""


async def test_each_path_has_the_type_of_what_its_function_returns() -> None:
    """Of generators that have a path in common, either type; a group, which returns nothing itself, is left out."""
    recipes = trees._host.recipes
    assert await result_types("tests:trees", recipes, {"import-site": b'{"sizes": [320, 640]}'}) == EXPECTED


async def test_data_that_is_needed_is_asked_for() -> None:
    """Also data that is not of the type, and data for a generator that is not there."""
    recipes = trees._host.recipes
    with pytest.raises(DeclarationError, match="--data import-site=FILE"):
        await result_types("tests:trees", recipes, {})
    with pytest.raises(ValidationError):
        await result_types("tests:trees", recipes, {"import-site": b"{}"})
    with pytest.raises(UnknownGenerator, match="import-site"):
        await result_types("tests:trees", recipes, {"import-sites": b"{}"})


async def test_a_target_or_a_file_that_is_none_says_so(tmp_path: Path) -> None:
    """Before anything is made."""
    with pytest.raises(DeclarationError, match="no app of trees"):
        await types("tests.cli.test_tree_types:EXPECTED")
    for given, why in (("import-site", "give the name"), (f"import-site={tmp_path}/none.json", "No such file")):
        with pytest.raises(DeclarationError, match=why):
            await types("tests.cli.test_tree_types:trees", data=[given])
