"""What tasks say of themselves by their functions' annotations, and what they are refused for."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel

from flows.errors import DeclarationError
from flows.model.tree.plan import TreePlan
from flows.tree.annotations import TaskInput, bound_of, reads_of
from flows.tree.declare import Task, Tree


class Site(BaseModel):
    """The data."""

    url: str
    sizes: list[int] = []


class Page(BaseModel):
    """A result."""

    path: str
    size: int = 0


class Fetch(TaskInput):
    """Reads the data."""

    url: str


class Show(TaskInput):
    """Reads a result and, where there is one, a field of the data."""

    page: Page
    url: str = ""


async def fetch(view: Fetch) -> Page:
    """Return a page."""
    return Page(path=view.url)


def show(view: Show) -> str:
    """Return a text."""
    return view.page.path


async def fixed(size: int, view: Show) -> int:
    """Return a number."""
    return size + view.page.size


def is_long(view: Show) -> bool:
    """Ask."""
    return len(view.page.path) > 3


def plan(*tasks: Task[Any]) -> TreePlan:
    """Return the plan of a tree for a site."""
    return TreePlan(
        Tree(*tasks).declared(reads_of(type("Data", (TaskInput,), {"__annotations__": Site.__annotations__})))
    )


def test_a_task_reads_what_its_view_declares() -> None:
    """With the types, and whether there is a default."""
    page = Task("fetch", fetch, dest="page")
    assert [(one.name, one.required) for one in page.node.reads] == [("url", True)]
    assert [one.name for one in page.node.writes] == ["page"]
    shown = Task("show", show, condition=is_long, subtasks=[Task("more", partial(fixed, 3))])
    assert [(one.name, one.required) for one in shown.node.asks or ()] == [("page", True), ("url", False)]
    found = plan(page, shown)
    assert found.tasks["#.show.more"].given.inputs == {"#.fetch"}
    assert found.tasks["#.show.more"].gate == "#.show"


def test_another_type_than_the_writers_is_refused() -> None:
    """By the schemas: a text is no page."""
    with pytest.raises(DeclarationError, match=r"reads 'page' as another type than #\.a writes it: Page, and not str$"):
        plan(Task("a", show_url, dest="page"), Task("b", show))


def show_url(view: Fetch) -> str:
    """Return a text."""
    return view.url


def test_several_dests_are_fields_of_the_result() -> None:
    """Each with its own type; what is no field is refused, with the nearest."""

    class Sized(TaskInput):
        size: int

    def sized(view: Sized) -> int:
        return view.size

    plan(Task("fetch", fetch, dest=("path", "size")), Task("sized", sized))
    with pytest.raises(DeclarationError, match="no field 'sice' for dest=: did you mean 'size'"):
        Task("fetch", fetch, dest=("sice",))


def test_a_group_gives_a_dict() -> None:
    """Of what is directly below it, by name; another type of one of them is refused."""

    class All(TaskInput):
        pages: dict[str, Page]

    def count(view: All) -> int:
        return len(view.pages)

    many = [Task(f"p{one}", fetch) for one in range(3)]
    found = plan(Task("pages", subtasks=many, dest="pages"), Task("count", count))
    assert found.tasks["#.count"].given.inputs == {"#.pages.p0", "#.pages.p1", "#.pages.p2"}
    with pytest.raises(DeclarationError, match=r"writes it: dict\[str, Page\], and not dict\[str, Page \| str\]$"):
        plan(Task("pages", subtasks=[*many, Task("text", show_url)], dest="pages"), Task("count", count))
    nested = Task("g", subtasks=[Task("h", subtasks=many)], dest="pages")
    with pytest.raises(DeclarationError, match="'pages' as another type"):
        plan(nested, Task("count", count))


def test_what_a_generator_binds_is_part_of_what_a_task_is_given() -> None:
    """Plain values and models; what is no JSON does not count."""
    assert bound_of(fetch) == bound_of(None) == ""
    assert bound_of(partial(fixed, 3)) == bound_of(partial(fixed, 3)) != bound_of(partial(fixed, 4))
    assert bound_of(partial(fixed, size=3)) != bound_of(partial(fixed, size=4))
    assert bound_of(partial(fixed, Page(path="a"))) != bound_of(partial(fixed, Page(path="b")))  # type: ignore[arg-type]
    assert bound_of(partial(fixed, threading.Lock())) == bound_of(partial(fixed, threading.Lock()))  # type: ignore[arg-type]
    names = {"a", "b", "c", "d"}
    assert bound_of(partial(fixed, names)) == bound_of(partial(fixed, set(names)))  # type: ignore[arg-type]
    assert Task("a", partial(fixed, 3)).node.bound
    assert Task("a", fetch, condition=partial(at_least, 3)).node.asks_bound


def at_least(size: int, view: Show) -> bool:
    """Ask."""
    return view.page.size >= size


def test_a_condition_without_annotation_takes_the_tasks_view() -> None:
    """A lambda has none; a group's has to say."""
    assert Task("a", fetch, condition=lambda view: bool(view.url)).asks is Fetch  # type: ignore[attr-defined]
    with pytest.raises(DeclarationError, match="its condition does not say what it takes"):
        Task("a", condition=lambda _view: True, subtasks=[Task("b", fetch)])


