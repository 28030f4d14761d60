"""The world of a flow that leaves something behind of jobs that end."""

from __future__ import annotations

import pytest
from redis import Redis

from tests.store.outbox.outbox_world import outbox_world
from tests.world import World


@pytest.fixture
def world(redis: Redis, namespace: str) -> World:
    """Log endings, and have two queues told of them."""
    return outbox_world(redis, namespace)
