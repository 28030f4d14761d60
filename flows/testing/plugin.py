"""A pytest plugin: flows in tests use a server of their own, whatever the shell names, so no worker of yours is there.

pytest finds it by its entry point, `flows`; `pytest -p no:flows` leaves it out. The server starts with the first test
that needs it, and stops with the last.
"""

from __future__ import annotations

import os
from typing import Final

import pytest

from flows.testing.server import TEST_URL, directory_for_tests, server_for_tests, stop_server_for_tests

_replaced: Final = pytest.StashKey[dict[str, str | None]]()


def pytest_configure(config: pytest.Config) -> None:
    """Let the flows of this process, and of those that it starts, use the server for tests."""
    ours = {
        "FLOWS_REDIS_URL": os.environ.get(TEST_URL) or "embedded",
        "FLOWS_DATA_DIR": str(directory_for_tests()),
    }
    config.stash[_replaced] = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server, if one was started, and put the environment back."""
    stop_server_for_tests()
    for name, value in config.stash[_replaced].items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture(scope="session")
def flows_url() -> str:
    """The URL of the server for tests: a private one, or that of FLOWS_TEST_REDIS_URL."""
    return server_for_tests()
