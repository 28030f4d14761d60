"""What tests of schedules share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.store.schedules.stage import Stage
from tests.world import World


@pytest.fixture
def stage(world: World, redis_url: str) -> Iterator[Stage]:
    """Return a stage in the test's namespace, on which whatever is sent is sent twice."""
    stage = Stage(world, redis_url)
    stage.connection.twice = True
    yield stage
    stage.connection.client.close()
