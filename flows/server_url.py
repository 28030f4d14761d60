"""Takes the URL of a server apart, so that the client is given what was understood, and nothing else.

A message quotes nothing of a URL but its scheme and the names of options: the rest may be a password.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote_to_bytes

from flows.errors import DeclarationError
from flows.tls_options import TLS_OPTIONS, tls_option

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The schemes that a URL may have, and those that stand for TLS.
SCHEMES: Final = ("redis", "rediss", "valkey", "valkeys", "unix")
_TLS_SCHEMES: Final = ("rediss", "valkeys")
DEFAULT_PORT: Final = 6379

#: Options of redis-py that flows sets itself: URLs that are shared with other code have them, and here they do nothing.
OURS: Final = frozenset(
    (
        "auto_close_connection_pool",
        "charset",
        "client_name",
        "decode_responses",
        "driver_info",
        "encoder_class",
        "encoding",
        "encoding_errors",
        "errors",
        "health_check_interval",
        "legacy_responses",
        "lib_name",
        "lib_version",
        "max_connections",
        "parser_class",
        "protocol",
        "retry",
        "retry_on_error",
        "retry_on_timeout",
        "single_connection_client",
        "socket_connect_timeout",
        "socket_keepalive",
        "socket_keepalive_options",
        "socket_read_size",
        "socket_timeout",
        "socket_type",
        "timeout",
    )
)

#: Options whose values are secret; what stands behind them may be the rest of one, in which an & was not encoded.
_SECRETS: Final = frozenset(("username", "password", "ssl_password"))

#: Schemes that are named in the message, since many try them; of any other nothing is shown.
_NAMED: Final = re.compile(
    r"(https?|ftps?|tcp|tls|sentinel|postgres(ql)?|mysql|amqps?|mongodb|memcached|sqlite|file"
    r"|(redis|rediss|valkey|valkeys)[+-](sentinel|cluster|socket|unix|tls|ssl|srv))://",
    re.IGNORECASE,
)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_TEMPLATE: Final = re.compile(r"\$\{|\$\(|\{\{|\}\}|\{%|%\(|[<>]")
_SPACE: Final = re.compile(r"[\s\x00-\x1f\x7f]")
#: What Python makes of a byte of the environment that is no UTF-8.
_NO_TEXT: Final = re.compile("[\ud800-\udfff]")
_BAD_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST: Final = re.compile(r"[\w.-]*")
_OPTION: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
_DATABASE: Final = re.compile(r"/?([0-9]{0,9})/?")


@dataclass(frozen=True, slots=True)
class ServerUrl:
    """Where a server is, and how to log in there."""

    host: str = "localhost"
    port: int = DEFAULT_PORT
    socket_path: str | None = None
    """The path of its unix socket; where there is one, host and port mean nothing."""
    tls: bool = False
    db: int = 0
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    tls_options: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """By the names that redis-py gives them."""
    ignored: tuple[str, ...] = ()
    """The options of the URL that do nothing, since flows sets them itself."""

    def __str__(self) -> str:
        """Return the URL without the options, user name and password: what was taken for a name may be half of one."""
        login = "" if self.password is None else "***@"
        if self.socket_path is not None:
            return f"unix://{login}{quote(self.socket_path, errors='replace')}" + (f"?db={self.db}" if self.db else "")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'rediss' if self.tls else 'redis'}://{login}{host}:{self.port}/{self.db}"

    def without_secrets(self, text: str) -> str:
        """Return a text, such as an error of the server, with `***` in place of the passwords."""
        for secret in (self.password, self.tls_options.get("ssl_password")):
            if secret:
                for form in {secret, quote(secret, safe=""), repr(secret)[1:-1]}:
                    text = text.replace(form, "***")
        return text


class _MalformedError(Exception):
    """What is wrong with a URL, in words that follow its name."""


def parse_server_url(url: str, source: str = "redis_url") -> ServerUrl:
    """Take a URL apart; `source` says in messages where it comes from.

    Raises:
        DeclarationError: a part is malformed, or an option is not known; nothing of the URL's values is shown.
    """
    try:
        return _parse(url.strip())
    except _MalformedError as error:
        problem = str(error)
    raise DeclarationError(f"the server URL of {source} {problem}")


def _parse(url: str) -> ServerUrl:
    if _NO_TEXT.search(url):
        raise _MalformedError("has bytes that are no UTF-8: percent-encode the text in UTF-8")
    if url[:1] in {"'", '"'}:
        raise _MalformedError("stands in quotes: leave them out")
    if _SPACE.search(url):
        raise _MalformedError("has white space or a control character in it: leave it out, or percent-encode it")
    if _TEMPLATE.search(url):
        raise _MalformedError("looks like a template that was not filled in: it has one of ${ $( {{ }} {% %( < > in it")
    scheme, rest = _split_scheme(url)
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    rest = rest[len(authority) :]
    if "#" in rest or ("@" in rest and not (scheme == "unix" and not authority)):
        raise _MalformedError(
            "has a part that was not percent-encoded: in a user name, a password or an option write"
            " %23 for #, %2F for /, %3F for ? and %40 for @"
        )
    path, _, query = rest.partition("?")
    login, at, place = authority.rpartition("@")
    options = _options(query, tls=scheme in _TLS_SCHEMES)
    parts: dict[str, Any] = {"tls": scheme in _TLS_SCHEMES, **_login(login, options, given=bool(at))}
    if scheme == "unix":
        if place or len(path) < len("/s"):
            raise _MalformedError("names no socket: write unix:///path/to/socket, with three slashes")
        parts |= {"socket_path": os.fsdecode(_decoded_bytes(path)), "db": _database("", options)}
    else:
        parts |= {**_place(place), "db": _database(path, options)}
    return ServerUrl(**parts, tls_options=options.tls, ignored=tuple(options.ignored))


def _split_scheme(url: str) -> tuple[str, str]:
    """Return the scheme in lower case, and what follows its slashes."""
    found = _SCHEME.match(url)
    if found is not None and found[1].lower() in SCHEMES:
        return found[1].lower(), url[found.end() :]
    named = _NAMED.match(url)
    problem = "has no scheme" if found is None else f"begins with {named[0]}" if named else "has an unknown scheme"
    *schemes, last = (f"{scheme}://" for scheme in SCHEMES)
    raise _MalformedError(f"{problem}: it must begin with {', '.join(schemes)} or {last}")


def _login(login: str, options: _Options, *, given: bool) -> dict[str, str | None]:
    """Return user name and password, from before the host or from the options."""
    username, password = options.text.get("username"), options.text.get("password")
    if not given:
        return {"username": username, "password": password if password is not None or username is None else ""}
    if username is not None or password is not None:
        raise _MalformedError("gives user name or password before the host and as an option: give them once")
    name, colon, secret = login.partition(":")
    if "@" in login:
        raise _MalformedError("has an @ in its user name or password that was not percent-encoded: write %40")
    if not colon:
        raise _MalformedError("has one word before its @, user or password: write user:password@ or :password@")
    username, password = _decoded(name), _decoded(secret)
    return {"username": username or None, "password": password if username or password else None}


def _place(place: str) -> dict[str, Any]:
    """Return host and port."""
    found = re.fullmatch(r"\[([^\[\]]*)\](?::(.*))?", place, re.DOTALL)
    if found is not None:
        if not _is_ipv6(host := found[1].replace("%25", "%", 1)):
            raise _MalformedError("has no IPv6 address between its brackets")
        port = found[2] or ""
    else:
        host, _, port = place.rpartition(":") if ":" in place else (place, "", "")
        if ":" in host:
            raise _MalformedError("has several colons in its host: an IPv6 address stands in brackets, as [::1]:6379")
        if "," in place:
            raise _MalformedError("names several hosts: give one server")
        if not _HOST.fullmatch(host):
            raise _MalformedError("has a character in its host that no host name has: is it a template?")
    if port and not (port.isascii() and port.isdigit() and len(port) <= len("65535") and 0 < int(port) < 1 << 16):
        raise _MalformedError("has a port that is no number from 1 to 65535")
    return {"host": host or "localhost", "port": int(port) if port else DEFAULT_PORT}


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _database(path: str, options: _Options) -> int:
    """Return the number of the database, from the path or the option."""
    found, option = _DATABASE.fullmatch(path), options.text.get("db")
    if found is None:
        raise _MalformedError("names a database that is no number: write /0")
    if option is None:
        return int(found[1] or 0)
    if not _DATABASE.fullmatch(option) or not option.isdigit():
        raise _MalformedError("has a value of the option db that is no number")
    if found[1] and int(found[1]) != int(option):
        raise _MalformedError("names one database in its path and another one in the option db")
    return int(option)


@dataclass(slots=True)
class _Options:
    """The options of a URL, checked."""

    text: dict[str, str] = field(default_factory=dict[str, str])
    tls: dict[str, Any] = field(default_factory=dict[str, Any])
    ignored: list[str] = field(default_factory=list[str])


def _options(query: str, *, tls: bool) -> _Options:
    found = _Options()
    for part in filter(None, query.split("&")):
        name, equals, value = part.partition("=")
        if not equals or not _OPTION.fullmatch(name):
            raise _MalformedError("has an option that is not of the form name=value")
        if name in OURS:
            found.ignored.append(name)
            continue
        if name in found.text or name in found.tls:
            raise _MalformedError(f"has the option {name} twice")
        if name in {"db", "username", "password"}:
            found.text[name] = _decoded(value.replace("+", " "))
        elif name not in TLS_OPTIONS:
            raise _unknown_option(name, found)
        elif not tls:
            raise _MalformedError(f"has the option {name}, which needs rediss:// or valkeys://")
        else:
            found.tls[name] = tls_option(name, _decoded(value.replace("+", " ")))
            if found.tls[name] is None:
                raise _MalformedError(f"has a value of the option {name} that is not understood: {TLS_OPTIONS[name]}")
    _check_key(found.tls)
    if found.tls.get("ssl_cert_reqs") == "none":
        found.tls["ssl_check_hostname"] = False
    return found


def _unknown_option(name: str, before: _Options) -> _MalformedError:
    if _SECRETS & (before.text.keys() | before.tls.keys()):
        return _MalformedError(
            "has an option that flows does not know behind a user name or password: write %26 for an & in those"
        )
    instead = "write rediss:// in place of redis://" if name.lower() in {"ssl", "tls"} else "leave it out"
    return _MalformedError(f"has the option {name}, which flows does not know: {instead}")


def _check_key(tls: Mapping[str, Any]) -> None:
    for name in ("ssl_keyfile", "ssl_password"):
        if name in tls and "ssl_certfile" not in tls:
            raise _MalformedError(f"has the option {name} without ssl_certfile: give both, or neither")


def _decoded(text: str) -> str:
    try:
        return _decoded_bytes(text).decode()
    except UnicodeDecodeError:
        pass
    raise _MalformedError("has percent-encoded bytes that are no UTF-8")


def _decoded_bytes(text: str) -> bytes:
    if _BAD_PERCENT.search(text):
        raise _MalformedError("has a % that was not percent-encoded: write %25")
    return unquote_to_bytes(text)
