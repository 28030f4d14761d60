"""The server of `flows demo`: the embedded one that other commands find, unless it holds what is not of the demo."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from flows.api import Admin
from flows.cli.demo.shop import make_shop
from flows.config import EMBEDDED, choose_server
from flows.errors import ValidationError
from flows.model.names import OWN
from flows.store.embedded import EmbeddedServer
from flows.store.operators.directory import read_digests, read_namespaces

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

#: So many seconds others wait at most while is looked whether they have written.
_LOOKED_WITHIN: Final = 60.0
#: A file beside the data of a server that the demo has begun with: locked by the demo that runs on it.
_MARK: Final = "demo"


@contextmanager
def demo_server() -> Generator[tuple[str, list[str]]]:
    """Run a server for the demo, and yield its URL and the options by which other commands find it.

    In the end it is stopped and its data are deleted, unless somebody else has begun to use it.

    Raises:
        ValidationError: a demo runs there already.
        StoreUnavailable: it does not start.
    """
    server, options = EmbeddedServer(), list[str]()
    named = choose_server(None)
    if named.source != EMBEDDED and named.url is not None:
        sys.stderr.write(f"flows demo: {named} is left alone\n")
        options = ["--redis-url", EMBEDDED]
    if not _may_use(server):
        own = server.data_dir
        sys.stderr.write(f"flows demo: the embedded server of {own} has jobs of yours, and is left alone\n")
        server = EmbeddedServer(own.with_name(f"{own.name}-demo"))
        if not _may_use(server):
            raise ValidationError(f"flows demo: so has that of {server.data_dir}: set FLOWS_DATA_DIR to another place")
        options = ["--redis-url", server.start()]
    mark = server.data_dir / _MARK
    with _locked(mark):
        url = server.start()
        try:
            yield url, options
        finally:
            discarded = _discarded(server, url)
            mark.unlink()
            if not discarded:
                sys.stderr.write("flows demo: others use its server by now, which stays, and the shop's jobs with it\n")


def _may_use(server: EmbeddedServer) -> bool:
    """Return whether a server holds nothing, or nothing but what an earlier demo has left that was killed."""
    ran = server.status().running
    url = server.start()
    if server.status().keys == 0:
        return True
    if (server.data_dir / _MARK).exists() and asyncio.run(_is_of_the_demo_alone(url)):
        return True
    if not ran:
        server.stop()
    return False


@contextmanager
def _locked(mark: Path) -> Generator[None]:
    descriptor = os.open(mark, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValidationError("flows demo: it runs already") from None
        yield
    finally:
        os.close(descriptor)


def _discarded(server: EmbeddedServer, url: str) -> bool:
    """Delete what the demo has left where nobody else has written; who writes meanwhile waits, and is not deleted."""
    began = time.monotonic()
    with server.held(_LOOKED_WITHIN):
        alone = asyncio.run(_is_of_the_demo_alone(url))
        in_time = time.monotonic() - began < _LOOKED_WITHIN / 2  # else others may write again before it has ended
        return alone and in_time and server.discard()


async def _is_of_the_demo_alone(url: str) -> bool:
    """Return whether all that was ever declared on a server is what the demo declares.

    A flow of the user's that has the name of one of the demo's declares something else.
    """
    declared = await make_shop(url, "").declared()
    async with Admin(url) as admin:
        if not await read_namespaces(admin.connection) <= {""}:
            return False
        for flow in await admin.flows():
            if flow.startswith(OWN):  # bulk actions on the others
                continue
            digests = await read_digests(admin.connection, admin.link.keys, flow)
            if not digests or not {(flow, digest) for digest in digests} <= declared:
                return False
        return True
