"""`flow.position`: how far a job is from its turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from flows import Position, ValidationError
from flows.model.ids import new_job_id
from tests.pipeline.parts import LONG, Order, Orders, price, ship


async def test_the_position_of_jobs_that_wait_and_of_others(orders: Orders) -> None:
    """Those that were created earlier are ahead; a job that has ended, or never was, has no position."""
    ids = await orders.create_jobs(Order(user_id=number) for number in range(3))
    assert [await orders.position(job_id) for job_id in ids] == [Position(n, exact=True) for n in range(3)]
    assert await orders.position(new_job_id()) is None
    with pytest.raises(ValidationError, match="is no job id"):
        await orders.position("1")
    orders.create_workers("price", price)
    orders.create_workers("ship", ship)
    async with orders:
        await orders.wait_for(ids[0], LONG)
        assert await orders.position(ids[0]) is None


def test_a_plain_caller_asks_too(orders: Orders, redis: Redis, namespace: str) -> None:
    """Of a delayed job, it says when it is due."""
    job_id = orders.sync.create_job(Order(user_id=1))
    assert orders.sync.position(job_id) == Position(0, exact=True)
    due = datetime(2099, 1, 1, tzinfo=UTC)
    edited: Any = {"_status": "delayed", "_queue": "price"}
    redis.hset(f"{namespace}job:orders:{job_id}", mapping=edited)
    redis.zadd(f"{namespace}queue:price:delayed", {job_id: due.timestamp() * 1000, "other": 1})
    assert orders.sync.position(job_id) == Position(1, exact=True, delayed_until=due)
    redis.zadd(f"{namespace}queue:price:delayed", {job_id: "inf"})
    found = orders.sync.position(job_id)
    assert found is not None
    assert found.delayed_until is not None
    assert found.delayed_until > due + timedelta(days=365)
    orders.sync.close()
