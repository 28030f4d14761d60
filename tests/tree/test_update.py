"""What an update makes stale, and what of stale results can be read."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from flows.errors import StateError
from flows.model.tree.errors import (
    TreeFailed,
    UnknownPath,
)
from flows.tree.annotations import TaskInput
from flows.tree.declare import Task
from flows.tree.generator import Generator
from flows.tree.trees import Trees
from tests.tree.site import (
    Site,
    Url,
    Wanted,
    calls,
    done,
    nothing,
    statuses,
    tree_of,
)


async def test_an_update_makes_stale_what_read_it_and_its_users(site: Generator[Site]) -> None:
    """No more, no less; and one execution of the last makes all of it new."""
    instance = await site.create(Site())
    await done(instance)
    await instance.update(Site(limit=2))
    assert statuses(await instance.state()) == {
        "fetch": "ok", "images": "ok", "images.w1": "ok", "images.w2": "ok", "publish": "ok*",
    }  # fmt: skip
    await instance.update(Site(url="v", limit=1))
    assert statuses(await instance.state())["publish"] == "ok*"
    assert statuses(await instance.state())["images.w1"] == "ok*"
    calls.clear()
    state = await done(instance, "#.publish", missing="run")
    assert sorted(calls) == ["fetch", "publish", "w1", "w2"]
    assert set(statuses(state).values()) == {"ok"}
    await instance.update(Site(url="v", limit=1))
    assert set(statuses(await instance.state()).values()) == {"ok"}


async def test_an_update_changes_the_tree(site: Generator[Site]) -> None:
    """New tasks are inactive, those that are gone leave nothing, and what needs all of them is stale."""
    instance = await site.create(Site(sizes=[3]))
    await done(instance)
    await instance.update(Site(sizes=[4]))
    assert statuses(await instance.state()) == {
        "fetch": "ok", "images": "inactive", "images.w1": "ok", "images.w2": "ok", "images.w4": "inactive",
        "publish": "ok*",
    }  # fmt: skip
    calls.clear()
    await done(instance, "#.publish", missing="run")
    assert calls == ["w4", "publish"]
    with pytest.raises(UnknownPath):
        await instance.result("#.images.w3", int)


async def test_a_stale_result_can_be_read_until_another_one_is_there(trees: Trees) -> None:
    """Also while its task is queued or running, and after it has failed."""
    is_bad = False

    def maybe(view: Url) -> str:
        if is_bad:
            raise ValueError("no")
        return view.url

    instance = await tree_of(trees, Task("a", nothing), Task("b", maybe)).create(Site(url="first"))
    await done(instance)
    is_bad = True
    await instance.update(Site(url="second"))
    assert await instance.result("#.b", str) == "first"
    with pytest.raises(TreeFailed):
        await done(instance, "#.b")
    assert await instance.result("#.b", str) == "first"
    assert (await instance.state()).tasks["#.b"].bytes == 7


async def test_fields_of_a_result_and_results_of_groups_are_read(trees: Trees) -> None:
    """Each field under its own name; in a group, the whole result; groups in groups, without what was skipped."""

    class Page(BaseModel):
        path: str
        size: int = 3

    class Size(TaskInput):
        size: int

    class All(TaskInput):
        pages: dict[str, Any]
        data: Site

    def page(view: Url) -> Page:
        return Page(path=view.url)

    def size(view: Size) -> int:
        return view.size

    def all_of(view: All) -> str:
        return f"{view.pages} {view.data.url}"

    inner = Task("inner", subtasks=[Task("small", size), Task("not", size, condition=lambda _view: False)])
    shut = Task("shut", subtasks=[Task("x", size)], condition=is_not_wanted)
    made = tree_of(
        trees,
        Task("g", dest="pages", subtasks=[Task("page", page, dest=("path", "size")), inner, shut]),
        Task("all", all_of),
    )
    instance = await made.create(Site())
    await done(instance)
    assert await instance.result("#.g.inner.small", int) == 3
    pages = {"page": {"path": "u", "size": 3}, "inner": {"small": 3}}
    assert await instance.result("#.g", dict[str, Any]) == pages
    assert await instance.result("#.all", str) == f"{pages} u"
    with pytest.raises(StateError):
        await instance.result("#.g.shut", dict[str, int])


def is_not_wanted(view: Wanted) -> bool:
    """Ask."""
    return not view.wanted
