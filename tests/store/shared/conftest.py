"""A world whose flow `shop` shares its queues `pick` and `pack` with the flow `farm`, which has other settings."""

from __future__ import annotations

from typing import Final

import pytest
from redis import Redis

from tests.world import World

#: How long jobs of `farm` live, and are kept once they are done, failed, cancelled, in milliseconds; then its lines.
FARM: Final = "600000 1000000 90000000 3000000 30000 3 2\n= pick - 2 8\n= pack barn 1 3"


@pytest.fixture
def shared(redis: Redis, namespace: str) -> World:
    """Make the world: jobs of `shop` go from `pick` to `pack` and to `ship`, those of `farm` from `pack` to `barn`."""
    world = World(redis, namespace, shared={"pick": "= pick pack -1 2", "pack": "= pack ship 0 2"})
    redis.set(world.keys.settings("farm"), FARM)
    redis.hset(world.keys.meta("pick"), "flows", "shop farm")
    return world
