"""One real server for the whole run, and one namespace for each test, so that tests run at once and in any order."""

from __future__ import annotations

import gc
import os
import secrets
import signal
from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import HealthCheck, settings
from redis import Redis
from redis import utils as of_redis

from flows.testing import private_server
from tests.ready_python import ReadyPython
from tests.scale import PATIENCE, SCALE, scaled
from tests.world import World

# A busy machine is no reason to fail: what is slow here is measured by the benchmarks.
settings.register_profile(
    "flows", max_examples=scaled(50, full=500), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("flows")

#: A server for the tests, instead of one of their own; they only touch the keys of their namespaces.
TEST_URL = os.environ.get("FLOWS_TEST_REDIS_URL")


# For each connection of a plain client redis-py reads its own version from the disk.
of_redis.get_lib_version = cache(of_redis.get_lib_version)

# What is collected stays to the end, in each lane: else a fifth of the collection goes into looking for garbage,
# and later each full collection of garbage goes through a million objects of pytest's.
gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage from now on, in what the tests make."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests of amounts the time that they need in full; a test of examples is one of them."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("scale")
        if SCALE > 1 and item.get_closest_marker("scale") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(PATIENCE))


@pytest.fixture(scope="session", autouse=True)
def _no_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the variables of whoever runs the tests: no test may find the user's server or data."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("FLOWS_REDIS_URL", "REDIS_URL"):
            patch.delenv(name, raising=False)
        patch.setenv("FLOWS_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _interrupts() -> None:
    """Let processes that tests start hear SIGINT, also where a shell runs all of this in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def redis_url(_no_environment: None) -> Iterator[str]:
    """Name the server of this run: a private one for each worker of xdist, or FLOWS_TEST_REDIS_URL."""
    if TEST_URL:
        yield TEST_URL
        return
    with private_server() as url:
        yield url


@pytest.fixture(scope="session")
def python() -> Iterator[ReadyPython]:
    """Have a Python that runs programs which import flows, without the time that this takes."""
    with ReadyPython() as python:
        yield python


@pytest.fixture(scope="session")
def _sweeper(redis_url: str) -> Iterator[Redis]:
    """Open the client that clears up after all tests: no test has it in its hands."""
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def namespace(_sweeper: Redis) -> Iterator[str]:
    """Give the test a namespace of its own; its keys are deleted in the end."""
    name = f"t{secrets.token_hex(6)}:"
    yield name
    keys = list(_sweeper.scan_iter(f"{name}*", count=1000))
    for start in range(0, len(keys), 1000):
        _sweeper.unlink(*keys[start : start + 1000])


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """Open a plain client, to look at keys and to edit them; it decodes what it reads."""
    # Tests wait for lists that processes fill, and a process may take long to begin on a busy machine.
    with Redis.from_url(redis_url, decode_responses=True, socket_timeout=60) as client:
        yield client


@pytest.fixture
def world(redis: Redis, namespace: str) -> World:
    """Make the world of the store's tests: see tests/world.py."""
    return World(redis, namespace)
