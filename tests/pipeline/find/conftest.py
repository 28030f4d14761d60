"""What the tests of queries write jobs with."""

from __future__ import annotations

import pytest
from redis import Redis

from tests.pipeline.find.parts import Shelf


@pytest.fixture
def shelf(redis: Redis, namespace: str) -> Shelf:
    """Write jobs of the flow of orders by hand."""
    return Shelf(redis, namespace)
