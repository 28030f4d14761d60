"""The reconciler looks through a whole database: its tests have one to themselves, so that each step is theirs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

#: No other test writes there.
DATABASE = 9


@pytest.fixture(scope="session")
def redis_url(redis_url: str) -> str:
    """Name the server of this run, with a database in which other tests leave nothing."""
    return f"{redis_url.partition('?')[0]}?db={DATABASE}"


@pytest.fixture(scope="session")
def _sweeper(redis_url: str) -> Iterator[Redis]:
    """Open the client that clears up there."""
    with Redis.from_url(redis_url) as client:
        yield client
