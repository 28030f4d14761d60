"""Hooks are told of ends, at least once, though a worker dies and though the instance is executed again at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from flows.model.tree.errors import InstanceGone, TreeBusy, TreeFailed
from flows.model.verdict import Fail
from flows.tree.codeless import codeless_host
from flows.tree.declare import Task, Tree
from flows.tree.generator import Generator
from flows.tree.instance import Instance
from flows.tree.trees import Trees
from tests.tree.in_memory import trees_in_memory
from tests.tree.kernel_world import Nothing, Number, Site, World, done, tree_of
from tests.waiting import LONG, until


def task(view: Number) -> int:
    """Return it."""
    return view.n


class App:
    """An app whose hook stands still until it may go on, and the process of which may die meanwhile."""

    def __init__(self, redis_url: str, namespace: str) -> None:
        self._where = {"redis_url": redis_url, "namespace": namespace}
        self.told: list[str] = []
        self.may_go_on = asyncio.Event()

    async def on_complete(self, instance: Instance[Any]) -> None:
        """Note which execution is done."""
        self.told.append((await instance._host.load(instance.id)).record.run)
        await self.may_go_on.wait()

    @asynccontextmanager
    async def process(self, *, works: bool = True) -> AsyncIterator[tuple[Trees, Generator[Site]]]:
        """Start a process of the app; at the end of the block it stops at once, whatever it does."""
        trees = Trees("hooks", **self._where, on_complete=self.on_complete)

        @trees.generator("site")
        def site(_: Site) -> Tree:
            return Tree(Task("a", task))

        if works:
            trees.create_workers(concurrency=2)
        await trees.start()
        try:
            yield trees, site
        finally:
            await trees.stop(0)


@pytest.fixture
def app(redis_url: str, namespace: str) -> App:
    """Return the app."""
    return App(redis_url, namespace)


async def test_hooks_are_told(redis_url: str, namespace: str) -> None:
    """When an execution is done, when one has failed, before an instance goes; what they raise is logged."""
    told: list[str] = []

    async def on_complete(instance: Instance[Any]) -> None:
        told.append(f"complete {instance.id} {(await instance.state()).status}")
        raise ValueError("no room")

    def on_error(instance: Instance[Any], error: TreeFailed) -> None:
        told.append(f"error {instance.id} {error.path}")

    def on_destroy(instance: Instance[Any]) -> None:
        told.append(f"destroy {instance.id}")

    trees = World(redis_url, namespace).trees(on_complete=on_complete, on_error=on_error, on_destroy=on_destroy)

    async def good(view: Nothing) -> None:
        pass

    async def bad(view: Nothing) -> None:  # noqa: ARG001 - it is a task
        raise Fail("no")

    fine, wrong = tree_of(trees, Task("a", good)), tree_of(trees, Task("b", bad), name="wrong")
    async with trees:
        one, other = await fine.create(Site()), await wrong.create(Site())
        await done(one)
        with pytest.raises(TreeFailed):
            await done(other)
        await until(lambda: len(told) == 2)
        assert sorted(told) == sorted([f"complete {one.id} done", f"error {other.id} #.b"])

        async def is_logged() -> bool:
            return "on_complete has failed: ValueError: no room" in [line.text for line in await one.log("#")]

        await until(is_logged)
        await one.destroy()
        assert told[2:] == [f"destroy {one.id}"]
        with pytest.raises(InstanceGone):
            await one.state()


@pytest.mark.parametrize("who", ["the app", "an operator"])
async def test_an_end_is_told_though_the_instance_is_executed_again(
    app: App, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever executes it waits until that is told, by another worker where the first has died."""
    monkeypatch.setattr("flows.tree.host._OVER", LONG)
    async with app.process(works=False) as (away, site):
        host = (
            away._host
            if who == "the app"
            else codeless_host("hooks", away._runs.host, away._host.storage, away._host.index)
        )
        async with app.process():
            instance = await site.create(Site())
            first = await instance.execute_all()
            await until(lambda: app.told)
            assert (await instance.state()).status == "done"
            second = asyncio.create_task(Instance(host, None, instance.id).execute_all())
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(second), 0.1)
        app.may_go_on.set()
        async with app.process():
            execution = await second
            await until(lambda: execution.id in app.told)
    # By the first worker, which has not come back from it, and by the second.
    assert app.told[:2] == [first.id] * 2
    assert set(app.told) == {first.id, execution.id}


async def test_a_hook_that_takes_long_keeps_the_instance_busy(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who cannot wait so long is told which execution it is."""
    monkeypatch.setattr("flows.tree.host._OVER", 0.05)
    async with app.process() as (_trees, site):
        instance = await site.create(Site())
        first = await instance.execute_all()
        await until(lambda: app.told)
        with pytest.raises(TreeBusy) as busy:
            await instance.execute_all()
        assert busy.value.execution == first.id
        app.may_go_on.set()


@pytest.mark.parametrize("where", ["workers", "here"])
async def test_a_hook_may_execute_its_instance_again(redis_url: str, namespace: str, where: str) -> None:
    """It is not waited for by itself."""
    told: list[str] = []

    async def on_complete(instance: Instance[Any]) -> None:
        told.append((await instance.state()).status)
        if len(told) == 1:
            await instance.execute_all()

    if where == "here":
        trees = trees_in_memory("hooks", on_complete=on_complete)
    else:
        trees = Trees("hooks", redis_url=redis_url, namespace=namespace, on_complete=on_complete)
        trees.create_workers()

    @trees.generator("site")
    def site(_: Site) -> Tree:
        return Tree(Task("a", task))

    async with trees:
        await site.create(Site(), execute=True)
        async with asyncio.timeout(LONG):
            await until(lambda: len(told) == 2)
    assert told == ["done", "done"]
