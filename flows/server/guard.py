"""Stands before every route: each rule of who may ask what, in this order, before anything of a request is looked at.

Host · size · who calls · how one may act · how often. What is refused gets a sentence and nothing else, and no route of
the server can be reached around it.
"""

from __future__ import annotations

import ipaddress
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.requests import HTTPConnection
from starlette.websockets import WebSocketClose

from flows.api import problem_of
from flows.errors import FlowsError, TooManyRequests
from flows.server.body import LONGEST_BODY, BoundedBody, drain
from flows.server.identity import bearer_of
from flows.server.page import path_of
from flows.server.problem import refused, respond
from flows.server.rates import Places, Rates

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from flows.server.identity import Identity, Session
    from flows.server.page import Page

#: Names by which a server is called on its own machine.
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
#: Bytes of a request's line and headers.
LONGEST_HEAD: Final = 16 * 1024
#: What a caller may do in a second; and how often an address may try to log in, in a minute.
MOST_READS: Final = 120
MOST_ACTS: Final = 20
#: Requests of a caller that are under way: those that wait for a job, and streams, hold a place for long.
MOST_AT_ONCE: Final = 200
MOST_LOGINS: Final = 5
#: Answered to everyone; so is the page, by which one logs in.
_OPEN: Final = frozenset({"/healthz", "/readyz", "/login"})
_WHO: Final = "say who you are: by `Authorization: Bearer <token>`, or log in"
_HOW_TO_WATCH: Final = "a program sends this server's URL as its Origin, or a token; for pages set FLOWS_LIVE_KEY"
_DIGITS: Final = 15
#: Seconds until one who has all places may try again.
_PLACE: Final = 1.0
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})

#: Nothing of a page may come from elsewhere, and no page elsewhere may show one of ours.
_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    b"connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
#: On every answer.
_HEADERS: Final = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Guard:
    """An ASGI app that lets through to another what may pass; who called stands in `scope["flows.session"]`.

    Args:
        app: The other one.
        page: Of the other one, what is open to everyone.
        identity: Says who calls.
        hosts: Names by which the server may be called, besides those of its own machine.
        origins: Sites whose pages may read from here, such as `https://app.example.org`.
        close: Disconnects the other app.
        end_watching: Ends its sockets and streams, and requests that wait.
    """

    def __init__(  # noqa: PLR0913 - what a guard is made of, by keyword
        self,
        app: ASGIApp,
        page: Page,
        identity: Identity,
        *,
        hosts: Collection[str],
        origins: Collection[str],
        close: Callable[[], Awaitable[None]],
        end_watching: Callable[[], Awaitable[None]],
    ) -> None:
        self._close = close
        self._end_watching = end_watching
        self._app = app
        self._page = page
        self._identity = identity
        self._hosts = LOOPBACK | {host.lower() for host in hosts}
        self._origins = frozenset(origins)
        self._reads = Rates(MOST_READS)
        self._acts = Rates(MOST_ACTS)
        self._logins = Rates(MOST_LOGINS, 60)
        self._under_way = Places(MOST_AT_ONCE)

    async def close(self) -> None:
        """End what is watched, and disconnect from Redis: for who mounts it, and has a lifespan of its own."""
        await self._close()

    async def end_watching(self) -> None:
        """End what is watched, and what waits for a job: a server that goes would wait for the end of it."""
        await self._end_watching()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        try:
            refusal = await self._judge(connection)
        except FlowsError as error:
            refusal = respond(problem_of(error))
        if scope["type"] == "websocket":
            if refusal is None:
                await self._app(scope, receive, send)
            else:
                await _refuse_socket(scope, receive, send, refusal)
            return
        sending = self._with_headers(connection, send)
        if refusal is not None:
            if refusal.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                await drain(receive)
            await refusal(scope, receive, sending)
            return
        with self._under_way.take(_name(connection)) as has_place:
            answering = self._app if has_place else respond(problem_of(TooManyRequests(_PLACE)))
            await answering(scope, BoundedBody(receive).receive, sending)

    async def _judge(self, connection: HTTPConnection) -> Response | None:
        """Return what a request is answered that may not pass, or None."""
        refusal = self._judge_host(connection) or _judge_size(connection)
        if refusal is not None:
            return refusal
        if connection.scope["type"] == "websocket":
            return await self._judge_socket(connection)
        if connection.scope["method"] == "OPTIONS" and connection.headers.get("origin") in self._origins:
            return _preflight()
        refusal = self._judge_site(connection)
        if refusal is not None:
            return refusal
        path = path_of(connection.scope)
        session = await self._identity.identify(connection)
        if session is None and _is_live(path) and (bearer := bearer_of(connection)) is not None:
            session = self._identity.identify_token(bearer)  # a watcher's, which is for this alone
        connection.scope["flows.session"] = session
        if session is None and path not in _OPEN and not self._page.has(connection):
            return refused(401, _WHO)
        acting = connection.scope["method"] not in _READING
        refusal = _judge_acting(connection) if acting else None
        return refusal or self._judge_rate(connection, path, session, acting=acting)

    async def _judge_socket(self, connection: HTTPConnection) -> Response | None:
        """Refuse a socket of nobody. Where there are tokens of watchers, it may bring one later, from whatever site.

        A page of another site never comes in by the cookie, nor by being on this machine.
        """
        has_bearer = bearer_of(connection) is not None
        foreign = not has_bearer and not _is_own(connection)
        if foreign and not self._identity.live_key:
            origin = connection.headers.get("origin", "no origin")
            return refused(403, f"a page of {origin!r:.100} may not watch here: {_HOW_TO_WATCH}")
        session = None if foreign else await self._identity.identify(connection)
        connection.scope["flows.session"] = session
        return refused(401, _WHO) if session is None and (has_bearer or not self._identity.live_key) else None

    def _judge_host(self, connection: HTTPConnection) -> Response | None:
        """Refuse a name that is not ours: a page whose name was bound to this address after it had loaded."""
        host = connection.headers.get("host", "")
        if host.lower() not in self._hosts and _without_port(host) not in self._hosts:
            return refused(421, f"this server is not called {_without_port(host)!r:.100}: hosts= or --name adds it")
        if self._identity.is_open and not _is_local(connection):
            return refused(403, "without auth= or tokens this server answers its own machine alone")
        return None

    def _judge_site(self, connection: HTTPConnection) -> Response | None:
        """Refuse what a page of another site loads, by a fetch or as an image: not even the time that it takes is told.

        Browsers say so by headers that no page can set. A link from elsewhere opens a page here all the same.
        """
        headers = connection.headers
        foreign = headers.get("sec-fetch-site") in {"cross-site", "same-site"}
        if foreign and headers.get("sec-fetch-mode") != "navigate" and headers.get("origin") not in self._origins:
            return refused(403, "a page of another site may read nothing here")
        return None

    def _judge_rate(
        self, connection: HTTPConnection, path: str, session: Session | None, *, acting: bool
    ) -> Response | None:
        if path == "/login" and acting:
            wait = self._logins.take(connection.client.host if connection.client else "")
        else:
            wait = (self._acts if acting and session else self._reads).take(_name(connection))
        return None if wait is None else respond(problem_of(TooManyRequests(wait)))

    def _with_headers(self, connection: HTTPConnection, send: Send) -> Send:
        origin = connection.headers.get("origin")
        allowed = origin if origin in self._origins else None

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *_HEADERS]
                if allowed is not None:
                    headers += [(b"access-control-allow-origin", allowed.encode()), (b"vary", b"origin")]
                message = {**message, "headers": headers}
            await send(message)

        return sending


