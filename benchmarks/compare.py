"""Measures flows and its peers in turn, each in an environment of its own, beside a raw round trip."""

from __future__ import annotations

import argparse
import json
import signal
import socket
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from types import FrameType

from comparison.cells import Cell, Failed, Figures, about, measure
from comparison.charts import charts
from comparison.environments import HOME, Environment, Unavailable, environment
from comparison.report import markdown, tables
from comparison.results import Book, newest, row
from comparison.workloads import WORKLOADS
from measure import reference, run
from peers.pins import OURS, PINS
from peers.resp import Client
from rich.console import Console

from flows.testing import private_server

PEERS = [OURS, *PINS]
#: Fewer jobs than so many say nothing.
_FEWEST = 20


@dataclass(frozen=True)
class Server:
    """What is measured on."""

    url: str
    flush: str
    """The command that empties it: a server that is not ours has other databases."""

    def empty(self) -> None:
        """Empty it."""
        client = Client(self.url)
        client(self.flush)
        client.close()


def main() -> None:
    """Do what the command line asks for."""
    given = _arguments()
    if given.table is not None:
        content = json.loads(given.table.read_text(encoding="utf-8"))
        print(markdown(content))
        if given.charts is not None:
            charts(newest(content), given.charts)
        return
    # Let private servers and workers be stopped on the way out.
    signal.signal(signal.SIGTERM, _leave)
    console = Console()
    cells = _cells(console, given.peer or PEERS, given.workload or list(WORKLOADS), given.size)
    with _server(given.redis) as server:
        book = Book(_version(server.url))
        for workload in WORKLOADS:
            of_workload = [cell for cell in cells if cell.workload == workload]
            _measure(console, book, of_workload, server, given.rounds)
    console = Console(width=max(console.width, 130))
    for table in tables(book.rows):
        console.print(table)
    console.print(f"kept in {book.path}")


def _cells(console: Console, peers: Sequence[str], workloads: Sequence[str], factor: float) -> list[Cell]:
    """Set up the peers and return all that is to be measured; a peer that cannot be set up is left out."""
    cells: list[Cell] = []
    for peer in peers:
        try:
            with console.status(f"setting up {peer} under {HOME}"):
                home = environment(peer)
                told = about(home)
        except (Unavailable, Failed) as error:
            console.print(f"left out: {peer} does not install or start here: {error}", markup=False, soft_wrap=True)
            continue
        cells += _cells_of(peer, home, told, workloads, factor)
    return cells


def _cells_of(
    peer: str,
    home: Environment,
    told: dict[str, dict[str, dict[str, str | int]]],
    workloads: Sequence[str],
    factor: float,
) -> Generator[Cell]:
    versions = {name: str(version) for name, version in told["versions"].items()}
    for workload, part in told["parts"].items():
        for variant in WORKLOADS[workload] if workload in workloads else ():
            jobs = max(_FEWEST, round(int(part["size"]) * variant.share * factor))
            setting = "; ".join(filter(None, [str(part["setting"]), variant.name]))
            yield Cell(peer, home, workload, variant, jobs, setting, versions)


def _measure(console: Console, book: Book, cells: Sequence[Cell], server: Server, rounds: int) -> None:
    """Let the cells of one workload take turns in each round, another first each time, and keep the medians."""
    found: dict[Cell, list[Figures]] = {}
    errors: dict[Cell, list[str]] = {}
    for number in range(rounds if cells else 0):
        start = number * len(cells) // rounds
        before = run(reference(server.url))
        for cell in [*cells[start:], *cells[:start]]:
            label = f"{cell.workload}, round {number + 1} of {rounds}: {cell.peer}, {cell.setting}"
            figures: Figures | None = None
            with console.status(label):
                try:
                    figures = measure(cell, server.url)
                except Failed as error:
                    errors.setdefault(cell, []).append(str(error))
                    console.print(f"{label}: {error}", markup=False, soft_wrap=True)
                server.empty()
                after = run(reference(server.url))
            if figures is not None:
                trips = mean([before, after])
                # A latency is told in round trips of the reference, and a rate as a part of its rate.
                ratio = figures["rate"] / trips if "rate" in figures else figures["p50_ms"] * trips / 1000
                figures |= {"ratio": ratio, "reference_before": before, "reference_after": after}
                found.setdefault(cell, []).append(figures)
                first = next(iter(figures))
                console.print(
                    f"{label}: {first} {figures[first]:,.2f}, ratio {ratio:.3f}", markup=False, soft_wrap=True
                )
            before = after
    for cell in cells:
        book.add(row(cell, found.get(cell, []), errors.get(cell, [])))


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(143)


@contextmanager
def _server(url: str | None) -> Generator[Server]:
    """Yield the server at a URL, or a private one."""
    if url is None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with private_server(port=port, settings={"appendonly": "no"}) as private:
            yield Server(private, "FLUSHALL")
        return
    if Client(url)("DBSIZE"):
        raise SystemExit("the database is not empty: name one that is, the comparison empties it")
    server = Server(url, "FLUSHDB")
    try:
        yield server
    finally:
        server.empty()


def _version(url: str) -> str:
    told = Client(url)("INFO", "server")
    lines = told.decode().splitlines() if isinstance(told, bytes) else []
    found = dict(line.split(":", 1) for line in lines if ":" in line)
    if "valkey_version" in found:
        return f"Valkey {found['valkey_version']}"
    return f"Redis {found.get('redis_version', 'of an unknown version')}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-peers", description=__doc__)
    parser.add_argument("--peer", action="append", choices=PEERS, help="this one; may be repeated")
    parser.add_argument("--workload", action="append", choices=list(WORKLOADS), help="this one; may be repeated")
    parser.add_argument("--rounds", type=int, default=5, help="how many rounds (default: 5)")
    parser.add_argument("--size", type=float, default=1.0, help="a factor for how many jobs a round takes")
    parser.add_argument("--redis", metavar="URL", help="an empty database of a server of yours, by TCP")
    parser.add_argument("--table", type=Path, metavar="FILE", help="measure nothing, make Markdown of these results")
    parser.add_argument("--charts", type=Path, metavar="DIRECTORY", help="with --table: draw two charts there")
    return parser.parse_args()


if __name__ == "__main__":
    main()
