"""The ASGI app: operations as routes, what is watched live, health, the page; the guard stands before all of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from flows.errors import DeclarationError, FlowsError, MissingExtra

try:
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.routing import Route
    from starlette.websockets import WebSocket
except ImportError:
    raise MissingExtra("the server", "web") from None

from flows.api import Admin, problem_of
from flows.api.link import ANSWERED_WITHIN
from flows.server.export import Exports
from flows.server.guard import LOOPBACK, Guard
from flows.server.health import healthz, readyz
from flows.server.identity import Identity
from flows.server.live.live import Live
from flows.server.login import login, logout
from flows.server.me import me
from flows.server.metrics import metrics, scale
from flows.server.openapi import openapi
from flows.server.operation_routes import operation_routes
from flows.server.page import Page, path_of
from flows.server.problem import refused, respond
from flows.server.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from flows.server.identity import Auth
    from flows.tree.trees import Trees

#: Where is watched, by a socket or a stream.
_LIVE: Final = "/live"
#: Operations that show source lines and paths of a process.
_DUMPS: Final = frozenset({"workers.dump"})


def create_app(  # noqa: PLR0913 - what a deployment sets, by keyword
    redis_url: str | None = None,
    namespace: str = "",
    *,
    auth: Auth | Tokens | None = None,
    hosts: Collection[str] = (),
    origins: Collection[str] = (),
    read_only: bool = False,
    dumps: bool = True,
    live_key: str | None = None,
    trees: Iterable[Trees] = (),
) -> Guard:
    """Return an ASGI app that serves the operations; it mounts under any prefix, in FastAPI, Starlette or Django.

    It keeps nothing between two requests, so any number of replicas serve the same, without sticky sessions. It opens
    its connections when its lifespan begins, and closes them when that ends; where it is mounted it has none: the first
    request opens them, and `await app.close()` closes them.

    Args:
        redis_url: Which server; None: as `FlowOptions` chooses it.
        namespace: What stands before every key.
        auth: Who calls: `Tokens.file("tokens")`, or a function of yours that takes Starlette's `HTTPConnection` and
            returns a `Caller` or None. Without it, it answers its own machine alone, and everyone there is an operator.
        hosts: Names by which it is called, besides those of its own machine: `ops.example.org`.
        origins: Sites whose pages may read from it, such as `https://app.example.org`; they never act by a cookie.
        read_only: Takes the role `operator` from everyone.
        dumps: Whether the stacks of a process may be asked for.
        live_key: Signs the tokens with which pages of other sites watch; None: `FLOWS_LIVE_KEY`. Two, parted by a
            space, while one takes the other's place: the first signs.
        trees: Apps of task trees whose code is here, or whose instances do not stand on this server; the others are
            found there.

    Raises:
        DeclarationError: It would answer to other machines without asking who calls.
    """
    if auth is None and (named := [host for host in hosts if host.lower() not in LOOPBACK]):
        raise DeclarationError(
            f"the server is to be called {', '.join(named)}, and would ask nobody who they are: give it "
            "auth=Tokens.file(…) or a function of yours, or leave hosts= out, and it answers its own machine alone"
        )
    identity = Identity(auth, live_key=live_key, read_only=read_only)
    admin = Admin(redis_url, namespace, via="http")
    admin.link.within = ANSWERED_WITHIN
    admin.link.trees |= {one.app: one._host for one in trees}  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    live = Live(admin, identity)

    going = asyncio.Event()

    async def end_watching() -> None:
        going.set()  # for all that wait now; who asks after it may wait
        going.clear()
        await live.close()

    async def close() -> None:
        await end_watching()
        await admin.close()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        with suppress(FlowsError):  # else at the first request
            await admin.open()
            await admin.serve_bulk()
        yield
        await close()

    hidden = frozenset[str]() if dumps else _DUMPS
    app = _Served(
        live.watch,
        routes=[
            *operation_routes(hidden),
            Route("/api/v1/openapi.json", openapi(hidden)),
            Route("/api/v1/me", me(identity)),
            Route(_LIVE, live.stream),
            Route(f"{_LIVE}/{{instance:path}}", live.stream),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Route("/scale", scale),
            Route("/export/jobs", Exports().jobs),
            Route("/login", login(identity), methods=["POST"]),
            Route("/logout", logout, methods=["POST"]),
        ],
        exception_handlers={FlowsError: _flows_error, HTTPException: _http_error, Exception: _broken},
        lifespan=lifespan,
    )
    app.state.admin, app.state.going = admin, going
    page = Page(tuple(app.routes))
    app.router.default = page
    return Guard(app, page, identity, hosts=hosts, origins=origins, close=close, end_watching=end_watching)


class _Served(Starlette):
    """Lets sockets go around the routes: what these keep on the stack of each, 5 kB, would stay as long as it is open.

    Args:
        watch: Serves a socket.
        more: What Starlette takes.
    """

    def __init__(self, watch: Callable[[WebSocket], Awaitable[None]], **more: Any) -> None:  # noqa: ANN401 - its own
        super().__init__(**more)
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] == "websocket" and path_of(scope) == _LIVE:
            await self._watch(WebSocket(scope, receive, send))
        else:
            await super().__call__(scope, receive, send)


async def _flows_error(_request: Request, error: Any) -> Response:  # noqa: ANN401 - Starlette wants to know no more
    return respond(problem_of(error))


async def _http_error(_request: Request, error: Any) -> Response:  # noqa: ANN401 - Starlette wants to know no more
    found: HTTPException = error
    if found.status_code == HTTPStatus.NOT_FOUND:
        return refused(404, "there is no such page; api/v1/openapi.json tells the operations")
    answer = refused(found.status_code, found.detail)
    for name, value in (found.headers or {}).items():
        answer.headers[name] = value
    return answer


async def _broken(_request: Request, _error: Exception) -> Response:
    """Tell nothing of a fault of ours: the server's own log has it."""
    return refused(500, "this is a fault of the server; its log says more")
