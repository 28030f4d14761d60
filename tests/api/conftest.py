"""A Redis that a program of somebody else has left, and who looks at it."""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis

from flows.api import Admin, Caller, JobQuery, bulk
from tests.api.shop import CANARY, leave

SHOP = Path(__file__).parent / "shop.py"


@dataclass(frozen=True)
class Left:
    """What `shop.py` has left."""

    url: str
    namespace: str
    ids: dict[str, str]

    def admin(self, role: str = "operator", **caller: object) -> Admin:
        """Return an Admin of a caller; whoever uses it opens and closes it."""
        return Admin(self.url, self.namespace, Caller.model_validate({"name": "ana", "role": role, **caller}))


@pytest.fixture(scope="session")
def left(redis_url: str, _sweeper: Redis) -> Iterator[Left]:
    """Leave jobs for the tests that only look, from a process of its own: nobody changes them."""
    namespace = f"t{secrets.token_hex(6)}:"
    command = [sys.executable, str(SHOP), redis_url, namespace]
    found = subprocess.run(command, capture_output=True, check=False, text=True, timeout=100)
    assert found.returncode == 0, found.stderr
    left = Left(redis_url, namespace, json.loads(found.stdout.splitlines()[-1]))
    left.ids["bulk"] = asyncio.run(_begin_to_delete(left))
    yield left
    _sweeper.unlink(*_sweeper.scan_iter(f"{namespace}*", count=1000))


async def _begin_to_delete(left: Left) -> str:
    """Begin an action on many jobs that does nothing for an hour."""
    async with left.admin() as admin:
        query = JobQuery.parse(f"flow:shop email:{CANARY} state:failed")
        return (await bulk.apply(admin, "delete", query, 1, undo=timedelta(hours=1))).id


@pytest.fixture
async def left_to_act(redis_url: str, namespace: str) -> Left:
    """Leave jobs for one test that acts on them, from this process: it is quicker."""
    return Left(redis_url, namespace, await leave(redis_url, namespace))


@pytest.fixture
async def admin(left: Left) -> AsyncIterator[Admin]:
    """Look at what is left as an operator; nobody acts."""
    async with left.admin() as admin:
        yield admin
