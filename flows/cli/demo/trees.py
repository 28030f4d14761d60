"""The catalogue of `flows demo`: a task tree that is made anew with each season, and executed; some of it fails."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import BaseModel, Field

from flows.model.retries import Retries
from flows.tree.annotations import TaskInput
from flows.tree.current import current_task
from flows.tree.declare import Task, Tree
from flows.tree.generator import Generator
from flows.tree.trees import Trees

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The app: a name that no other has by chance.
APP: Final = "demo-catalogue"
#: The chapters of the catalogue, each with how many pictures it has.
_CHAPTERS: Final = {"chairs": 4, "tables": 3, "lamps": 6, "rugs": 0, "shelves": 2}
#: Seconds that a step of a task takes, about.
_STEP: Final = 0.6
_SOMETIMES: Final = 0.08
_chance: Final = random.Random()  # noqa: S311 - no secrets


class Season(BaseModel):
    """What a catalogue is made of."""

    name: str
    chapters: dict[str, int] = _CHAPTERS


class Gather(TaskInput):
    """For which season articles are gathered."""

    name: str


class Articles(TaskInput):
    """What the chapters have to choose from."""

    articles: int


class Chapters(TaskInput):
    """All that goes into the catalogue."""

    texts: dict[str, str]
    pictures: dict[str, int] = Field(default={})


class Catalogue(NamedTuple):
    """The app, and what makes its trees."""

    trees: Trees
    of_season: Generator[Season]


async def _take(steps: int, noun: str) -> None:
    for step in range(1, steps + 1):
        await asyncio.sleep(_chance.uniform(0.5, 1.5) * _STEP)
        current_task().progress(step / steps, f"{noun} {step} of {steps}")


async def gather(view: Gather) -> int:
    """Gather articles."""
    await _take(3, "supplier")
    current_task().log(f"the articles of {view.name} are there", suppliers=3)
    return 60 + len(view.name)


async def write(chapter: str, view: Articles) -> str:
    """Write the text of a chapter; now and then the editor is away."""
    await _take(4, "page")
    if _chance.random() < _SOMETIMES:
        raise TimeoutError(f"nobody has written about {chapter}")
    return f"{chapter}: the best of {view.articles}"


async def draw(count: int, view: Articles) -> int:
    """Draw pictures."""
    del view
    await _take(count, "picture")
    return count


def has_pictures(count: int, view: Articles) -> bool:
    """Return whether there is anything to draw."""
    del view
    return count > 0


async def lay_out(view: Chapters) -> int:
    """Lay out the pages, and return how many there are."""
    await _take(3, "sheet")
    return len(view.texts) * 4 + sum(view.pictures.values())


def _tree_of(data: Season) -> Tree:
    """Return the tree of a catalogue."""
    again = Retries(max_attempts=2, backoff=0.5)
    chapters = data.chapters.items()
    texts: Sequence[Task[Any]] = [Task(f"text-{name}", partial(write, name), retries=again) for name, _ in chapters]
    pictures: Sequence[Task[Any]] = [
        Task(f"pictures-{name}", partial(draw, count), condition=partial(has_pictures, count), weight=max(1, count))
        for name, count in chapters
    ]
    return Tree(
        Task("gather", gather, dest="articles", description="ask the suppliers"),
        Task(
            "chapters",
            subtasks=[
                Task("texts", subtasks=texts, dest="texts", description="a text for each chapter"),
                Task("pictures", subtasks=pictures, dest="pictures", description="for chapters that have some"),
            ],
        ),
        Task("layout", lay_out, dest="pages", weight=3, on_complete=lambda pages: f"{pages} pages"),
    )


def make_catalogue(redis_url: str | None, namespace: str) -> Catalogue:
    """Return the app with its workers; nothing is connected yet."""
    trees = Trees(APP, redis_url=redis_url, namespace=namespace, retention=timedelta(minutes=15))
    of_season = trees.generator("catalogue")(_tree_of)
    trees.create_workers(concurrency=2)
    return Catalogue(trees, of_season)
