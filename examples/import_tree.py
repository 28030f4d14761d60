"""The tree of a site import: what its tasks see, what they do, and the generator that makes it of a site's pages."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from hashlib import blake2b
from typing import NamedTuple

from pydantic import BaseModel, Field

from flows import Retries
from flows.tree import Generator, Task, TaskInput, Tree, Trees, current_task
from import_terms import Image, Page, Settings, Site
from killed_worker import Busy

#: A killed worker's execution goes on after so long.
LEASE = timedelta(seconds=2)
#: Seconds that a task takes at a pace of 1: the longest page or image, and of the others each.
PAGE, IMAGE, OTHER = 0.2, 0.05, 0.25
#: A thumbnail is as large as that at most, in pixels.
SMALL = 160
#: A page with so many words takes as long as any.
LONG = 60


class Nothing(TaskInput):
    """Of the context nothing: what such a task works on was bound to it."""


class Address(TaskInput):
    """Where the site is."""

    url: str


class Parsed(BaseModel):
    """What is kept of a page."""

    path: str
    words: list[str]


class Texts(TaskInput):
    """All pages, by the names of the tasks that have parsed them."""

    parsed: dict[str, Parsed]


class Imported(TaskInput):
    """All that is published. A page without images has no thumbnails: that task is skipped."""

    host: str
    index: dict[str, list[str]]
    thumbnails: dict[str, list[Image]] = Field(default={})


class Published(BaseModel):
    """What the import has come to."""

    host: str
    words: int
    thumbnails: int


class Declared(NamedTuple):
    """The app, and the generator of its trees."""

    trees: Trees
    site: Generator[Site]


class Work:
    """The functions of the tasks: they take a while, and note that they run.

    Args:
        settings: Where they note it, and how long they take.
        busy: Counts those that run now; None: nobody asks.
    """

    def __init__(self, settings: Settings, busy: Busy | None = None) -> None:
        self._pace = settings.pace
        self._journal = settings.journal
        self._busy = busy

    async def _take(self, seconds: float, steps: int = 1, noun: str = "") -> None:
        """Take so long, and report each step."""
        task = current_task()
        with nullcontext() if self._busy is None else self._busy.step():
            with self._journal.open("ab", buffering=0) as file:
                file.write(f"{task.path}\n".encode())  # in one call: who is killed has written all of it, or nothing
            for step in range(1, steps + 1):
                await asyncio.sleep(seconds * self._pace / steps)
                task.progress(step / steps, f"{noun} {step} of {steps}" if noun else "")

    async def fetch(self, view: Address) -> str:
        """Ask the site for its pages, and return its host."""
        await self._take(OTHER, 5, "answer")
        return view.url.rpartition("//")[2].partition("/")[0]

    async def parse(self, path: str, text: str, _view: Nothing) -> Parsed:
        """Return the words of a page."""
        words = re.findall(r"\w+", text.lower())
        await self._take(PAGE * min(1.0, (1 + len(words)) / LONG))
        return Parsed(path=path, words=words)

    async def shrink(self, images: Sequence[Image], _view: Nothing) -> list[Image]:
        """Return small images."""
        await self._take(IMAGE * len(images), len(images), "image")
        return [_small(image) for image in images]

    async def index(self, view: Texts) -> dict[str, list[str]]:
        """Return on which pages each word stands."""
        await self._take(OTHER, 4)
        found: dict[str, set[str]] = {}
        for page in view.parsed.values():
            for word in page.words:
                found.setdefault(word, set()).add(page.path)
        return {word: sorted(found[word]) for word in sorted(found)}

    async def publish(self, view: Imported) -> Published:
        """Publish all of it."""
        await self._take(OTHER, 2)
        count = sum(map(len, view.thumbnails.values()))
        current_task().log("it is online", words=len(view.index), thumbnails=count)
        return Published(host=view.host, words=len(view.index), thumbnails=count)


def has_images(images: Sequence[Image], _view: Nothing) -> bool:
    """Return whether there is anything to make small."""
    return bool(images)


def make_site(work: Work, site: Site) -> Tree:
    """Return the tree of a site: each page is parsed and drawn on its own, all that is parsed goes into the index.

    What a task works on is bound to it: a page whose text is another one makes stale what comes of that page.
    """
    pages = {task_name(page): page for page in site.pages}
    return Tree(
        Task(
            "fetch",
            work.fetch,
            dest="host",
            on_complete=lambda host: f"{host} has answered",
            retries=Retries(max_attempts=3),
        ),
        Task(
            "pages",
            subtasks=[
                Task("parse", dest="parsed", subtasks=[_parse(work, name, page) for name, page in pages.items()]),
                Task(
                    "thumbnails", dest="thumbnails", subtasks=[_shrink(work, name, one) for name, one in pages.items()]
                ),
                # It reads what its sibling `parse` has written, and waits for that; not for thumbnails.
                Task("index", work.index, weight=5, on_complete=lambda index: f"{len(index)} words"),
            ],
        ),
        Task("publish", work.publish, weight=5),
    )


def declare(settings: Settings, busy: Busy | None = None) -> Declared:
    """Declare the app; nothing is connected yet."""
    trees = Trees(
        "imports",
        redis_url=settings.redis_url,
        namespace=settings.namespace,
        lease=LEASE,
        max_crashes=settings.max_crashes,
        retention=timedelta(hours=1),
    )
    work = Work(settings, busy)

    @trees.generator("import-site")
    def import_site(data: Site) -> Tree:
        return make_site(work, data)

    return Declared(trees, import_site)


def task_name(page: Page) -> str:
    """Return what the tasks of a page are called: its path, and where that is not all of it, a digest as well.

    No identifier: else its result would stand in the context under this name, which may be `index`.
    """
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", page.path).strip("-")[:40]
    if name and "/" + name.replace("-", "/") == page.path:
        return f"page-{name}"
    return f"page-{name or 'root'}-{blake2b(page.path.encode(), digest_size=4).hexdigest()}"


def _parse(work: Work, name: str, page: Page) -> Task[Parsed]:
    return Task(name, partial(work.parse, page.path, page.text), description=page.path)


def _shrink(work: Work, name: str, page: Page) -> Task[list[Image]]:
    condition = partial(has_images, page.images)
    return Task(name, partial(work.shrink, page.images), condition=condition, description=page.path)


def _small(image: Image) -> Image:
    scale = min(1.0, SMALL / max(image.width, image.height))
    width, height = (max(1, round(one * scale)) for one in (image.width, image.height))
    return Image(name=f"small-{image.name}", width=width, height=height)
