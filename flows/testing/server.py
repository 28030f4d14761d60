"""Runs a private server for tests: a real one, in a temporary directory of its own."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.store.client.embedded import EmbeddedServer


@contextmanager
def private_server(*, port: int = 0, settings: Mapping[str, str] | None = None) -> Generator[str]:
    """Run a private server and yield its URL; in the end, stop the server and delete its data.

    Args:
        port: listen on this port of 127.0.0.1 too, and yield the URL of that.
        settings: lines of its configuration, as `{"maxmemory": "10mb"}`; they win over the usual ones.
    """
    with TemporaryDirectory(prefix="flows-") as directory:
        server = EmbeddedServer(Path(directory), port=port, settings=settings)
        try:
            yield server.start()
        finally:
            server.stop()
