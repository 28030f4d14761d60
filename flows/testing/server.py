"""Runs servers for tests: real ones, in temporary directories of their own."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from flows.store.embedded import EmbeddedServer

#: Names another server for tests, instead of a private one.
TEST_URL: Final = "FLOWS_TEST_REDIS_URL"


@contextmanager
def private_server(*, port: int = 0, settings: Mapping[str, str] | None = None) -> Generator[str]:
    """Run a private server and yield its URL; in the end, stop the server and delete its data.

    Args:
        port: listen on this port of 127.0.0.1 too, and yield the URL of that.
        settings: lines of its configuration, as `{"maxmemory": "10mb"}`; they win over the usual ones.
    """
    with tempfile.TemporaryDirectory(prefix="flows-") as directory:
        server = EmbeddedServer(Path(directory), port=port, settings=settings)
        try:
            yield server.start()
        finally:
            server.stop()


def server_for_tests() -> str:
    """Return the URL of the server that all tests of this process share; it stops when the process ends.

    That is the server of FLOWS_TEST_REDIS_URL, or else a private one, which the first call starts.

    Raises:
        MissingExtra: a server has to be started, and the extra `embedded` is not installed.
    """
    if named := os.environ.get(TEST_URL):
        return named
    directory = directory_for_tests()
    if not directory.exists():
        atexit.register(stop_server_for_tests)
    return EmbeddedServer(directory).start()


def directory_for_tests() -> Path:
    """Return the data directory of this process's server for tests; it exists once the server was started."""
    return Path(tempfile.gettempdir()) / f"flows-tests-{os.getpid()}"


def stop_server_for_tests() -> None:
    """Stop this process's server for tests and delete its data, if it was started."""
    directory = directory_for_tests()
    if directory.exists():
        EmbeddedServer(directory).stop()
        shutil.rmtree(directory, ignore_errors=True)