def _name(connection: HTTPConnection) -> str:
    """Return under what name requests are counted: of who calls, or of the address of nobody."""
    session: Session | None = connection.scope.get("flows.session")
    if session is not None:
        return f"caller {session.caller.name}"
    return f"address {connection.client.host if connection.client else ''}"


def _judge_size(connection: HTTPConnection) -> Response | None:
    scope = connection.scope
    head = len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"")
    head += sum(len(name) + len(value) + 4 for name, value in scope["headers"])
    if head > LONGEST_HEAD:
        return refused(431, f"a request's line and headers are at most {LONGEST_HEAD:,} bytes")
    length = connection.headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or len(length) > _DIGITS or int(length) > LONGEST_BODY:
        return refused(413, f"a body is at most {LONGEST_BODY:,} bytes")
    return None


def _judge_acting(connection: HTTPConnection) -> Response | None:
    """Refuse what a page of another site could have a browser send: a form, an image, a plain fetch."""
    if connection.scope["method"] != "POST":
        return None  # no route acts on any other, and answers 405
    if connection.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return refused(415, "what acts is sent as JSON: `content-type: application/json`")
    if bearer_of(connection) is not None:
        return None
    if connection.headers.get("x-flows") != "1":
        return refused(403, "without a Bearer token, what acts needs the header `x-flows: 1`")
    if not _is_own(connection):
        return refused(403, f"a page of {connection.headers.get('origin', 'no origin')!r:.100} may not act here")
    return None


def _is_own(connection: HTTPConnection) -> bool:
    """Whether a page of this server sends this, by the header that pages cannot set."""
    origin = connection.headers.get("origin")
    host = connection.headers.get("host", "")
    secure = connection.url.scheme in {"https", "wss"}
    # Behind a proxy that speaks TLS for us the page is of https, and what reaches us is not.
    return origin in {f"https://{host}", *(() if secure else (f"http://{host}",))}


def _is_local(connection: HTTPConnection) -> bool:
    """Whether the other end is this machine. What a proxy passes on is somebody else's."""
    if "x-forwarded-for" in connection.headers or "forwarded" in connection.headers:
        return False
    if connection.client is None:
        return True  # a unix socket, or a test client
    try:
        return ipaddress.ip_address(connection.client.host).is_loopback
    except ValueError:
        return connection.client.host in {"", "testclient"}


def _is_live(path: str) -> bool:
    return path == "/live" or path.startswith("/live/")


def _without_port(host: str) -> str:
    name, _, port = host.lower().rpartition(":")
    return name if name and port.isdigit() and (":" not in name or name.endswith("]")) else host.lower()


def _preflight() -> Response:
    answer = refused(200, "")
    answer.headers["access-control-allow-headers"] = "authorization, content-type"
    answer.headers["access-control-allow-methods"] = "GET, POST"
    answer.headers["access-control-max-age"] = "600"
    return answer


async def _refuse_socket(scope: Scope, receive: Receive, send: Send, refusal: Response) -> None:
    if "websocket.http.response" in scope.get("extensions", {}):
        await send(
            {"type": "websocket.http.response.start", "status": refusal.status_code, "headers": refusal.raw_headers}
        )
        await send({"type": "websocket.http.response.body", "body": bytes(refusal.body)})
        return
    await WebSocketClose(code=4403)(scope, receive, send)
