"""`flow.explain` of jobs that the rules of their queue keep: doing what the sentence says makes the job run."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from redis import Redis

from flows import FlowOptions, Limiter, QueueOptions
from tests.pipeline.explain.scene import Scene, says
from tests.pipeline.parts import OrderFlow, Price, Ship

#: Each user's jobs are a group; those of the scene have the user 1.
GROUPED = {"group_by": "user_id"}


class Ruled:
    """Makes scenes whose first queue has rules."""

    def __init__(self, redis_url: str, redis: Redis, namespace: str) -> None:
        self._url, self._redis, self._namespace = redis_url, redis, namespace

    def __call__(self, **rules: Any) -> Scene:
        """Return the scene with these rules."""
        queues = [QueueOptions("price", Price, "ship", **rules), QueueOptions("ship", Ship)]
        options: FlowOptions[Any, Any] = FlowOptions(
            "orders", queues, ["user_id", "tags"], redis_url=self._url, namespace=self._namespace
        )
        return Scene(OrderFlow(options), self._redis, self._namespace)


@pytest.fixture
def ruled(redis_url: str, redis: Redis, namespace: str) -> Ruled:
    """Make scenes whose first queue has rules."""
    return Ruled(redis_url, redis, namespace)


def given_out(scene: Scene, window: str, tokens: int) -> None:
    """Let a window have given out tokens just now, as a turn keeps it."""
    pairs = json.dumps([int(time.time() * 1000), tokens])
    limiter, _, group = window.partition("/")
    if group:
        key, code = f"windows:{limiter}", "redis.call('HSET', KEYS[1], ARGV[2], cmsgpack.pack(cjson.decode(ARGV[1])))"
    else:
        key, code = f"window:{limiter}", "redis.call('SET', KEYS[1], cmsgpack.pack(cjson.decode(ARGV[1])))"
    scene.redis.eval(code, 1, f"{scene.namespace}flows:{key}", pairs, group)


async def test_a_held_queue(ruled: Ruled) -> None:
    """The hold is ended."""
    scene = ruled(max_concurrency=5)
    job_id = await scene.created()
    await scene.flow.queue("price").hold(60)
    found = await scene.flow.explain(job_id)
    assert says(found, "held", "it waits in 'price', and 'price' is held until", "flow.queue(…).hold(0) ends that")
    assert found.facts["held"] == "queue"
    await scene.flow.queue("price").hold(0)
    await scene.runs(job_id)


async def test_a_held_group(ruled: Ruled) -> None:
    """The hold of the group is ended."""
    scene = ruled(**GROUPED)
    job_id = await scene.created()
    await scene.flow.queue("price").hold(60, group=1)
    found = await scene.flow.explain(job_id)
    assert says(found, "held", "and its group 1 is held until", "flow.queue(…).hold(0, group=…) ends that")
    assert (found.facts["held"], found.facts["group"]) == ("group", "1")
    await scene.flow.queue("price").hold(0, group=1)
    await scene.runs(job_id)


async def test_rate_limited(ruled: Ruled) -> None:
    """More tokens are given."""
    scene = ruled(limits=[Limiter(2, 3_600), Limiter(50, 1, id="api")])
    given_out(scene, "price:1", 2)
    job_id = [await scene.created() for _ in range(3)][-1]
    scene.serve()
    found = await scene.flow.explain(job_id)
    assert says(
        found, "rate_limited", "the limiter 'price:1' has given out 2 of 2: the next start is possible in 59 min"
    )
    assert "2 others are ahead" in found.sentence
    assert found.facts["limiter"] == ["price:1", 2, 2]
    await scene.flow.queue("price").set_limit("price:1", 100)
    await scene.runs(job_id)


async def test_a_job_that_costs_more_waits_longer(ruled: Ruled) -> None:
    """One that costs a single token would start at once."""
    scene = ruled(limits=[Limiter(2, 3_600)])
    given_out(scene, "price:1", 1)
    cheap, dear = await scene.created(), await scene.created(cost=2)
    scene.serve()
    assert says(await scene.flow.explain(cheap), "queued", "it waits in 'price'")
    assert says(await scene.flow.explain(dear), "rate_limited", "has given out 1 of 2")


async def test_group_limited(ruled: Ruled) -> None:
    """The group gets more tokens."""
    scene = ruled(limits=[Limiter(2, 3_600, group_key="user_id")])
    given_out(scene, "price:1/1", 2)
    job_id = await scene.created()
    scene.serve()
    found = await scene.flow.explain(job_id)
    assert says(found, "group_limited", "the limiter 'price:1' has given out 2 of 2 to its group 1: the next start is")
    await scene.flow.queue("price").set_limit("price:1", 100, group=1)
    await scene.runs(job_id)


async def test_slots(ruled: Ruled) -> None:
    """There are more slots; the job that has the first one is left to its worker, which is gone."""
    scene = ruled(max_concurrency=1)
    await scene.claimed()
    job_id = await scene.created()
    scene.serve()
    found = await scene.flow.explain(job_id)
    assert says(found, "slots", "and 1 of 1 slots are taken: it starts when jobs have ended")
    assert found.facts["slots"] == [1, 1]
    await scene.flow.queue("price").set_concurrency(5)
    await scene.runs(job_id)


async def test_group_slots(ruled: Ruled) -> None:
    """There are more slots for the group."""
    scene = ruled(**GROUPED, max_concurrency_per_group=1)
    first = await scene.claimed()
    scene.redis.hset(f"{scene.namespace}flows:slots:price", first, "1 1")
    scene.redis.hset(f"{scene.namespace}flows:load:price", "1", 1)
    job_id = await scene.created()
    scene.serve()
    found = await scene.flow.explain(job_id)
    assert says(found, "group_slots", "and its group 1 has taken 1 of its 1 slots: it starts when jobs of the group")
    await scene.flow.queue("price").set_concurrency(5, group=1)
    await scene.runs(job_id)
