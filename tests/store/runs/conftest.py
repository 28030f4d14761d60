"""The world of runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.store.runs.run_world import RunWorld
from tests.store.schedules.stage import Stage
from tests.world import World


@pytest.fixture
def runs(redis: Redis, namespace: str) -> RunWorld:
    """Make the world of runs."""
    return RunWorld(redis, namespace)


@pytest.fixture
def stage(world: World, redis_url: str) -> Iterator[Stage]:
    """Return a stage for schedules in the test's namespace, on which whatever is sent is sent twice."""
    stage = Stage(world, redis_url)
    stage.connection.twice = True
    yield stage
    stage.connection.client.close()
