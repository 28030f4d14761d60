"""The tree of a site import: a task per page, side by side, thumbnails for pages that have images, an index of all."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from pydantic import BaseModel

from flows.tree.annotations import TaskInput
from flows.tree.declare import Task, Tree
from flows.tree.generator import Generator
from flows.tree.trees import Trees
from tests.tree.in_memory import trees_in_memory
from tests.waiting import LONG


class Image(BaseModel):
    """An image of a page."""

    name: str
    width: int
    height: int


class Page(BaseModel):
    """A page."""

    path: str
    text: str
    images: list[Image] = []


class Site(BaseModel):
    """The data."""

    url: str
    pages: list[Page]


class Parsed(BaseModel):
    """What is kept of a page."""

    path: str
    words: list[str]


class Fetch(TaskInput):
    """Reads the address."""

    url: str


class OnePage(TaskInput):
    """Reads nothing of others: its page is bound."""


class Index(TaskInput):
    """Reads all pages."""

    parsed: dict[str, dict[str, Any]]


class Publish(TaskInput):
    """Reads the index."""

    index: dict[str, list[str]]


ran: Counter[str] = Counter()


async def fetch(view: Fetch) -> str:
    """Return the address."""
    ran["fetch"] += 1
    return view.url


async def parse(page: Page, view: OnePage) -> Parsed:  # noqa: ARG001 - it is a task
    """Return the words of a page."""
    ran["parse"] += 1
    return Parsed(path=page.path, words=page.text.split())


async def thumbnail(page: Page, view: OnePage) -> list[str]:  # noqa: ARG001 - it is a task
    """Return the names of small images."""
    ran["thumbnail"] += 1
    return [f"{one.name}-{min(one.width, one.height)}" for one in page.images]


def has_images(page: Page, view: OnePage) -> bool:  # noqa: ARG001 - it is a condition
    """Ask."""
    return bool(page.images)


async def index(view: Index) -> dict[str, list[str]]:
    """Return which pages have which word."""
    ran["index"] += 1
    found: dict[str, list[str]] = {}
    for page in view.parsed.values():
        for word in page["parse"]["words"]:
            found.setdefault(word, []).append(page["parse"]["path"])
    return found


async def publish(view: Publish) -> int:
    """Return how many words there are."""
    ran["publish"] += 1
    return len(view.index)


def of_page(at: int, page: Page) -> Task[Any]:
    """Return the tasks of one page."""
    return Task(
        f"p{at}",
        subtasks=[
            Task("parse", partial(parse, page)),
            Task("thumbnails", partial(thumbnail, page), condition=partial(has_images, page)),
        ],
    )


def generator(trees: Trees) -> Generator[Site]:
    """Return the generator."""

    @trees.generator("import-site")
    def import_site(data: Site) -> Tree:
        pages = [of_page(at, page) for at, page in enumerate(data.pages)]
        return Tree(
            Task("fetch", fetch),
            Task("pages", subtasks=pages, dest="parsed"),
            Task("index", index),
            Task("publish", publish),
        )

    return import_site


async def test_a_page_that_changes_makes_stale_what_comes_of_it() -> None:
    """Its own tasks, the index and what is published; not those of 49 other pages."""
    ran.clear()
    images = [Image(name="a", width=3, height=2)]
    pages = [Page(path=f"/{at}", text=f"all {at}", images=images if at % 3 == 0 else []) for at in range(50)]
    async with trees_in_memory("imports") as trees:
        instance = await generator(trees).create(Site(url="x", pages=pages))
        state = await (await instance.execute_all()).wait(LONG)
        assert state.progress == 1.0
        assert Counter(one.status for one in state.tasks.values()) == {"ok": 50 * 2 + 17 + 4, "skipped": 33}
        assert ran == {"fetch": 1, "parse": 50, "thumbnail": 17, "index": 1, "publish": 1}
        assert (await instance.result("#.index", dict[str, list[str]]))["7"] == ["/7"]
        pages[7] = Page(path="/7", text="all seven")
        await instance.update(Site(url="x", pages=pages))
        stale = {path for path, one in (await instance.state()).tasks.items() if one.stale}
        assert stale == {"#.pages.p7.parse", "#.pages.p7.thumbnails", "#.index", "#.publish"}
        ran.clear()
        state = await (await instance.execute("#.publish", missing="run")).wait(LONG)
        assert ran == {"parse": 1, "index": 1, "publish": 1}
        assert not [path for path, one in state.tasks.items() if one.stale]
        assert (await instance.result("#.index", dict[str, list[str]]))["seven"] == ["/7"]
