# pyright: strict
"""What users may slip into: mypy --strict and pyright strict refuse each marked line, and no other one."""

from __future__ import annotations

from pydantic import BaseModel
from trees_accepted import Resize, Site, fetch, import_site, small, trees

from flows import Every
from flows.tree import Task, Tree, Trees


def on_int(result: int) -> str:
    """Make a line of a number."""
    return str(result)


def of_text(result: str, view: Resize) -> None:
    """Look at a text."""
    assert result
    assert view


class Plain(BaseModel):
    """No TaskInput."""


async def plain(view: Plain) -> int:
    """Take no TaskInput."""
    assert view
    return 1


def no_bool(view: Resize) -> str:
    """Return a text."""
    return view.pages[0]


Task("fetch", fetch, on_complete=on_int)  # refused: the result is a list of texts
Task("small", small, debug=of_text)  # refused: the result is a number
Task("small", small, retries=3)  # refused: no Retries
Task("plain", plain)  # refused: no TaskInput
Task("condition", small, condition=no_bool)  # refused: no bool
Task("nothing")  # refused: neither a function nor subtasks
Task("group", subtasks=[Task("small", small)], weight=3)  # refused: a group weighs nothing itself
Task("group", subtasks=[small])  # refused: no Task
Task("order", small, order="both")  # refused: no such order
Task("timeout", small, timeout="soon")  # refused: no time
Task("queue", small, queue=3)  # refused: no name
Tree("#.a")  # refused: no Task
Trees("hooks", on_error=plain)  # refused: it takes no instance and no error
Trees("backend", backend="sqs")  # refused: no backend
trees.create_workers("gpu", concurrency="4")  # refused: no number


async def use() -> None:
    """Use an instance wrongly."""
    await import_site.create("x")  # refused: no Site
    instance = await import_site.create(Site(url="", sizes=[]))
    await instance.update(Plain())  # refused: no Site
    await instance.execute("#.a", missing="maybe")  # refused: no such word
    await instance.execute("#.a", cron="* * * * *")  # refused: no Cron
    (await instance.execute_all(cron=Every(60))).wait(1)  # refused: a schedule is not waited for
    pages: list[int] = await instance.result("#.fetch", list[str])  # refused: another type
    assert pages


@trees.generator("wrong")  # refused: returns no tree
def wrong(data: Site) -> int:
    """Return a number."""
    return len(data.url)


@trees.generator("of-text")  # refused: takes no model
def of_a_text(data: str) -> Tree:
    """Take a text."""
    return Tree(Task(data, small))
