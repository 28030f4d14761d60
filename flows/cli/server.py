"""Runs the commands `server status` and `server stop`, about the embedded server of a data directory."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from flows.config import choose_server
from flows.server_url import parse_server_url
from flows.store.embedded import EmbeddedServer, EmbeddedStatus

#: The exit status of `status` when no server runs (as that of `systemctl status`).
NOT_RUNNING = 3


def add_commands(group: argparse.ArgumentParser) -> None:
    """Set up the parser of the group `server`."""
    group.description = "The embedded server starts when a flow needs it, and stays until it is stopped."
    commands = group.add_subparsers(title="commands", metavar="COMMAND")
    status = commands.add_parser(
        "status",
        help="say whether it runs, where, and how full it is",
        description="Say whether the embedded server runs, where, and how full it is.",
        epilog=f"Exit status: 0 when it runs, {NOT_RUNNING} when it does not.",
    )
    status.add_argument("--json", action="store_true", help="print one JSON object")
    status.set_defaults(run=_status)
    stop = commands.add_parser(
        "stop",
        help="stop it; its data stays",
        description="Stop the embedded server when its data is on disk; the next start finds it there.",
    )
    stop.set_defaults(run=_stop)
    for command in (status, stop):
        command.add_argument(
            "--data-dir",
            type=Path,
            metavar="DIR",
            help="its data directory (default: FLOWS_DATA_DIR, else that of the user)",
        )


def _status(arguments: argparse.Namespace) -> int:
    status = EmbeddedServer(arguments.data_dir).status()
    used = choose_server(None)
    if arguments.json:
        record = dataclasses.asdict(status) | {"data_dir": str(status.data_dir)}
        uses = {"url": used.url and str(parse_server_url(used.url)), "source": used.source}
        _print(json.dumps(record | {"this_shell_uses": uses}, indent=2))
    else:
        _print(_table(status))
        if used.url is not None:
            _print(f"this shell uses {used}")
    return 0 if status.running else NOT_RUNNING


def _stop(arguments: argparse.Namespace) -> int:
    server = EmbeddedServer(arguments.data_dir)
    pid = server.status().pid
    _print(f"stopped (pid {pid})" if server.stop() else "not running")
    _print(f"  data     {server.data_dir}")
    return 0


def _table(status: EmbeddedStatus) -> str:
    """Return the status in aligned lines."""
    rows: dict[str, object] = {"data": status.data_dir}
    if status.running:
        rows["pid"] = status.pid
    if status.version:
        rows |= {
            "url": status.url,
            "version": f"Valkey {status.version}",
            "up": f"{status.uptime_s} s",
            "clients": status.clients,
            "keys": status.keys,
            "memory": f"{status.memory_bytes / 2**20:.1f} MiB",
        }
    lines = [f"  {name:<8} {value}" for name, value in rows.items()]
    return "\n".join([_state(status), *lines])


def _state(status: EmbeddedStatus) -> str:
    if not status.running:
        return "not running"
    return "running" if status.version else "running, but does not answer"


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
