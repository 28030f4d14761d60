"""Runs the command `lua`, which prints a script as it is sent, with the file and line of each statement."""

from __future__ import annotations

import argparse
import sys

from flows.store.client.lua_file import ScriptError
from flows.store.client.scripts import load, names


def add_command(parser: argparse.ArgumentParser) -> None:
    """Set up the parser of the command `lua`."""
    parser.description = "Print a script as it is sent to the server, with `-- file:line` where a statement begins."
    parser.add_argument("name", nargs="?", help="the script; without it, the names of all")
    parser.set_defaults(run=_lua)


def _lua(arguments: argparse.Namespace) -> int:
    if arguments.name is None:
        sys.stdout.write("".join(f"{name}\n" for name in names()))
        return 0
    try:
        script = load(arguments.name)
    except ScriptError as error:
        sys.stderr.write(f"flows: {error}\n")
        return 2
    sys.stdout.write(f"{script.marked()}\n")
    return 0
