"""What tests of trees share."""

from __future__ import annotations

import pytest
from redis import Redis

from tests.store.trees.tree_world import TreeWorld


@pytest.fixture
def trees(redis: Redis, namespace: str) -> TreeWorld:
    """Return a world of instances."""
    return TreeWorld(redis, namespace)
