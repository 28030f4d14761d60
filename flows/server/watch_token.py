"""Short signed tokens with which a browser of your own site watches: your server makes one, for named topics only.

A JWT (RFC 7519) of HMAC-SHA256 for the audience `flows-live`. It is sent as the first message of a socket, never in a
URL, and asked for anew before each connection.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from flows.api import Caller
from flows.errors import DeclarationError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterable

_AUDIENCE: Final = "flows-live"
_ALGORITHM: Final = "HS256"
_SHORTEST_KEY: Final = 32
_LONGEST: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Watcher:
    """What a token says.

    Args:
        caller: Who watches.
        topics: What it may watch.
        ends_at: In seconds since 1970.
    """

    caller: Caller
    topics: frozenset[str]
    ends_at: float


def watch_token(
    key: str,
    subject: str,
    topics: Iterable[str],
    *,
    hide: Iterable[str] = (),
    lasts: timedelta = timedelta(minutes=5),
) -> str:
    """Return a token that lets a browser watch some topics.

    Args:
        key: That of the server, `FLOWS_LIVE_KEY`: 32 characters at least.
        subject: Who watches, as your site calls them.
        topics: Such as `job/access/0192…`; nothing else can be watched with it.
        hide: Fields that are hidden from this watcher.
        lasts: For how long; 15 minutes at most.

    Raises:
        DeclarationError: The key is too short, or the time too long.
        MissingExtra: PyJWT is not installed.
    """
    check_key(key)
    if not timedelta(0) < lasts <= _LONGEST:
        raise DeclarationError(f"a token of a watcher lasts {_LONGEST} at most, not {lasts}")
    ends = time.time() + lasts.total_seconds()
    claims = {"sub": subject, "aud": _AUDIENCE, "exp": ends, "w": sorted(topics), "hide": sorted(hide)}
    token: str = _jwt().encode(claims, key, algorithm=_ALGORITHM)
    return token


def read_watch_token(token: str, key: str) -> Watcher | None:
    """Return what a token says, or None where it was not signed with this key, is another's, or has ended."""
    jwt = _jwt()
    try:
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=[_ALGORITHM], audience=_AUDIENCE, options={"require": ["exp", "sub", "aud"]}
        )
        topics = frozenset(str(topic) for topic in claims["w"])
        caller = Caller(name=claims["sub"], role="viewer", hide=frozenset(claims.get("hide", ())))
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        return None
    return Watcher(caller, topics, float(claims["exp"]))


def check_key(key: str) -> None:
    """Check that a key is long enough.

    Raises:
        DeclarationError: It is not.
    """
    if len(key) < _SHORTEST_KEY:
        raise DeclarationError(f"a key that signs tokens of watchers has {_SHORTEST_KEY} characters at least")


def _jwt() -> Any:  # noqa: ANN401 - the package itself
    try:
        import jwt  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtra("a token of a watcher", "web") from None
    return jwt
