"""The world of runs."""

from __future__ import annotations

import pytest
from redis import Redis

from tests.store.runs.run_world import RunWorld


@pytest.fixture
def runs(redis: Redis, namespace: str) -> RunWorld:
    """Make the world of runs."""
    return RunWorld(redis, namespace)
