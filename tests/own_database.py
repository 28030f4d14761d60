"""A database of their own for tests that look through a whole one: in the usual one other tests leave keys.

A module, or a conftest, that imports both fixtures has its tests in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from redis import Redis

#: No other test writes there.
DATABASE = 9


@pytest.fixture(scope="session", name="redis_url")
def own_url(redis_url: str) -> str:
    """Name the server of this run, and this database of it."""
    url = urlsplit(redis_url)
    if url.scheme == "unix":  # its path is the socket's
        return f"{redis_url.partition('?')[0]}?db={DATABASE}"
    return url._replace(path=f"/{DATABASE}").geturl()


@pytest.fixture(scope="session", name="_sweeper")
def own_sweeper(redis_url: str) -> Iterator[Redis]:
    """Open the client that clears up there."""
    with Redis.from_url(redis_url) as client:
        yield client
