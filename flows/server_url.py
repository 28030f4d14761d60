"""Takes the URL of a server apart, so that the client is given what was understood, and nothing else.

A message quotes nothing of a URL but its scheme and the names of options: the rest may be a password.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from flows.errors import DeclarationError
from flows.url_options import MalformedUrl, UrlOptions, decoded, decoded_bytes, url_options

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The schemes that a URL may have, and those that stand for TLS.
SCHEMES: Final = ("redis", "rediss", "valkey", "valkeys", "unix")
_TLS_SCHEMES: Final = ("rediss", "valkeys")
DEFAULT_PORT: Final = 6379

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
_HOST: Final = re.compile(r"[\w.-]*")
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


def parse_server_url(url: str, source: str = "redis_url") -> ServerUrl:
    """Take a URL apart; `source` says in messages where it comes from.

    Raises:
        DeclarationError: a part is malformed, or an option is not known; nothing of the URL's values is shown.
    """
    try:
        return _parse(url.strip())
    except MalformedUrl as error:
        problem = str(error)
    raise DeclarationError(f"the server URL of {source} {problem}")


def _parse(url: str) -> ServerUrl:
    if _NO_TEXT.search(url):
        raise MalformedUrl("has bytes that are no UTF-8: percent-encode the text in UTF-8")
    if url[:1] in {"'", '"'}:
        raise MalformedUrl("stands in quotes: leave them out")
    if _SPACE.search(url):
        raise MalformedUrl("has white space or a control character in it: leave it out, or percent-encode it")
    if _TEMPLATE.search(url):
        raise MalformedUrl("looks like a template that was not filled in: it has one of ${ $( {{ }} {% %( < > in it")
    scheme, rest = _split_scheme(url)
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    rest = rest[len(authority) :]
    if "#" in rest or ("@" in rest and not (scheme == "unix" and not authority)):
        raise MalformedUrl(
            "has a part that was not percent-encoded: in a user name, a password or an option write"
            " %23 for #, %2F for /, %3F for ? and %40 for @"
        )
    path, _, query = rest.partition("?")
    login, at, place = authority.rpartition("@")
    options = url_options(query, tls=scheme in _TLS_SCHEMES)
    parts: dict[str, Any] = {"tls": scheme in _TLS_SCHEMES, **_login(login, options, given=bool(at))}
    if scheme == "unix":
        if place or len(path) < len("/s"):
            raise MalformedUrl("names no socket: write unix:///path/to/socket, with three slashes")
        parts |= {"socket_path": os.fsdecode(decoded_bytes(path)), "db": _database("", options)}
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
    raise MalformedUrl(f"{problem}: it must begin with {', '.join(schemes)} or {last}")


def _login(login: str, options: UrlOptions, *, given: bool) -> dict[str, str | None]:
    """Return user name and password, from before the host or from the options."""
    username, password = options.text.get("username"), options.text.get("password")
    if not given:
        return {"username": username, "password": password if password is not None or username is None else ""}
    if username is not None or password is not None:
        raise MalformedUrl("gives user name or password before the host and as an option: give them once")
    name, colon, secret = login.partition(":")
    if "@" in login:
        raise MalformedUrl("has an @ in its user name or password that was not percent-encoded: write %40")
    if not colon:
        raise MalformedUrl("has one word before its @, user or password: write user:password@ or :password@")
    username, password = decoded(name), decoded(secret)
    return {"username": username or None, "password": password if username or password else None}


def _place(place: str) -> dict[str, Any]:
    """Return host and port."""
    found = re.fullmatch(r"\[([^\[\]]*)\](?::(.*))?", place, re.DOTALL)
    if found is not None:
        if not _is_ipv6(host := found[1].replace("%25", "%", 1)):
            raise MalformedUrl("has no IPv6 address between its brackets")
        port = found[2] or ""
    else:
        host, _, port = place.rpartition(":") if ":" in place else (place, "", "")
        if ":" in host:
            raise MalformedUrl("has several colons in its host: an IPv6 address stands in brackets, as [::1]:6379")
        if "," in place:
            raise MalformedUrl("names several hosts: give one server")
        if not _HOST.fullmatch(host):
            raise MalformedUrl("has a character in its host that no host name has: is it a template?")
    if port and not (port.isascii() and port.isdigit() and len(port) <= len("65535") and 0 < int(port) < 1 << 16):
        raise MalformedUrl("has a port that is no number from 1 to 65535")
    return {"host": host or "localhost", "port": int(port) if port else DEFAULT_PORT}


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _database(path: str, options: UrlOptions) -> int:
    """Return the number of the database, from the path or the option."""
    found, option = _DATABASE.fullmatch(path), options.text.get("db")
    if found is None:
        raise MalformedUrl("names a database that is no number: write /0")
    if option is None:
        return int(found[1] or 0)
    if not _DATABASE.fullmatch(option) or not option.isdigit():
        raise MalformedUrl("has a value of the option db that is no number")
    if found[1] and int(found[1]) != int(option):
        raise MalformedUrl("names one database in its path and another one in the option db")
    return int(option)