def no_view(text: str) -> int:
    """Take no view."""
    return len(text)


def bare(view):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Say nothing."""
    return view


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "name": ({"name": "a.b"}, r"task 'a\.b': use 1 to 64"),
    "empty name": ({"name": ""}, "use 1 to 64"),
    "no name": ({"name": None}, "use 1 to 64"),
    "nothing to do": ({"task": None}, "neither a function nor subtasks"),
    "no function": ({"task": 3}, "its function is 3: give a function, not what it returns"),
    "another argument": ({"task": no_view}, "takes str: let it take a subclass of TaskInput"),
    "two arguments": ({"task": fixed}, "let it take a TaskInput alone, and bind the rest"),
    "no annotation": ({"task": bare}, "annotate it with a TaskInput"),
    "no condition": ({"condition": True}, "condition is True"),
    "async condition": ({"condition": fetch}, "condition is an async def"),
    "async debug": ({"debug": fetch}, "debug is an async def"),
    "async line": ({"on_complete": fetch}, "on_complete is an async def"),
    "order": ({"order": "both"}, "give 'parallel' or 'sequence'"),
    "on_failure": ({"on_failure": "skip"}, "give 'fail' or 'continue'"),
    "retries": ({"retries": 3}, r"give Retries\("),
    "timeout": ({"timeout": 0}, "is not positive"),
    "queue": ({"queue": "a b"}, "task 'a': queue name 'a b'"),
    "no queue": ({"queue": ""}, "task 'a': queue name ''"),
    "subtasks": ({"subtasks": [fetch]}, "is no Task"),
    "a text of subtasks": ({"subtasks": "abc"}, "give a list of Task"),
    "dests of a group": ({"task": None, "subtasks": [Task("b", fetch)], "dest": ("x",)}, "stand under one name"),
    "no field": ({"dest": ("x",)}, "no field 'x'"),
}


@pytest.mark.parametrize(("given", "why"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_work_is_refused_at_once(given: dict[str, Any], why: str) -> None:
    """Where it is declared, by the task's name."""
    with pytest.raises(DeclarationError, match=why):
        Task(**{"name": "a", "task": fetch, **given})


def test_a_call_in_place_of_a_function_is_told() -> None:
    """A coroutine knows of which function it is; nobody has to await it."""
    called: Any = fetch(Fetch(url="https://acme.example"))
    with pytest.raises(DeclarationError, match=r"its function is what fetch\(…\) returns: give fetch itself"):
        Task("a", called)


def test_a_tree_takes_tasks_alone() -> None:
    """Each by its path."""
    wrong: Any = fetch
    with pytest.raises(DeclarationError, match="is no Task"):
        Tree(wrong)
    tree = Tree(Task("a", fetch, subtasks=[Task("b", fetch)]), Task("c", fetch))
    assert sorted(tree.by_path()) == ["#.a", "#.a.b", "#.c"]
    assert repr(tree) == "<Tree of a, c>"
    assert repr(tree.tasks[0]) == "<Task a>"
    assert asyncio.iscoroutinefunction(tree.tasks[0].function)


def test_a_thousand_tasks_are_declared_in_a_moment() -> None:
    """What is read of a function or a view is read once."""
    tasks = [Task(f"t{one}", partial(fixed, one)) for one in range(1_000)]
    assert tasks[0].node.returns is tasks[-1].node.returns
    assert tasks[0].node.reads is tasks[-1].node.reads
