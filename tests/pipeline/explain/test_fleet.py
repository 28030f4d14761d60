"""`flow.explain` and `flow.states` know of which queues live processes have workers: they say so themselves."""

from __future__ import annotations

import asyncio

from redis import Redis

from tests.pipeline.parts import LONG, Order, Orders, Price, Priced, Ship, price, ship
from tests.waiting import until


async def test_workers_that_live_are_known(orders: Orders, redis: Redis, namespace: str) -> None:
    """A job behind one that runs waits for its turn; when the workers have stopped, nobody serves its queue."""
    go = asyncio.Event()

    async def slow(job: Price) -> Priced:
        await go.wait()
        return await price(job)

    first, second = await orders.create_jobs([Order(user_id=1), Order(user_id=2)])
    assert (await orders.explain(first)).reason == "no_workers"
    orders.create_workers(Price, slow)
    orders.create_workers(Ship, ship)
    async with orders:
        await until(lambda: redis.zcard(f"{namespace}flows:workers:price"))
        await until(lambda: redis.zcard(f"{namespace}queue:price:processing"))
        running, queued = await orders.explain(first), await orders.explain(second)
        assert running.reason == "running"
        assert queued.reason in {"queued", "busy"}  # the latter from the next heartbeat on
        assert queued.facts["serving"] == 1
        assert (await orders.queue(Price).state()).workers == 1
        go.set()
        await orders.wait_for(second, LONG)
    third = await orders.create_job(Order(user_id=3))
    explanation = await orders.explain(third)
    assert explanation.sentence == "it waits in 'price', and no process has workers of it: start one"
    assert (await orders.states())["price"].workers == 0
    await orders.stop_all()


async def test_a_process_that_was_killed_was_heard_of_last_by_its_heartbeat(
    orders: Orders, redis: Redis, namespace: str
) -> None:
    """Its last heartbeat says when; it counts for a while longer."""
    orders.create_workers(Price, price)
    async with orders:
        await until(lambda: redis.zcard(f"{namespace}flows:workers:price"))
        process = redis.zrange(f"{namespace}flows:workers:price", 0, 0)[0]
        text = redis.get(f"{namespace}flows:process:orders:{process}")
    # A process that stops takes these with it; one that is killed leaves them.
    redis.set(f"{namespace}flows:process:orders:{process}", str(text))
    redis.zadd(f"{namespace}flows:workers:price", {process: 1})
    explanation = await orders.explain(await orders.create_job(Order(user_id=1)))
    assert explanation.reason == "no_workers"
    assert "was heard of since" in explanation.sentence
    assert str(explanation.facts["last_heard"]) > "2020"
    await orders.stop_all()
