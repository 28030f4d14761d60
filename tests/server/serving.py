"""A real server for tests: uvicorn on a free port of this machine, in the loop of the test."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect

from flows.server.frame_socket import FrameSocket
from tests.waiting import until

#: With what a page of the server itself acts.
OWN = {"x-flows": "1", "content-type": "application/json"}


class Serving:
    """A server that runs.

    Args:
        port: Where it listens.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def client(self, token: str | None = None, **headers: str) -> httpx.AsyncClient:
        """Return a client that sends what a page of the server would, and a token where one is given."""
        sent = {"origin": self.url, **OWN, **headers}
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        # Without `verify` each client would read the certificates of all authorities: more work than its requests.
        return httpx.AsyncClient(base_url=self.url, headers=sent, timeout=60, verify=False)  # noqa: S501 - it is HTTP

    def socket(
        self, *, origin: str | None = "own", prefix: str = "", sock: socket.socket | None = None, **headers: str
    ) -> connect:
        """Return what opens a socket, as a page of this server unless another origin is named."""
        return connect(
            f"ws://127.0.0.1:{self.port}{prefix}/live",
            origin=self.url if origin == "own" else origin,  # type: ignore[arg-type]
            additional_headers={name.replace("_", "-"): value for name, value in headers.items()},
            subprotocols=["flows.live.1"],  # type: ignore[list-item]
            open_timeout=60,
            ping_interval=None,
            compression=None,
            sock=sock,
            max_size=None,
        )


@asynccontextmanager
async def serving(app: ASGIApp, *, most_unsent: int = 0, **options: Any) -> AsyncIterator[Serving]:
    """Serve an app while the block runs, with the sockets of `flows web` unless `ws=` names others.

    With `most_unsent`, the kernel holds so many bytes for a slow reader, or what it makes of that.
    """
    given: dict[str, Any] = {"ws": FrameSocket, "ws_per_message_deflate": False, **options}
    config = uvicorn.Config(app, log_level="critical", **given)
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    if most_unsent:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, most_unsent)
    task = asyncio.create_task(server.serve([listening]))
    try:
        await until(lambda: server.started)
        yield Serving(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        await task


async def receive(socket: ClientConnection, kinds: Iterable[str] = ()) -> dict[str, Any]:
    """Return the next message of a socket, or the next of some kinds."""
    wanted = frozenset(kinds)
    while True:
        message: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 60))
        if not wanted or message["type"] in wanted:
            return message
