"""Short signed tokens with which a browser of your own site watches: your server makes one, for what it names only.

A JWT (RFC 7519) of HMAC-SHA256 for the audience `flows-live`. It is sent as the first message of a socket, never in a
URL, and asked for anew before each connection. Two keys may be good at once, so that one can take the other's place.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from flows.errors import DeclarationError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Collection

#: What a token may let its bearer do with instances of trees: watch them, execute, read results; `logs` are the lines
#: of logs and the messages of errors.
WatchRight: TypeAlias = Literal["watch", "execute", "results", "logs"]
#: All of them.
ALL_RIGHTS: Final[frozenset[WatchRight]] = frozenset(get_args(WatchRight))
#: Signs the tokens of watchers; without it there are none. Of several, parted by spaces, the first.
LIVE_KEY_VARIABLE: Final = "FLOWS_LIVE_KEY"
#: How long a token lasts where nothing else is said.
LASTS: Final = timedelta(minutes=5)

_AUDIENCE: Final = "flows-live"
_ALGORITHM: Final = "HS256"
_SHORTEST_KEY: Final = 32
_LONGEST: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class WatchClaims:
    """What a token says.

    Attributes:
        subject: Who watches, as your site calls them; the audit shows it.
        what: The topics and the instances, by their ids, that may be watched.
        realm: All instances of this realm may be watched too; empty: of none.
        may: What its bearer may do with these instances.
        hide: Fields that are hidden.
        ends_at: In seconds since 1970.
    """

    subject: str
    what: frozenset[str]
    realm: str = ""
    may: frozenset[WatchRight] = frozenset({"watch"})
    hide: frozenset[str] = frozenset()
    ends_at: float = 0.0


def sign_watch_token(keys: str, claims: WatchClaims, lasts: timedelta) -> str:
    """Return a token.

    Args:
        keys: Those of the server, parted by spaces: the first signs.
        claims: What it says, but for its end.
        lasts: For how long; 15 minutes at most.

    Raises:
        DeclarationError: A key is too short, the time too long, or there is no such right.
        MissingExtra: PyJWT is not installed.
    """
    key = check_keys(keys)[0]
    if not timedelta(0) < lasts <= _LONGEST:
        raise DeclarationError(f"a token of a watcher lasts {_LONGEST} at most, not {lasts}")
    _check_rights(claims.may)
    said = {
        "sub": claims.subject,
        "aud": _AUDIENCE,
        "exp": time.time() + lasts.total_seconds(),
        "w": sorted(claims.what),
        "realm": claims.realm,
        "may": sorted(claims.may),
        "hide": sorted(claims.hide),
    }
    token: str = _jwt().encode(said, key, algorithm=_ALGORITHM, headers={"kid": _name_of(key)})
    return token


def read_watch_token(token: str, keys: str) -> WatchClaims | None:
    """Return what a token says, or None where it was signed with none of these keys, is another's, or has ended."""
    jwt = _jwt()
    try:
        named = jwt.get_unverified_header(token).get("kid")
        key = next((one for one in keys.split() if _name_of(one) == named), None)
        if key is None:
            return None
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=[_ALGORITHM], audience=_AUDIENCE, options={"require": ["exp", "sub", "aud"]}
        )
        subject, realm = str(claims["sub"]), str(claims.get("realm", ""))
        what, hide = (frozenset(str(one) for one in claims.get(name, ())) for name in ("w", "hide"))
        may = ALL_RIGHTS & frozenset(claims.get("may", ()))
        ends_at = float(claims["exp"])
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        return None
    return WatchClaims(subject, what, realm, may, hide, ends_at) if subject else None


def check_keys(keys: str) -> list[str]:
    """Return the keys of a text, in which they are parted by spaces.

    Raises:
        DeclarationError: There is none, or one is too short.
    """
    found = keys.split()
    if not found or any(len(key) < _SHORTEST_KEY for key in found):
        raise DeclarationError(f"a key that signs tokens of watchers has {_SHORTEST_KEY} characters at least")
    return found


def _check_rights(may: Collection[str]) -> None:
    if unknown := sorted(set(may) - ALL_RIGHTS):
        raise DeclarationError(f"may={unknown}: there is {', '.join(sorted(ALL_RIGHTS))}")


def _name_of(key: str) -> str:
    """Return by what name a token tells which key has signed it."""
    return hashlib.sha256(b"flows live key " + key.encode()).hexdigest()[:8]


def _jwt() -> Any:
    try:
        import jwt  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtra("a token of a watcher", "web") from None
    return jwt
