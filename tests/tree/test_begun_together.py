"""Where storage and queue are one server, an execution begins with its run: no call may come between the two."""

from __future__ import annotations

import asyncio

import pytest
from redis import Redis

from flows.errors import FlowsError
from flows.model.tree.errors import TreeBusy
from flows.tree import Task, Tree, Trees
from flows.tree.backend.kernel import KernelBackend
from flows.tree.backend.runs import under_way
from tests.tree.site import Site, Url


async def test_executions_begin_with_their_runs(
    redis_url: str, namespace: str, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many at once; of two of one instance one; and each is worked on."""
    trees = Trees("imports", redis_url=redis_url, namespace=namespace)

    async def fetch(view: Url) -> str:
        return view.url

    @trees.generator("site")
    def site(data: Site) -> Tree:  # noqa: ARG001 - the tree is always the same
        return Tree(Task("fetch", fetch))

    async def never(*_: object) -> None:
        raise FlowsError("a second call")

    monkeypatch.setattr(KernelBackend, "start", never)
    async with trees:
        instances = [await site.create(Site(url=str(n))) for n in range(20)]
        found = await asyncio.gather(
            *(one.execute_all() for one in instances for _ in range(2)), return_exceptions=True
        )
        begun = [one for one in found if not isinstance(one, BaseException)]
        assert [type(one) for one in found if isinstance(one, BaseException)] == [TreeBusy] * 20
        assert sorted(one.instance_id for one in begun) == sorted(one.id for one in instances)
        assert await under_way(trees._runs.host, [one.id for one in begun]) == [True] * 20
        waiting = redis.lrange(f"{namespace}queue:tree.imports:waiting", 0, -1)
        assert sorted(waiting) == sorted(one.id for one in begun)  # type: ignore[type-var,arg-type]
    trees.create_workers()
    async with trees:
        for one in begun:
            assert (await one.wait(60)).status == "done"
