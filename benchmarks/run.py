"""Measures flows on a private server, or on one that is named: jobs per second, and latency."""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import backlog
import depth
import drain
import due
import enqueue
import fan_out
import growth
import idle
import latency
import live_trees
import memory
import pipeline
import processes
import rules
import runs
import trees
import waits
import watched
from measure import Row, empty, rounds, run
from redis import Redis
from rich.console import Console
from rich.table import Table

from flows.testing import private_server

#: All that is measured unless the command line says otherwise.
SETTINGS = [
    *enqueue.SETTINGS,
    *drain.SETTINGS,
    *latency.SETTINGS,
    *pipeline.SETTINGS,
    *fan_out.SETTINGS,
]
QUICK = list(dict.fromkeys(setting.workload for setting in SETTINGS))
#: What takes minutes, on servers of its own: by the URL that was given, the size and the number of rounds.
SLOW: dict[str, Callable[[str | None, float, int], Coroutine[Any, Any, list[Row]]]] = {
    backlog.WORKLOAD: backlog.pairs,
    depth.WORKLOAD: depth.rows,
    processes.WORKLOAD: processes.rows,
    waits.WORKLOAD: waits.rows,
    memory.WORKLOAD: memory.rows,
    idle.WORKLOAD: idle.rows,
    due.WORKLOAD: due.rows,
    growth.WORKLOAD: growth.rows,
    rules.WORKLOAD: rules.rows,
    runs.WORKLOAD: runs.rows,
    trees.WORKLOAD: trees.rows,
    watched.WORKLOAD: watched.rows,
    live_trees.WORKLOAD: live_trees.rows,
}
#: The columns of figures: name, heading and format.
COLUMNS = [
    ("rate", "jobs/s", ",.0f"),
    ("p50_ms", "p50 ms", ".2f"),
    ("p95_ms", "p95 ms", ".2f"),
    ("p99_ms", "p99 ms", ".2f"),
    ("figure", "figure", ",.2f"),
    ("unit", "", ""),
    ("ratio", "ratio", ".3f"),
    ("rounds", "rounds", ""),
]


def main() -> None:
    """Measure what the command line asks for, and print it as a table."""
    given = _arguments()
    chosen = [*QUICK, *SLOW] if given.all else given.workload or QUICK
    console = Console()
    rows: list[Row] = []
    logging.basicConfig(level=logging.WARNING)
    # Let the private servers be stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with _server(given.redis) as url:
        for setting in SETTINGS:
            if setting.workload in chosen:
                with console.status(f"{setting.workload}: {setting.name}"):
                    size = max(1, round(setting.size * given.size))
                    rows.append(run(rounds(setting, url, size, given.rounds)))
        for workload, measure in SLOW.items():
            if workload in chosen:
                with console.status(workload):
                    rows += run(measure(given.redis, given.size, given.rounds))
    Console(width=max(console.width, 130)).print(table(rows))
    if given.json is not None:
        given.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def table(rows: list[Row]) -> Table:
    """Lay out the rows; ratios compare machines and versions better than rates do."""
    caption = "medians; ratio: to a raw awaited LMOVE, measured beside each round, or to what the setting names"
    made = Table("workload", "setting", caption=caption)
    columns = [column for column in COLUMNS if any(column[0] in row for row in rows)]
    for name, heading, _ in columns:
        made.add_column(heading, justify="left" if name == "unit" else "right")
    for row in rows:
        figures: dict[str, object] = {**row}
        texts = [format(figures[name], form) if name in figures else "" for name, _, form in columns]
        made.add_row(row["workload"], row["setting"], *texts)
    return made


@contextmanager
def _server(url: str | None) -> Generator[str]:
    if url is None:
        with private_server() as private:
            yield private
        return
    client = Redis.from_url(url)
    if client.dbsize():
        msg = f"the database of {url} is not empty: name one that is, the benchmarks empty it"
        raise SystemExit(msg)
    try:
        yield url
    finally:
        run(empty(url))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--workload", action="append", choices=[*QUICK, *SLOW], help="this one; may be repeated")
    parser.add_argument("--all", action="store_true", help="measure also what takes minutes")
    parser.add_argument("--redis", metavar="URL", help="an empty database of a server of yours")
    parser.add_argument("--rounds", type=int, default=3, help="how many rounds (default: 3)")
    parser.add_argument("--size", type=float, default=1.0, help="a factor for how many jobs a round takes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
