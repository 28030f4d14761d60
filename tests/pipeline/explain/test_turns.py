"""`flow.explain` of jobs that wait for their turn: doing what the sentence says makes the job run."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from datetime import timedelta

from redis import Redis

from flows import Flow, FlowOptions, QueueOptions, Retries
from tests.pipeline.explain.scene import Scene, says
from tests.pipeline.parts import LONG, Order, Orders, Price, Priced, Ship, price, ship, within
from tests.waiting import until


async def test_queued(scene: Scene) -> None:
    """Others are ahead: it waits for its turn."""
    job_id = [await scene.created() for _ in range(3)][-1]
    scene.serve()
    found = await scene.flow.explain(job_id)
    assert says(found, "queued", "it waits in 'price', and 2 others are ahead")
    assert (found.facts["ahead"], found.facts["queue"], found.facts["status"]) == (2, "price", "waiting")
    await scene.runs(job_id)


async def test_queued_with_a_rate(scene: Scene) -> None:
    """Where its queue has a history of the last minutes, the sentence says how long that takes."""
    job_id = [await scene.created() for _ in range(3)][-1]
    scene.serve()
    minute = int(time.time()) // 60
    # Of the minute that has ended when the script runs; the next one is there in case that it ends just now.
    scene.redis.hset(f"{scene.namespace}flows:stats:price", mapping={f"m{minute + at}": "||0:2|" for at in (-1, 0)})
    found = await scene.flow.explain(job_id)
    assert says(found, "queued", "it waits in 'price', and 2 others are ahead; at 2 a minute that is 60 s")
    assert found.facts["rate"] == 2
    await scene.runs(job_id)


async def test_busy(scene: Scene) -> None:
    """More workers are started, and one of them takes it while the other job still runs."""
    started, go = asyncio.Event(), asyncio.Event()

    async def slow(job: Price) -> Priced:
        started.set()
        await go.wait()
        return await price(job)

    first = await scene.created()
    scene.flow.create_workers("price", slow)
    scene.flow.create_workers("ship", ship)
    async with scene.flow:
        await started.wait()
        second = await scene.created()

        async def busy() -> bool:
            return (await scene.flow.explain(second)).reason == "busy"

        await until(busy)  # heartbeats come twice a second
        found = await scene.flow.explain(second)
        words = f"the only slot of 1 process is busy; {first} runs for"
        assert says(found, "busy", "it waits in 'price', and", words, f" on {socket.gethostname()}.{os.getpid()}: wait")
        assert (found.facts["worker_slots"], found.facts["busy"]) == (1, 1)
        scene.flow.create_workers("price", price)
        assert (await scene.flow.wait_for(second, LONG)).status == "done"
        assert (await scene.flow.explain(first)).reason == "running"
        go.set()
        assert (await scene.flow.wait_for(first, LONG)).status == "done"


async def test_no_workers(scene: Scene) -> None:
    """A process with workers of the queue is started."""
    job_id = await scene.created()
    assert says(await scene.flow.explain(job_id), "no_workers", "and no process has workers of it: start one")
    scene.redis.zadd(f"{scene.namespace}flows:workers:price", {"other.1": time.time() * 1000 - 5000})
    assert says(await scene.flow.explain(job_id), "no_workers", "was heard of since")
    await scene.runs(job_id)


async def test_misfit(scene: Scene) -> None:
    """The field is written that the class needs."""
    job_id = await scene.created()
    scene.serve()
    scene.redis.hdel(scene.hash(job_id), "user_id")
    assert says(await scene.flow.explain(job_id), "misfit", "Price needs 'user_id', which it lacks")
    scene.redis.delete(f"{scene.namespace}flows:flow:orders")  # then by the class of this program
    assert says(await scene.flow.explain(job_id), "misfit", "Price needs 'user_id', which it lacks")
    scene.redis.hset(scene.hash(job_id), "user_id", "1")
    await scene.runs(job_id)


async def test_undeclared(scene: Scene, redis_url: str) -> None:
    """The queue was renamed without a word of it: it is named in `formerly=`."""
    job_id = await scene.created()
    scene.serve()

    def renamed(*formerly: str) -> Orders:
        queues: list[QueueOptions[Price | Ship]] = [
            QueueOptions("pricing", job=Price, next_queue="ship", formerly=formerly),
            QueueOptions("ship", job=Ship),
        ]
        options = FlowOptions("orders", queues, redis_url=redis_url, namespace=scene.namespace)
        return Flow[Price | Ship, Order](options)  # type: ignore[return-value]

    scene.redis.hset(scene.hash(job_id), mapping={"_status": "waiting", "_queue": "price"})
    found = await renamed().explain(job_id)
    assert says(found, "undeclared", "it waits in 'price', which its flow does not declare any more")
    scene.flow = renamed("price")
    scene.flow.create_workers("pricing", price)
    scene.flow.create_workers("ship", ship)
    async with scene.flow:
        assert (await scene.flow.wait_for(job_id, LONG)).status == "done"


async def test_isolated(scene: Scene) -> None:
    """It was rescued twice: a worker that runs nothing else takes it."""
    job_id = await scene.created()
    scene.serve()
    scene.redis.hset(scene.hash(job_id), "_attempt", "2 other.1.dead 2 0 2 1000 -")
    assert says(await scene.flow.explain(job_id), "isolated", "was rescued 2 times there")
    await scene.runs(job_id)


async def test_delayed_and_due(scene: Scene) -> None:
    """Its time comes, and the next claim takes it."""
    job_id = await scene.created(delay=timedelta(hours=1))
    scene.serve()
    found = await scene.flow.explain(job_id)
    assert says(found, "delayed", "it is delayed in 'price' until", "min more (it was created with a delay)")
    assert "delayed_until" in found.facts
    scene.score("delayed", job_id, -2)
    assert says(await scene.flow.explain(job_id), "due", "it is due in 'price' since")
    await scene.runs(job_id)


async def test_delayed_by_a_retry(redis: Redis, redis_url: str, namespace: str) -> None:
    """The sentence says how the last attempt failed; when its time has come, the next one begins."""
    retries = Retries(5, backoff=timedelta(hours=1))
    options = FlowOptions(
        "orders", [QueueOptions("price", job=Price, retries=retries)], redis_url=redis_url, namespace=namespace
    )
    flow = Flow[Price, Order](options)

    async def fails_at_first(job: Price) -> Priced:
        if job.attempt == 1:
            raise ValueError("no price")
        return await price(job)

    flow.create_workers(Price, fails_at_first)
    recorded = asyncio.create_task(flow.events.wait_for("job.recorded", queue="price"))
    job_id = await flow.create_job(Order(user_id=1))
    async with flow:
        await within(recorded)
        found = await flow.explain(job_id)
        assert says(found, "delayed", "(attempt 1 failed by ValueError: no price)")
        assert found.facts["put_off_by"] == "retry"
    redis.zadd(f"{namespace}queue:price:delayed", {job_id: time.time() * 1000})  # the hour has passed
    async with flow:
        assert (await flow.wait_for(job_id, LONG)).status == "done"
