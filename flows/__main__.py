"""Runs the command line: `flows`, or `python -m flows`.

What is about the embedded server needs no extra package; all else is in `flows.cli`, which needs the extra `cli`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from flows.cli import lua, server
from flows.errors import FlowsError, MissingExtra

#: Whether the extras `cli` and `web` are there.
HAS_CLI: Final = find_spec("cyclopts") is not None and find_spec("rich") is not None
HAS_WEB: Final = find_spec("starlette") is not None

if TYPE_CHECKING or HAS_CLI:
    from cyclopts import App, Parameter

    from flows.cli.app import make_app, run_app

if TYPE_CHECKING or (HAS_CLI and HAS_WEB):
    from flows.server.command import add_web
else:

    def add_web(app: App) -> None:
        """Have `flows web` say what it lacks."""

        def web() -> int:
            """Serve the operations over HTTP: it needs the extra `web`."""
            raise MissingExtra("flows web", "web")

        app.command(web)


#: The commands that need no extra.
_SERVER = ("status", "stop")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; an error is one line on stderr, and 2."""
    given = list(sys.argv[1:] if argv is None else argv)
    plain = given[:1] == ["lua"] or (given[:1] == ["server"] and given[1:2] != [] and given[1] in _SERVER)
    return _run_plain(given) if plain or not HAS_CLI else run_app(_app(), given)


@cache
def _app() -> App:
    return make_app(_add_plain, add_web)


def _run_plain(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="flows" if Path(sys.argv[0]).stem == "flows" else "python -m flows",
        description="Typed jobs through pipelines of queues on Redis.",
        epilog="All other commands need the extra `cli`: pip install 'typed-flows[cli]'",
    )
    parser.set_defaults(run=partial(_help, parser))
    groups = parser.add_subparsers(title="commands", metavar="COMMAND")
    group = groups.add_parser("server", help="show the status of the embedded server, or stop it")
    group.set_defaults(run=partial(_help, group))
    server.add_commands(group)
    lua.add_command(groups.add_parser("lua", help="print a Lua script as it is sent"))
    if argv and not argv[0].startswith("-") and argv[0] not in groups.choices:
        sys.stderr.write(f"flows: {MissingExtra(f'flows {argv[0]:.40}', 'cli')}\n")
        return 2
    arguments = parser.parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except (FlowsError, OSError) as error:
        sys.stderr.write(f"flows: {error}\n")
        return 2


def _add_plain(app: App) -> None:
    """Have the help of the command line name the commands that need no extra; `main` runs them."""
    words = Annotated[str, Parameter(allow_leading_hyphen=True, show=False)]

    def status(*rest: str) -> int:
        """Say whether the embedded server runs, where, and how full it is."""
        return _run_plain(["server", "status", *rest])

    def stop(*rest: str) -> int:
        """Stop the embedded server when its data is on disk."""
        return _run_plain(["server", "stop", *rest])

    def scripts(*rest: str) -> int:
        """Print a Lua script as it is sent."""
        return _run_plain(["lua", *rest])

    for command in (status, stop, scripts):
        command.__annotations__["rest"] = words
    app["server"].command(status)
    app["server"].command(stop)
    app.command(scripts, name="lua")


def _help(parser: argparse.ArgumentParser, _: argparse.Namespace) -> int:
    """Print the help of a command line that names no command."""
    parser.print_help()
    return 0


if __name__ == "__main__":
    sys.exit(main())
