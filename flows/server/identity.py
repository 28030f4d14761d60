"""Says who calls: by a Bearer token, by the cookie of a login, by your own function, or by a signed token of a watcher.

Nothing is kept between two requests, so any replica answers any of them: a cookie is signed with a key that follows
from the tokens, and is void when they change.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import inspect
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from flows.api import Caller
from flows.model.live.watch_token import ALL_RIGHTS, LIVE_KEY_VARIABLE, WatchRight, check_keys, read_watch_token
from flows.server.tokens import Token, Tokens

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

#: Your own way to say who calls: a session, OIDC, a proxy's header; None is nobody.
Auth: TypeAlias = "Callable[[HTTPConnection], Caller | Awaitable[Caller | None] | None]"

#: Seconds for which a login holds.
LOGIN_SECONDS: Final = 12 * 3600
_LOCAL: Final = Caller(name="local", role="operator")


@dataclass(frozen=True, slots=True)
class Session:
    """Who calls, and until when that is known.

    Args:
        caller: Who.
        ends_at: In seconds since 1970; None: no end.
        topics: The only topics, and ids of instances, that it may watch; None: all that the caller may.
        realm: Beside these, the instances of this realm; empty: of none.
        may: What it may do with instances.
    """

    caller: Caller
    ends_at: float | None = None
    topics: frozenset[str] | None = None
    realm: str = ""
    may: frozenset[WatchRight] = ALL_RIGHTS

    def may_watch(self, topic: str) -> bool:
        """Return whether a topic, or an instance by its id, is one of those that it names; a realm may have more."""
        return self.topics is None or topic in self.topics


class Identity:
    """All ways to say who calls.

    Args:
        auth: Your own way, or the tokens of a file; None: everyone is an operator called `local`, and then the guard
            lets in nobody from another machine.
        live_key: Signs the tokens of watchers; of several, parted by spaces, the first, and all are good.
        read_only: Whether everyone is a viewer at most.
    """

    def __init__(self, auth: Auth | Tokens | None, *, live_key: str | None = None, read_only: bool = False) -> None:
        self._auth = None if isinstance(auth, Tokens) else auth
        self._tokens = auth if isinstance(auth, Tokens) else None
        self.live_key = live_key or os.environ.get(LIVE_KEY_VARIABLE)
        if self.live_key is not None:
            check_keys(self.live_key)
        self._read_only = read_only

    @property
    def is_open(self) -> bool:
        """Whether it asks nobody who they are."""
        return self._auth is None and self._tokens is None

    @property
    def has_login(self) -> bool:
        """Whether a token may be given in a form, for a cookie."""
        return self._tokens is not None

    async def identify(self, connection: HTTPConnection) -> Session | None:
        """Return who makes a request or opens a socket, or None."""
        if self._auth is not None:
            answer = self._auth(connection)
            caller = await answer if inspect.isawaitable(answer) else answer
            return None if caller is None else self._as(caller)
        if self._tokens is None:
            return self._as(_LOCAL)
        bearer = bearer_of(connection)
        if bearer is not None:
            return self._session(self._tokens.find(bearer))
        cookie = connection.cookies.get(cookie_name(connection))
        return None if cookie is None else self._read_cookie(cookie, self._tokens)

    def identify_token(self, token: str) -> Session | None:
        """Return whose a token is that came as the first message of a socket, or None."""
        if self._tokens is not None and (session := self._session(self._tokens.find(token))) is not None:
            return session
        if self.live_key is None:
            return None
        claims = read_watch_token(token, self.live_key)
        if claims is None:
            return None
        try:
            caller = Caller(name=claims.subject, role="viewer", hide=claims.hide)
        except ValidationError:
            return None
        may = claims.may - {"execute"} if self._read_only else claims.may
        return Session(caller, claims.ends_at, claims.what, claims.realm, may)

    def log_in(self, token: str) -> tuple[Caller, str] | None:
        """Return whose a token is, and the cookie for it, or None where it is nobody's."""
        found = None if self._tokens is None else self._tokens.find(token)
        if found is None or self._tokens is None:
            return None
        ends_at = min(time.time() + LOGIN_SECONDS, found.ends_at or float("inf"))
        said = base64.urlsafe_b64encode(to_json([found.caller.name, int(ends_at)])).decode()
        return self._seen(found.caller), f"{said}.{_sign(said, self._tokens.key)}"

    def _read_cookie(self, cookie: str, tokens: Tokens) -> Session | None:
        said, _, signature = cookie.partition(".")
        if not hmac.compare_digest(_sign(said, tokens.key).encode(), signature.encode("utf-8", "replace")):
            return None
        try:
            name, ends_at = from_json(base64.urlsafe_b64decode(said))
        except (ValueError, binascii.Error):
            return None
        if time.time() >= ends_at:
            return None
        session = self._session(tokens.named(name))
        return None if session is None else replace(session, ends_at=min(ends_at, session.ends_at or ends_at))

    def _session(self, token: Token | None) -> Session | None:
        return None if token is None else self._as(token.caller, token.ends_at)

    def _as(self, caller: Caller, ends_at: float | None = None) -> Session:
        seen = self._seen(caller)
        return Session(seen, ends_at, may=ALL_RIGHTS if seen.may("operator") else ALL_RIGHTS - {"execute"})

    def _seen(self, caller: Caller) -> Caller:
        if self._read_only and caller.may("operator"):
            return caller.model_copy(update={"role": "viewer"})
        return caller


def bearer_of(connection: HTTPConnection) -> str | None:
    """Return the token of the header `Authorization: Bearer …`, or None."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def cookie_name(connection: HTTPConnection) -> str:
    """Return the name of the cookie: beyond plain HTTP one that a browser takes over TLS alone, for this host alone."""
    return "__Host-flows" if connection.url.scheme in {"https", "wss"} else "flows"


def _sign(said: str, key: bytes) -> str:
    return hmac.new(key, said.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
