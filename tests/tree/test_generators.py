"""Instances are created, found and destroyed; generators are checked."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from pydantic import RootModel

from flows.errors import DeclarationError, IdempotencyConflict, ValidationError
from flows.model.ids import new_job_id
from flows.model.tree.errors import (
    InstanceGone,
    UnknownGenerator,
)
from flows.tree.declare import Task, Tree
from flows.tree.generator import Generator
from flows.tree.index.protocol import Find, InstancePage
from flows.tree.storage.memory import MemoryStorage
from flows.tree.storage.protocol import InstanceRow
from flows.tree.trees import Trees
from tests.tree.in_memory import trees_in_memory
from tests.tree.site import (
    Site,
    calls,
    done,
    is_done,
    nothing,
    publish,
    tree_of,
)
from tests.waiting import until


async def test_a_key_has_one_instance(trees: Trees, site: Generator[Site]) -> None:
    """What is sent twice is made once, and executed once; other data needs another key."""
    made = await asyncio.gather(*(site.create(Site(), idempotency_key="k", execute=True) for _ in range(5)))
    assert len({one.id for one in made}) == 1
    state = await made[0].state()
    await until(lambda: is_done(made[0]))
    again = await site.create(Site(), idempotency_key="k", execute=True)
    assert (await again.state()).execution == state.execution
    assert calls.count("fetch") == 1
    with pytest.raises(IdempotencyConflict, match="give what is another instance another key"):
        await site.create(Site(limit=3), idempotency_key="k")
    with pytest.raises(IdempotencyConflict):
        await tree_of(trees, Task("a", nothing)).create(Site(), idempotency_key="k")
    await again.destroy()
    assert (await site.create(Site(limit=3), idempotency_key="k")).id != again.id


async def test_instances_are_found(trees: Trees, site: Generator[Site]) -> None:
    """By realm, labels, name and status; in pages."""
    made = [await site.create(Site(), realm=f"r{at % 2}", name=f"n{at}", labels={"at": str(at)}) for at in range(5)]
    await done(made[2])
    rows = (await trees.find(Find(realm="r0"))).rows
    assert [one.name for one in rows] == ["n4", "n2", "n0"]

    async def is_known() -> bool:
        return bool((await trees.find(Find(status="done"))).rows)

    await until(is_known)  # who waits for an end does not wait for the index
    assert [(one.id, one.progress) for one in (await trees.find(Find(status="done"))).rows] == [(made[2].id, 1.0)]
    assert [one.name for one in (await trees.find(Find(labels={"at": "3"}))).rows] == ["n3"]
    await made[3].update(name="other", labels={"at": "9"})
    assert [one.id for one in (await trees.find(Find(labels={"at": "9"}, name="oth*"))).rows] == [made[3].id]
    found = await trees.get(made[1].id)
    assert found is not None
    assert (found.id, found.generator, await found.data()) == (made[1].id, "site", Site())
    assert await site.get(made[1].id) is not None
    assert await trees.reindex() == 5
    assert await trees.destroy_realm("r0") == 3
    assert [one.name for one in (await trees.find(Find())).rows] == ["other", "n1"]
    assert await trees.get(made[0].id) is None
    assert not await made[0].destroy()
    with pytest.raises(ValidationError):
        await trees.destroy_realm("")


async def test_an_app_indexes_what_is_its_own(trees: Trees, site: Generator[Site]) -> None:
    """Of a storage that it shares with others, who may have other indexes."""
    await site.create(Site())
    host = trees._host
    await host.storage.create(InstanceRow(new_job_id(), "others", "site"), b"{}", b'{"data":[],"tasks":[]}')
    assert await trees.reindex() == 1
    assert (await host.index.find("others", Find())).rows == []


async def test_an_index_forgets_what_is_gone(
    trees: Trees, site: Generator[Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that nobody has taken out: by `reindex`, in pages, and by whoever destroys them once more."""
    monkeypatch.setattr("flows.tree.outbox.MOST", 2)
    host, made = trees._host, [await site.create(Site(), realm="r") for _ in range(3)]
    gone = [InstanceRow(new_job_id(), "imports", "site", realm="r", created=at) for at in range(5)]
    await host.index.put(gone)
    assert await trees.reindex() == 3
    assert {one.id for one in (await trees.find(Find())).rows} == {one.id for one in made}
    await host.index.put(gone)
    assert not await host.destroy(gone[0].id)
    assert await trees.destroy_realm("r") == 3
    assert (await trees.find(Find())).rows == []


