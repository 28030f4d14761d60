"""What create_job sends: one transaction, as the design says, seen by MONITOR."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis
from redis.client import Monitor

from flows.testing import private_server
from tests.pipeline.parts import Order, order_flow


@pytest.fixture
def url() -> Iterator[str]:
    """Run a server that nobody else talks to."""
    with private_server() as url:
        yield url


def until_ping(monitor: Monitor) -> list[str]:
    """Return the commands that were seen before a PING."""
    sent: list[str] = []
    for seen in monitor.listen():
        if seen["command"] == "PING":
            break
        sent.append(seen["command"])
    return sent


async def test_one_job_is_one_transaction(url: str) -> None:
    """MULTI, HSET, EXPIRE, for each lookup RPUSH and EXPIRE, RPUSH to the queue, EXEC; a wake-up may stand beside."""
    flow = order_flow(url, "")
    await flow.start_all()
    with Redis.from_url(url) as redis, redis.monitor() as monitor:
        redis.ping()
        until_ping(monitor)
        job_id = await flow.create_job(Order(user_id=62, tags=["a", "b"]))
        redis.ping()
        sent = until_ping(monitor)
    await flow.stop_all()
    assert [line for line in sent if "flows:wake:" not in line] == [
        "MULTI",
        f'HSET job:orders:{job_id} user_id 62 tags ["a","b"] _lookups user_id:62\\ntags:a\\ntags:b',
        f"EXPIRE job:orders:{job_id} 2592000",
        f"RPUSH job:orders:user_id:62 {job_id}",
        "EXPIRE job:orders:user_id:62 2592000",
        f"RPUSH job:orders:tags:a {job_id}",
        "EXPIRE job:orders:tags:a 2592000",
        f"RPUSH job:orders:tags:b {job_id}",
        "EXPIRE job:orders:tags:b 2592000",
        f"RPUSH queue:price:waiting {job_id}",
        "EXEC",
    ]


async def test_without_a_ttl_there_is_no_expire(url: str) -> None:
    """With job_ttl=None the same transaction has no EXPIRE, and a job without lookups has no list."""
    flow = order_flow(url, "", job_ttl=None)
    await flow.start_all()
    with Redis.from_url(url) as redis, redis.monitor() as monitor:
        redis.ping()
        until_ping(monitor)
        await flow.create_job(Order(user_id=1))
        redis.ping()
        verbs = [line.split()[0] for line in until_ping(monitor)]
    await flow.stop_all()
    assert [verb for verb in verbs if verb != "ZADD"] == ["MULTI", "HSET", "RPUSH", "RPUSH", "EXEC"]
