"""When a queue has something to do, for who would start a worker only then."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from flows.store.client.connection import Connection
from flows.store.jobs.upcoming import seconds_until_work
from tests.world import World


@pytest_asyncio.fixture
async def connection(redis_url: str) -> AsyncIterator[Connection]:
    """Open a connection."""
    connection = Connection(redis_url, "test-upcoming")
    yield connection
    await connection.close()


def now_ms(world: World) -> int:
    """Return the server's time."""
    seconds, micro = world.redis.time()  # type: ignore[misc]
    return int(seconds) * 1000 + int(micro) // 1000


@pytest.mark.parametrize(
    ("place", "least", "most"),
    [
        ({}, math.inf, math.inf),
        ({"waiting": ["1"]}, 0, 0),
        ({"delayed": {"1": 60_000, "2": 900_000}}, 55, 60),
        ({"processing": {"1": 30_000}}, 25, 30),
        ({"processing": {"1": -1}}, 0, 0),
        ({"delayed": {"1": -1}, "processing": {"2": 9000}}, 0, 0),
        ({"waiting": "theirs", "delayed": {"1": 60_000}}, 55, 60),
        ({"processing": "theirs"}, math.inf, math.inf),
    ],
)
async def test_the_next_thing_to_do(
    connection: Connection, world: World, place: dict[str, Any], least: float, most: float
) -> None:
    """A job that waits, one that is due, a lease that is over; a key of another type holds nothing."""
    now = now_ms(world)
    for name, value in place.items():
        times = {job_id: now + at for job_id, at in value.items()} if isinstance(value, dict) else value
        world.seed_damaged(**{name: {"pick": times}})
    assert least <= await seconds_until_work(connection, world.settings, "pick") <= most


async def test_a_test_that_has_travelled(connection: Connection, world: World) -> None:
    """Its clock is ahead of the server's."""
    world.seed_damaged(delayed={"pick": {"1": now_ms(world) + 60_000}})
    ahead = replace(world.settings, ahead_ms=50_000)
    assert 5 <= await seconds_until_work(connection, ahead, "pick") <= 10
