"""Serves the dashboard: files that were built from `web/` and lie in `static/`, and one page for every other path.

What a path shows the page itself decides, so that a link into it opens anywhere, also after a reload.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Route, WebSocketRoute
from starlette.websockets import WebSocketClose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import HTTPConnection
    from starlette.routing import BaseRoute
    from starlette.types import Receive, Scope, Send

#: Where the build writes.
STATIC: Final = Path(__file__).with_name("static")
#: Files below it that bear a digest of their content in their names.
_HASHED: Final = "assets/"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
#: What is sent as it is: it is packed already.
_PACKED: Final = frozenset({".png", ".woff2"})
#: Stands in the page that is built, and is right where there is no prefix.
_BASE: Final = '<base href="/" />'
_NOT_BUILT: Final = (
    "<!doctype html><html lang='en'><head><title>flows</title></head><body><h1>flows</h1>"
    "<p>The dashboard is not built in this checkout: run <code>make ui</code>, and start this server again. "
    "Its operations are served: see <a href='api/v1/openapi.json'>api/v1/openapi.json</a>.</p></body></html>"
)


class Page:
    """An ASGI app for all that no route has; everyone may load it, for it holds nothing of anybody.

    Args:
        routes: Those that there are.
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._routes = routes
        self._places = {route.path.split("/")[1] for route in routes if isinstance(route, Route | WebSocketRoute)}

    def has(self, connection: HTTPConnection) -> bool:
        """Whether a request is for the page or a file of it, and for no route, nor for a place where routes are."""
        scope = connection.scope
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            return False
        place = path_of(scope).split("/")[1:2]
        return self._places.isdisjoint(place) and all(route.matches(scope)[0] is Match.NONE for route in self._routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a file, or with the page.

        Raises:
            HTTPException: There is nothing at this path.
        """
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        path = path_of(scope).lstrip("/")
        if not self._places.isdisjoint(path.split("/")[:1]):
            raise HTTPException(404)
        if scope["method"] not in {"GET", "HEAD"}:
            raise HTTPException(405, headers={"allow": "GET, HEAD"})
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if path.startswith(_HASHED) and path not in self._files:
            raise HTTPException(404)  # of another version: the page loads itself anew
        file = self._files.get(path)
        if file is None or path == "index.html":
            response = self._page(_prefix(scope), headers)
        else:
            response = file.response(headers, _FOR_EVER if path.startswith(_HASHED) else "no-cache")
        await response(scope, receive, send)

    @cached_property
    def _files(self) -> dict[str, _File]:
        """All files by their paths, so that no path leads elsewhere."""
        return {
            path.relative_to(STATIC).as_posix(): _File(path.suffix, path.read_bytes())
            for path in sorted(STATIC.rglob("*"))
            if path.is_file()
        }

    def _page(self, prefix: str, headers: dict[str, str]) -> Response:
        """Return the page, which finds all else below its prefix."""
        index = self._files.get("index.html")
        if index is None:
            return HTMLResponse(_NOT_BUILT, 503, {"cache-control": "no-store"})
        page = index.content.decode().replace(_BASE, f'<base href="{escape(prefix)}" />', 1).encode()
        tag = f'"{hashlib.sha256(page).hexdigest()[:32]}"'
        said = {"cache-control": "no-cache", "etag": tag}
        if tag in headers.get("if-none-match", ""):
            return Response(status_code=304, headers=said)
        return HTMLResponse(page, headers=said)


class _File:
    """A file as it is sent; packed once, by the first who asks for it.

    Args:
        suffix: Of its name.
        content: Its bytes.
    """

    def __init__(self, suffix: str, content: bytes) -> None:
        self.content = content
        self._type = _TYPES.get(suffix, "application/octet-stream")
        self._packs = suffix not in _PACKED

    @cached_property
    def _packed(self) -> bytes:
        return gzip.compress(self.content, mtime=0)

    def response(self, headers: dict[str, str], keep: str) -> Response:
        said = {"cache-control": keep, "content-type": self._type}
        if not self._packs:
            return Response(self.content, headers=said)
        said["vary"] = "accept-encoding"
        if "gzip" not in headers.get("accept-encoding", ""):
            return Response(self.content, headers=said)
        return Response(self._packed, headers={**said, "content-encoding": "gzip"})


def path_of(scope: Scope) -> str:
    """Return the path of a request below the prefix under which the app is mounted, as Starlette routes it."""
    root: str = scope.get("root_path", "")
    path: str = scope["path"]
    below = path.removeprefix(root)
    return below if not below or below.startswith("/") else path


def _prefix(scope: Scope) -> str:
    """Return the prefix as the href of a base: with a slash at both ends, and never the name of a host."""
    root = quote(scope.get("root_path", "").strip("/"))
    return f"/{root}/" if root else "/"
