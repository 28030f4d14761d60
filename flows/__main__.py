"""Runs the command line: `flows`, or `python -m flows`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from flows.cli import lua, server
from flows.errors import FlowsError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; an error is one line on stderr, and 2."""
    parser = argparse.ArgumentParser(
        prog="flows" if Path(sys.argv[0]).stem == "flows" else "python -m flows",
        description="Typed jobs through pipelines of queues on Redis.",
    )
    parser.set_defaults(run=partial(_help, parser))
    groups = parser.add_subparsers(title="commands", metavar="COMMAND")
    group = groups.add_parser("server", help="show the status of the embedded server, or stop it")
    group.set_defaults(run=partial(_help, group))
    server.add_commands(group)
    lua.add_command(groups.add_parser("lua", help="print a Lua script as it is sent"))
    arguments = parser.parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except (FlowsError, OSError) as error:
        sys.stderr.write(f"flows: {error}\n")
        return 2


def _help(parser: argparse.ArgumentParser, _: argparse.Namespace) -> int:
    """Print the help of a command line that names no command."""
    parser.print_help()
    return 0


if __name__ == "__main__":
    sys.exit(main())
