"""`flows web`: serves the operations, and what happens, from the command line; and makes tokens for it."""

from __future__ import annotations

import importlib
import ipaddress
import socket
import sys
import webbrowser
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from flows.config import choose_server
from flows.errors import DeclarationError, MissingExtra
from flows.server.app import create_app
from flows.server.live.live import MOST_CONNECTIONS
from flows.server.live.protocol import LONGEST_MESSAGE
from flows.server.tokens import Tokens, new_token, tokens_of_environment

if sys.platform != "win32":
    import resource

#: Where it listens unless it is told.
PORT: Final = 8570
_PING: Final = 20.0
#: Files that the process has open beside its sockets of watchers.
_OTHER_FILES: Final = 1_000
#: So many seconds after SIGTERM what still waits or streams is cut off; sockets are told at once.
_GRACE: Final = 5
#: Connections that wait to be taken.
_BACKLOG: Final = 2048
#: Bytes that the kernel holds for a slow reader.
_MOST_UNSENT: Final = 128 * 1024


def add_web(app: App) -> None:
    """Add `flows web` and `flows web token`."""
    web = App(
        name="web", help="Serve the operations over HTTP, and what happens over WebSocket.", help_format="plaintext"
    )
    web.default(serve)
    web.command(token)
    app.command(web)


def serve(
    *,
    host: Annotated[
        str, Parameter(help="The address to listen at; another than this machine's needs --tokens.")
    ] = "127.0.0.1",
    port: Annotated[int, Parameter(help="The port to listen at.")] = PORT,
    tokens: Annotated[str, Parameter(help="The file of tokens; else FLOWS_WEB_TOKENS.")] = "",
    one_token: Annotated[
        bool, Parameter(name="--token", negative="", help="Make a token for this start, and tell the URL that has it.")
    ] = False,
    name: Annotated[
        tuple[str, ...], Parameter(help="A name by which it is called: ops.example.org.", negative=())
    ] = (),
    origin: Annotated[tuple[str, ...], Parameter(help="A site whose pages may read from here.", negative=())] = (),
    read_only: Annotated[bool, Parameter(negative="", help="Nobody may act.")] = False,
    root_path: Annotated[str, Parameter(help="The prefix that a proxy strips: /ops/flows.")] = "",
    open_browser: Annotated[bool, Parameter(name="--open", negative="", help="Open it in a browser.")] = False,
    redis_url: Annotated[
        str | None, Parameter(help="Which server; else FLOWS_REDIS_URL, REDIS_URL, or the embedded one.")
    ] = None,
    namespace: Annotated[str, Parameter(help="What stands before every key.")] = "",
) -> int:
    """Serve the operations over HTTP, and what happens over WebSocket, until SIGTERM or SIGINT."""
    try:
        process: Any = importlib.import_module("flows.server.process")
    except ImportError:
        raise MissingExtra("flows web", "web") from None
    host = host.strip("[]")
    made, found = _tokens(tokens, one_token=one_token)
    _check_address(host, found)
    root_path = f"/{root_path.strip('/')}" if root_path.strip("/") else ""
    hosts = {*name, *(() if _is_loopback(host) else (host,))} if found else set(name)
    app = create_app(redis_url, namespace, auth=found, hosts=sorted(hosts), origins=origin, read_only=read_only)
    listening = _listen(host, port)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}{root_path}/"
    sys.stderr.write(f"flows web: {url} looks at {choose_server(redis_url)}\n")
    sys.stderr.write(f"flows web: {_who(url, made, found)}\n")
    if open_browser:
        webbrowser.open(url)  # without the token: who is on this machine sees what a browser is started with
    _allow_files()
    server = process.WebServer(
        app,
        host=host,
        port=port,
        root_path=root_path,
        log_level="warning",
        ws_max_size=2 * LONGEST_MESSAGE,  # what is a little too long is told so, by us
        timeout_graceful_shutdown=_GRACE,
        ws_ping_interval=_PING,
        ws_ping_timeout=_PING,
        ws_per_message_deflate=False,
        backlog=_BACKLOG,
        server_header=False,
    )
    server.run(sockets=[listening])
    return 0


def _tokens(file: str, *, one_token: bool) -> tuple[str, Tokens | None]:
    """Return the token that is made for this start, or nothing, and all that are taken.

    Raises:
        DeclarationError: Both are asked for, or the file cannot be read.
    """
    if not one_token:
        return "", Tokens.file(file) if file else tokens_of_environment()
    if file:
        raise DeclarationError("flows web: --token makes the one token that is taken; with --tokens leave it out")
    made, line = new_token("operator", "operator")
    return made, Tokens(line)


def _who(url: str, made: str, found: Tokens | None) -> str:
    """Say whom it answers. A token stands behind the `#`, which no browser sends: the page logs in by it."""
    if made:
        return f"it answers who has the token of this start: {url}#token={made}"
    if found is not None:
        return "it answers who has a token"
    return "every user of this machine is an operator there: --token lets in who has the URL that it prints"


def _allow_files() -> None:
    """Let this process have as many sockets as it promises, where the system lets it: it often begins with 1,024."""
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MOST_CONNECTIONS + _OTHER_FILES
        if soft != resource.RLIM_INFINITY and soft < wanted:
            most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _listen(host: str, port: int) -> socket.socket:
    """Listen; who comes before the server is ready waits for it.

    Raises:
        DeclarationError: The address or the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        raise DeclarationError(f"flows web cannot listen at {host}, port {port} (see --port): {error}") from None
    _bound(listening)
    return listening


def _bound(listening: socket.socket) -> None:
    """Bound what the kernel holds for a reader that takes nothing, and for how long: connections have it from here."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MOST_UNSENT)
    if sys.platform == "linux":  # elsewhere a connection whose reader is stalled stands until the reader goes
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(2 * _PING * 1000))


def token(
    name: Annotated[str, Parameter(help="Who bears it.")],
    *,
    role: Annotated[str, Parameter(help="viewer, who looks, or operator, who acts.")] = "viewer",
    flows: Annotated[str, Parameter(help="Only these flows, joined by commas.")] = "",
    file: Annotated[str, Parameter(help="Add its line to this file.")] = "",
) -> int:
    """Make a token, shown this once, and the line for the file of tokens, which does not hold it."""
    made, line = new_token(name, role, flows=flows)
    if file:
        path = Path(file)
        before = path.read_text("utf-8") if path.exists() else ""
        text = f"{before}{'' if before.endswith(chr(10)) or not before else chr(10)}{line}\n"
        Tokens(text)  # refused where the file would not be taken
        path.touch(mode=0o600)
        path.write_text(text, "utf-8")
    else:
        sys.stderr.write(f"add to the file of tokens:\n{line}\n")
    print(made)  # noqa: T201 - what the command is for
    return 0


def _check_address(host: str, found: Tokens | None) -> None:
    if found is None and not _is_loopback(host):
        raise DeclarationError(
            f"at {host} other machines could ask, and nobody would be asked who they are: give --tokens FILE "
            "(`flows web token NAME --file FILE` makes one), or listen at 127.0.0.1"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
