"""A private server for tests: a real one, in a temporary directory of its own."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.store.client.embedded import EmbeddedServer


@contextmanager
def private_server(*, port: int = 0, settings: Mapping[str, str] | None = None) -> Generator[str]:
    """Run a server of your own and yield its URL; stop it and delete its data in the end.

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
