"""The server that the tests of pages look at: uvicorn in a thread of its own, since a test waits for the browser."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any

import httpx
from starlette.types import ASGIApp

from tests.browser.rewriting_proxy import RewritingProxy
from tests.server.serving import OWN, serving
from tests.waiting import LONG


class LiveServer:
    """A server that runs.

    Args:
        url: Where it is, with the prefix.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        origin = "/".join(url.split("/")[:3])
        self.client = httpx.Client(base_url=url, headers={**OWN, "origin": origin}, timeout=60, verify=False)  # noqa: S501 - it is HTTP

    def ask(self, operation: str, **params: Any) -> Any:
        """Return the answer of an operation that looks."""
        return self._answer(self.client.get(f"{self.url}/api/v1/{operation.replace('.', '/')}", params=params))

    def act(self, operation: str, **params: Any) -> Any:
        """Return the answer of an operation that acts."""
        return self._answer(self.client.post(f"{self.url}/api/v1/{operation.replace('.', '/')}", json=params))

    def _answer(self, answer: httpx.Response) -> Any:
        assert answer.is_success, answer.text
        return answer.json()


@contextmanager
def live_server(app: ASGIApp, *, prefix: str = "") -> Iterator[LiveServer]:
    """Serve an app while the block runs; with a prefix, behind a proxy that takes that away."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    @asynccontextmanager
    async def running() -> Any:
        async with serving(app, root_path=prefix) as server:
            if not prefix:
                yield server.url
                return
            async with RewritingProxy(prefix, server.port).listening() as port:
                yield f"http://127.0.0.1:{port}{prefix}"

    block = running()
    with ExitStack() as stack:
        stack.callback(lambda: loop.call_soon_threadsafe(loop.stop))
        url = asyncio.run_coroutine_threadsafe(block.__aenter__(), loop).result(LONG)
        stack.callback(lambda: asyncio.run_coroutine_threadsafe(block.__aexit__(None, None, None), loop).result(LONG))
        server = LiveServer(url)
        stack.callback(server.client.close)
        yield server
    thread.join(LONG)
    loop.close()
