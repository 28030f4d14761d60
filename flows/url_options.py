"""Understands the options of a server's URL: what flows sets itself does nothing, what it does not know is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

from flows.tls_options import TLS_OPTIONS, tls_option

if TYPE_CHECKING:
    from collections.abc import Mapping

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
_OPTION: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
_BAD_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


class MalformedUrl(Exception):
    """What is wrong with a URL, in words that follow its name."""


@dataclass(slots=True)
class UrlOptions:
    """The options of a URL, checked."""

    text: dict[str, str] = field(default_factory=dict[str, str])
    """Database, user name and password."""
    tls: dict[str, Any] = field(default_factory=dict[str, Any])
    """By the names that redis-py gives them."""
    ignored: list[str] = field(default_factory=list[str])
    """The names of those that flows sets itself."""


def url_options(query: str, *, tls: bool) -> UrlOptions:
    """Return the options of a query; `tls` says whether the URL's scheme stands for TLS.

    Raises:
        MalformedUrl: one is not known, or has a value that is not understood.
    """
    found = UrlOptions()
    for part in filter(None, query.split("&")):
        name, equals, value = part.partition("=")
        if not equals or not _OPTION.fullmatch(name):
            raise MalformedUrl("has an option that is not of the form name=value")
        if name in OURS:
            found.ignored.append(name)
            continue
        if name in found.text or name in found.tls:
            raise MalformedUrl(f"has the option {name} twice")
        if name in {"db", "username", "password"}:
            found.text[name] = decoded(value.replace("+", " "))
        elif name not in TLS_OPTIONS:
            raise _unknown_option(name, found)
        elif not tls:
            raise MalformedUrl(f"has the option {name}, which needs rediss:// or valkeys://")
        else:
            found.tls[name] = tls_option(name, decoded(value.replace("+", " ")))
            if found.tls[name] is None:
                raise MalformedUrl(f"has a value of the option {name} that is not understood: {TLS_OPTIONS[name]}")
    _check_key(found.tls)
    if found.tls.get("ssl_cert_reqs") == "none":
        found.tls["ssl_check_hostname"] = False
    return found


def _unknown_option(name: str, before: UrlOptions) -> MalformedUrl:
    if _SECRETS & (before.text.keys() | before.tls.keys()):
        return MalformedUrl(
            "has an option that flows does not know behind a user name or password: write %26 for an & in those"
        )
    instead = "write rediss:// in place of redis://" if name.lower() in {"ssl", "tls"} else "leave it out"
    return MalformedUrl(f"has the option {name}, which flows does not know: {instead}")


def _check_key(tls: Mapping[str, Any]) -> None:
    for name in ("ssl_keyfile", "ssl_password"):
        if name in tls and "ssl_certfile" not in tls:
            raise MalformedUrl(f"has the option {name} without ssl_certfile: give both, or neither")


def decoded(text: str) -> str:
    """Return a part of a URL without its percent-encoding.

    Raises:
        MalformedUrl: a % stands alone, or the bytes are no UTF-8.
    """
    try:
        return decoded_bytes(text).decode()
    except UnicodeDecodeError:
        pass
    raise MalformedUrl("has percent-encoded bytes that are no UTF-8")


def decoded_bytes(text: str) -> bytes:
    """Return the bytes of a part of a URL without its percent-encoding.

    Raises:
        MalformedUrl: a % stands alone.
    """
    if _BAD_PERCENT.search(text):
        raise MalformedUrl("has a % that was not percent-encoded: write %25")
    return unquote_to_bytes(text)
