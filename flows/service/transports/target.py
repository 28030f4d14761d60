"""`Target`: an address on the web that may be posted to, checked when it is declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flows.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.service.transports.address import Network

_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Target:
    """Where to post. Messages show `shown` alone: the rest of a URL may be as secret as a password.

    Attributes:
        tls: The connection is encrypted, and the certificate must be the host's.
        host: Its host, a name or an address.
        port: Its port.
        path: Path and query, as they are sent.
    """

    tls: bool
    host: str
    port: int
    path: str

    @property
    def shown(self) -> str:
        """Scheme, host and port."""
        return f"{'https' if self.tls else 'http'}://{self.authority}"

    @property
    def authority(self) -> str:
        """Host and port, as the header `Host` has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https" if self.tls else "http"] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be called, and whom to trust.

    Attributes:
        allow_http: Plain http too.
        networks: Networks that may be called although they are not public.
        ca_certs: A file of certificates to trust beside the system's; None: the system's alone.
        timeout: How long one post may take in all, in seconds.
    """

    allow_http: bool
    networks: Sequence[Network]
    ca_certs: str | None
    timeout: float


def parse_target(url: str, *, allow_http: bool) -> Target:
    """Return the target that a URL names.

    Raises:
        DeclarationError: it is no URL of https (or http, where that is allowed), or has a user, a fragment, or
            characters that a URL cannot have. The message has no part of it but its scheme.
    """
    if not url.isascii() or not url.isprintable() or " " in url:
        raise DeclarationError("the url has spaces, or characters that a URL cannot have: write them as %XX")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise DeclarationError("the url cannot be read: write it as https://host[:port]/path") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and allow_http):
        hint = "" if parts.scheme != "http" else "; allow_http=True takes plain http, for tests and within one machine"
        raise DeclarationError(f"the url begins with {parts.scheme or 'no scheme'!r}: give one of https{hint}")
    if not parts.hostname or port == 0:
        raise DeclarationError("the url names no host and port: write it as https://host[:port]/path")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise DeclarationError("the url has a user, a password or a fragment: receivers are told who calls by a secret")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme == "https", parts.hostname, port or _PORTS[parts.scheme], path)
