"""Chooses the server, and the directory in which the embedded one keeps its data.

Arguments win over the environment, the environment over the defaults. Nothing here opens anything.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flows.errors import DeclarationError
from flows.server_url import parse_server_url

#: The environment variables that name a server; the first that is set wins.
URL_VARIABLES = ("FLOWS_REDIS_URL", "REDIS_URL")
#: Names the embedded server where a URL is expected.
EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class Server:
    """The server to use: its URL (None: the embedded one), and what named it."""

    url: str | None = field(repr=False)
    source: str

    @property
    def address(self) -> tuple[str, int | None] | None:
        """Its host and port, or the path of its socket and None; None where it is the embedded one."""
        if self.url is None:
            return None
        url = parse_server_url(self.url)
        return (url.host, url.port) if url.socket_path is None else (url.socket_path, None)

    def __str__(self) -> str:
        """Return which server it is, for a log line; the password is hidden."""
        return "the embedded server" if self.url is None else f"{parse_server_url(self.url)} from {self.source}"


def choose_server(redis_url: str | None, environ: Mapping[str, str] = os.environ) -> Server:
    """Return the server to use: the argument, else the environment, else the embedded one; empty is unset.

    "embedded" names the embedded server, also where a variable behind it names another.

    Raises:
        DeclarationError: the URL is malformed, or has an option that is not known.
    """
    named = [("redis_url", redis_url), *((name, environ.get(name)) for name in URL_VARIABLES)]
    for source, url in named:
        if url and url.strip():
            if url == EMBEDDED:
                return Server(None, source)
            parse_server_url(url, source)
            return Server(url, source)
    return Server(None, EMBEDDED)


def data_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the embedded server keeps its data: FLOWS_DATA_DIR, else the user's data directory for flows.

    Raises:
        DeclarationError: neither is known: there is no HOME, and the system does not know the user.
    """
    if chosen := environ.get("FLOWS_DATA_DIR"):
        try:
            return Path(chosen).expanduser().resolve()
        except RuntimeError as error:
            raise DeclarationError(f"FLOWS_DATA_DIR={chosen!r}: {_NO_HOME}, give the whole path") from error
    xdg = Path(environ.get("XDG_DATA_HOME", ""))  # its specification: ignore it unless it is absolute
    if sys.platform != "darwin" and xdg.is_absolute():
        return xdg / "flows"
    home = _home(environ)
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "flows"
    return home / ".local" / "share" / "flows"


_NO_HOME = "this user has no home directory"


def _home(environ: Mapping[str, str]) -> Path:
    try:
        return Path(environ.get("HOME") or Path.home())
    except RuntimeError as error:  # a user that no passwd file knows, as in some containers
        raise DeclarationError(
            f"there is no place for the data of the embedded server, since {_NO_HOME}: set FLOWS_DATA_DIR to a "
            "directory, or FLOWS_REDIS_URL to use a server of your own"
        ) from error