async def test_what_is_created_meanwhile_stays_in_the_index(
    trees: Trees, site: Generator[Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`reindex` has not seen it in the storage, and finds it in the index."""
    host = trees._host
    find = host.index.find

    async def found(app: str, query: Find) -> InstancePage:
        await site.create(Site(), name="new")
        return await find(app, query)

    monkeypatch.setattr(host.index, "find", found)
    assert await trees.reindex() == 0
    monkeypatch.undo()
    assert [one.name for one in (await trees.find(Find())).rows] == ["new"]


async def test_an_ephemeral_instance_goes_soon_after_its_end() -> None:
    """Who looks again in that time sees how it ended; others stay."""
    now = [1000.0]
    storage = MemoryStorage(lambda: now[0])
    async with trees_in_memory("imports", storage=storage, ephemeral_ttl=timedelta(minutes=1)) as trees:
        made = tree_of(trees, Task("a", nothing))
        short, long = await made.create(Site(), ephemeral=True), await made.create(Site())
        for instance in (short, long):
            await done(instance)
        now[0] += 59
        assert (await short.state()).status == "done"
        await done(short)
        now[0] += 59
        assert (await short.state()).status == "done"
        now[0] += 2
        with pytest.raises(InstanceGone):
            await short.state()
        assert (await long.state()).status == "done"


async def test_generators_are_checked(trees: Trees) -> None:
    """When they are declared, and when they have made a tree: nothing is written then."""
    with pytest.raises(DeclarationError, match="let its function take a pydantic model"):
        trees.generator("a")(lambda_of_int)  # type: ignore[arg-type]
    with pytest.raises(DeclarationError, match="a pydantic model that has fields"):
        trees.generator("a")(of_root)
    with pytest.raises(DeclarationError, match="'data' has no annotation: annotate it with the pydantic model"):
        trees.generator("a")(lambda data: data)
    with pytest.raises(DeclarationError, match="takes 2 arguments"):
        trees.generator("a")(two)  # type: ignore[arg-type]
    with pytest.raises(DeclarationError, match="generator name 'a b'"):
        trees.generator("a b")
    with pytest.raises(DeclarationError, match="is no function"):
        trees.generator("a")(3)  # type: ignore[arg-type]

    @trees.generator("none")
    def none(data: Site) -> Tree:
        return data  # type: ignore[return-value]

    @trees.generator("wrong")
    def wrong(data: Site) -> Tree:  # noqa: ARG001 - its tree does not depend on it
        return Tree(Task("a", publish))

    with pytest.raises(DeclarationError, match="has a generator 'none' already"):
        trees.generator("none")
    with pytest.raises(DeclarationError, match=r"returned a Site: let it return Tree"):
        await none.create(Site())
    with pytest.raises(DeclarationError, match=r"#\.a: nobody before it writes 'pages'"):
        await wrong.create(Site())
    assert (await trees.find(Find())).rows == []
    wrong_data: Any = {"limit": "a", "sizes": [1, "b"], "adress": "u"}
    with pytest.raises(
        ValidationError, match=r"is no Site: sizes\[1\]: Input .*; limit: Input .*; it has no field 'adress'$"
    ):
        await none.create(wrong_data)
    with pytest.raises(ValidationError):
        await none.create("x")  # type: ignore[arg-type]


def lambda_of_int(data: int) -> Tree:
    """Take no model."""
    return Tree(Task(str(data), nothing))


class Root(RootModel[list[int]]):
    """A model without fields."""


def of_root(data: Root) -> Tree:
    """Take a model without fields."""
    return Tree(Task(str(data), nothing))


def two(data: Site, more: int) -> Tree:
    """Take too much."""
    return Tree(Task(f"{data}{more}", nothing))


async def test_an_app_that_has_a_generator_no_more_says_so() -> None:
    """With the nearest that it has."""
    storage = MemoryStorage()
    async with (
        trees_in_memory("imports", storage=storage) as trees,
        trees_in_memory("imports", storage=storage) as later,
    ):
        instance = await tree_of(trees, Task("a", nothing), name="site").create(Site())
        tree_of(later, Task("a", nothing), name="sites")
        with pytest.raises(UnknownGenerator, match="did you mean 'sites'"):
            await later.get(instance.id)
    async with trees_in_memory("others", storage=storage) as others:
        assert await others.get(instance.id) is None
