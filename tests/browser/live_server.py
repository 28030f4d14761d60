"""The server that the tests of pages look at: uvicorn in a thread of its own, since a test waits for the browser."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from typing import Any, TypeVar

import httpx
from starlette.types import ASGIApp

from tests.browser.rewriting_proxy import RewritingProxy
from tests.server.serving import OWN, serving
from tests.waiting import LONG, blocking_until

T = TypeVar("T")


class LiveServer:
    """A server that runs.

    Args:
        url: Where it is, with the prefix.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._cookies: dict[str, str] = {}
        origin = "/".join(url.split("/")[:3])
        self.client = httpx.Client(base_url=url, headers={**OWN, "origin": origin}, timeout=60, verify=False)  # noqa: S501 - it is HTTP

    def ask(self, operation: str, **params: Any) -> Any:
        """Return the answer of an operation that looks."""
        return self._answer(self.client.get(f"{self.url}/api/v1/{operation.replace('.', '/')}", params=params))

    def act(self, operation: str, **params: Any) -> Any:
        """Return the answer of an operation that acts."""
        return self._answer(self.client.post(f"{self.url}/api/v1/{operation.replace('.', '/')}", json=params))

    def cookie(self, token: str) -> str:
        """Return the cookie for a token; asked for once, since an address logs in five times a minute at most."""
        if token not in self._cookies:
            answer = self.client.post(f"{self.url}/login", json={"token": token})
            assert answer.is_success, answer.text
            self._cookies[token] = answer.cookies["flows"]
        return self._cookies[token]

    def _answer(self, answer: httpx.Response) -> Any:
        assert answer.is_success, answer.text
        return answer.json()


def aside(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns, run in a thread of its own: in a test's thread the browser's loop runs."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


@contextmanager
def web_process(*options: str) -> Iterator[tuple[LiveServer, subprocess.Popen[str]]]:
    """Run `flows web` with options, one of them `--port`, while the block runs; yield it once it answers."""
    port = options[options.index("--port") + 1]
    command = [sys.executable, "-m", "flows", "web", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        server = LiveServer(f"http://127.0.0.1:{port}")

        def answers() -> bool:
            with suppress(httpx.TransportError):
                return server.client.get("/healthz").is_success
            return False

        try:
            blocking_until(answers)
            yield server, process
        finally:
            server.client.close()
            process.kill()


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
