"""An app of task trees with workers: `python -m tests.browser.tree_app URL NAMESPACE` makes some and tells ids."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from contextlib import suppress

from pydantic import BaseModel, field_validator

from flows import Retries
from flows.model.tree.errors import TreeFailed
from flows.tree import Generator, Task, TaskInput, Tree, Trees, current_task

#: What fails, until the data says otherwise.
BROKEN = "broken.example"


class Site(BaseModel):
    """The data: a site, and how long the steps of its tasks take, in seconds."""

    url: str
    step: float = 0.05

    @field_validator("url")
    @classmethod
    def is_a_host(cls, url: str) -> str:
        """Refuse what no schema says: a text without a dot."""
        if "." not in url:
            raise ValueError("no host has such a name")
        return url


class Seen(TaskInput):
    """What the first task is given."""

    url: str
    step: float


class Pages(TaskInput):
    """What reads pages."""

    pages: list[str]
    step: float


class Published(BaseModel):
    """What it has come to."""

    host: str
    words: int
    thumbnails: int


async def fetch(view: Seen) -> list[str]:
    """Return pages, after some reports of how far it is."""
    for n in range(1, 11):
        await asyncio.sleep(view.step)
        current_task().progress(n / 10, f"page {n} of 10")
    current_task().log("10 pages were there")
    return [f"{view.url}/{n}" for n in range(10)]


async def draw(view: Pages) -> int:
    """Return how many pictures there are."""
    await asyncio.sleep(view.step)
    return len(view.pages)


async def check(view: Seen) -> bool:
    """Fail where the site is broken."""
    if view.url == BROKEN:
        raise ConnectionError("the host does not answer")
    return True


def has_pages(view: Pages) -> bool:
    """Return whether there is more to tell."""
    return len(view.pages) > 100


async def publish(view: Pages) -> Published:
    """Publish it."""
    await asyncio.sleep(view.step)
    return Published(host="acme.example", words=7, thumbnails=len(view.pages))


def declare(url: str, namespace: str) -> tuple[Trees, Generator[Site]]:
    """Return an app, and the generator of its trees."""
    trees = Trees("imports", redis_url=url, namespace=namespace)

    @trees.generator("import-site")
    def import_site(_data: Site) -> Tree:
        return Tree(
            Task("fetch", fetch, dest="pages", weight=5, retries=Retries(max_attempts=1)),
            Task(
                "images",
                subtasks=[Task("small", draw), Task("large", draw, weight=2), Task("many", draw, condition=has_pages)],
            ),
            Task("check", check, retries=Retries(max_attempts=1)),
            Task("publish", publish, description="puts it online"),
        )

    return trees, import_site


async def main(url: str, namespace: str) -> None:
    """Leave trees in several states, tell their ids, and go on working until the input ends."""
    logging.getLogger("flows").setLevel(logging.CRITICAL)  # what fails here fails on purpose
    trees, import_site = declare(url, namespace)
    trees.create_workers()
    async with trees:
        made = {
            "fresh": await import_site.create(Site(url="acme.example", step=0.3), realm="acme", name="acme.com"),
            "done": await import_site.create(Site(url="done.example", step=0.0), realm="acme", labels={"plan": "gold"}),
            "slow": await import_site.create(Site(url="slow.example", step=3), realm="other", name="slow"),
            "failed": await import_site.create(Site(url=BROKEN, step=0.0), realm="other", name="broken"),
        }
        for name in ("done", "failed"):
            with suppress(TreeFailed):
                await (await made[name].execute_all()).wait(60)
        await made["done"].update(Site(url="new.example", step=0.0))
        sys.stdout.write(f"{json.dumps({name: one.id for name, one in made.items()})}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
