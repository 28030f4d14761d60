"""The scene, for the tests of `flow.explain`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from redis import Redis

from tests.pipeline.explain.scene import Scene
from tests.pipeline.parts import Orders
from tests.waiting import patient


@pytest.fixture
def scene(make_orders: Callable[..., Orders], redis: Redis, namespace: str) -> Scene:
    """Make the scene: its leases are short, and so are the pauses of whatever takes back and repairs."""
    return Scene(make_orders(lease=timedelta(seconds=patient(1))), redis, namespace)
