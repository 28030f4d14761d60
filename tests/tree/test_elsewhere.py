"""Instances on another server than the queue's: begun there, run here, and taken over where the two were parted."""

from __future__ import annotations

import pytest
from redis import Redis

from flows.model.ids import new_child_id
from flows.testing import private_server
from flows.tree import RedisIndex, RedisStorage, Task, Tree, Trees, current_task
from flows.tree.asked import Asked
from flows.tree.begin import begin
from flows.tree.takeover import Takeover
from tests.tree.site import Nothing, Site, Url, done, is_done, statuses
from tests.waiting import until


async def test_instances_stand_on_another_server(
    redis_url: str, namespace: str, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No key of an instance stands here, no job there; who dies between the two calls leaves nothing undone."""
    monkeypatch.setattr("flows.tree.takeover.PATIENCE_MS", 0)
    with private_server() as other, Redis.from_url(other, decode_responses=True) as there:
        trees = Trees(
            "imports",
            redis_url=redis_url,
            namespace=namespace,
            storage=RedisStorage(other),
            index=RedisIndex(other),
        )

        async def fetch(view: Url) -> str:
            current_task().progress(0.5, "half")
            return view.url

        async def last(view: Nothing) -> int:  # noqa: ARG001 - it is a task
            return 1

        @trees.generator("site")
        def site(data: Site) -> Tree:  # noqa: ARG001 - the tree is always the same
            return Tree(Task("fetch", fetch, queue="gpu"), Task("last", last))

        trees.create_workers(["default", "gpu"])
        async with trees:
            instance = await site.create(Site())
            assert statuses(await done(instance)) == {"fetch": "ok", "last": "ok"}
            assert await instance.result("#.fetch", str) == "u"
            assert not list(redis.scan_iter(f"{namespace}flows:tree:*"))
            assert list(redis.scan_iter(f"{namespace}job:run:*"))
            assert list(there.scan_iter(f"{namespace}flows:tree:*"))
            assert not list(there.scan_iter(f"{namespace}job:*"))

            other_one = await site.create(Site())
            host = trees._host
            await begin(host.storage, other_one.id, host.recipe("site"), new_child_id(other_one.id), Asked())
            await host.note()
            assert (await other_one.state()).status == "working"  # and nobody works on it
            await Takeover(host, trees._runs.host).tick()
            await until(lambda: is_done(other_one))
