"""Measures flows on a private server, or on one that is named: jobs per second, and latency."""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import backlog
import drain
import enqueue
import fan_out
import latency
import pipeline
from measure import Row, empty, rounds, run
from redis import Redis
from rich.console import Console
from rich.table import Table

from flows.testing import private_server

#: All that is measured unless the command line says otherwise; the backlog takes minutes.
SETTINGS = [
    *enqueue.SETTINGS,
    *drain.SETTINGS,
    *latency.SETTINGS,
    *pipeline.SETTINGS,
    *fan_out.SETTINGS,
]
QUICK = list(dict.fromkeys(setting.workload for setting in SETTINGS))


def main() -> None:
    """Measure what the command line asks for, and print it as a table."""
    given = _arguments()
    chosen = [*QUICK, backlog.WORKLOAD] if given.all else given.workload or QUICK
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
        if backlog.WORKLOAD in chosen:
            with console.status(backlog.WORKLOAD):
                rows += run(backlog.pairs(given.redis, given.size, given.rounds))
    Console(width=max(console.width, 110)).print(table(rows))
    if given.json is not None:
        given.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def table(rows: list[Row]) -> Table:
    """Lay out the rows; ratios compare machines and versions better than rates do."""
    made = Table("workload", "setting", caption="medians; ratio: to a raw awaited LMOVE, measured beside each round")
    for name in ("jobs/s", "p50 ms", "p95 ms", "p99 ms", "ratio", "rounds"):
        made.add_column(name, justify="right")
    for row in rows:
        made.add_row(
            row["workload"],
            row["setting"],
            f"{row['rate']:,.0f}" if "rate" in row else "",
            *(_two_digits(row.get(name)) for name in ("p50_ms", "p95_ms", "p99_ms")),
            f"{row['ratio']:.3f}",
            str(row["rounds"]),
        )
    return made


def _two_digits(figure: object) -> str:
    return f"{figure:.2f}" if isinstance(figure, float) else ""


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
    parser.add_argument(
        "--workload", action="append", choices=[*QUICK, backlog.WORKLOAD], help="this one; may be repeated"
    )
    parser.add_argument("--all", action="store_true", help="measure the backlog too, which takes minutes")
    parser.add_argument("--redis", metavar="URL", help="an empty database of a server of yours")
    parser.add_argument("--rounds", type=int, default=3, help="how many rounds (default: 3)")
    parser.add_argument("--size", type=float, default=1.0, help="a factor for how many jobs a round takes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
