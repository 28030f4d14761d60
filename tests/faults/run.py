"""Runs the fault matrix: `python -m tests.faults.run [--seeds 3] [--long] [--only A1,C7] [--jobs 2] [--json FILE]`.

A line per row: its figures over all seeds. Each case is a process of its own with a time limit, so that a row that
hangs is a row that fails. The status is 1 if any row fails.
"""

# ruff: noqa: T201 - printing is what it is for

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import deque
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Final

import tests.faults.rows  # noqa: F401 - it registers them
from tests.faults import ports
from tests.faults.case import ROWS, Row
from tests.faults.case_runner import SUMS, TIMES, WORST, Result, run_case
from tests.waiting import slowness

#: So many failures of a case are printed; the others stand in its directory.
_SHOWN: Final = 8

_fork: Final = multiprocessing.get_context("fork")


class Running:
    """A case in a process of its own; what of its group still lives after its limit is killed.

    The limit is the row's, times how slow the machine is while it runs.
    """

    def __init__(self, row: Row, seed: int) -> None:
        self.row, self.seed = row, seed
        self.directory = Path(tempfile.mkdtemp(prefix=f"faults-{row.name}-{seed}-"))
        self.began = time.monotonic()
        self.process = _fork.Process(target=_case, args=(row, seed, self.directory))
        self.process.start()

    @property
    def over(self) -> bool:
        """Whether it has ended, or had time enough."""
        return not self.process.is_alive() or self._seconds > self.row.limit * slowness()

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self.began

    def result(self) -> Result:
        """Return what it found; a case that failed leaves its directory."""
        hung = self.process.is_alive()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid or os.getpid(), signal.SIGKILL)
        self.process.join()
        result = _read(self.row, self.seed, self.directory)
        if hung:
            result.failures.insert(0, f"it was not over after {self._seconds:.0f} s")
        if result.ok:
            shutil.rmtree(self.directory, ignore_errors=True)
        else:
            result.failures.insert(0, f"what it left is in {self.directory}")
        return result


def _case(row: Row, seed: int, directory: Path) -> None:
    os.setsid()
    ports._random.seed(os.urandom(16))  # else all forks would choose the same port
    with (directory / "case.log").open("w") as log:
        for at in (1, 2):
            os.dup2(log.fileno(), at)
    result = run_case(row, seed, directory)
    (directory / "result.json").write_text(json.dumps(asdict(result), default=str))


def _read(row: Row, seed: int, directory: Path) -> Result:
    with suppress(OSError, ValueError):
        return Result(**json.loads((directory / "result.json").read_text()))
    log = directory / "case.log"
    tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
    return Result(row.name, seed, failures=[f"it ended without a result; the end of its log: {tail}"])


def order(name: str) -> tuple[str, int]:
    """Sort rows as the matrix does: A2 before A10."""
    letter, number = re.fullmatch(r"([A-Z]+)(\d+).*", name).groups()  # type: ignore[union-attr]
    return letter, int(number)


def summary(results: list[Result]) -> dict[str, Any]:
    """Put the cases of one row together: sums, and for the others the worst."""
    shown = [result for result in results if not result.skipped]
    figures: dict[str, Any] = {}
    for name in (*SUMS, *WORST, *TIMES, "mem_peak_mb"):
        values = [result.figures[name] for result in shown if name in result.figures]
        if values:
            figures[name] = sum(values) if name in SUMS else max(values)
    own: dict[str, Any] = {}
    for result in shown:
        for name, value in result.own.items():
            worst = isinstance(value, int | float) and isinstance(own.get(name), int | float)
            own[name] = max(own[name], value) if worst else value
    return {**figures, **own}


def line(row: Row, results: list[Result]) -> str:
    """Return the line of a row."""
    if all(result.skipped for result in results):
        return f"{row.name:<4} skipped  {row.title}: {results[0].skipped}"
    word = "ok" if all(result.ok for result in results) else "FAILED"
    texts = [f"{name}={_short(value)}" for name, value in summary(results).items()]
    seconds = max(result.seconds for result in results)
    return f"{row.name:<4} {word:<7} {row.title} [{len(results)} of ≤{seconds:.0f} s]\n       {' '.join(texts)}"


def _short(value: Any) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def run_all(rows: list[Row], seeds: list[int], jobs: int) -> dict[str, list[Result]]:
    """Run all cases, some at once, and print each row when its last case is over."""
    found: dict[str, list[Result]] = {row.name: [] for row in rows}
    coming = deque((row, seed) for row in rows for seed in seeds)
    running: list[Running] = []
    while coming or running:
        while coming and len(running) < jobs:
            running.append(Running(*coming.popleft()))
        wait([case.process.sentinel for case in running], timeout=0.5)
        for case in [case for case in running if case.over]:
            running.remove(case)
            results = found[case.row.name]
            results.append(case.result())
            if len(results) == len(seeds):
                tell(case.row, sorted(results, key=lambda result: result.seed))
    return found


def tell(row: Row, results: list[Result]) -> None:
    """Print a row and what failed in it."""
    print(line(row, results), flush=True)
    for result in results:
        for failure in result.failures[:_SHOWN]:
            print(f"       seed {result.seed}: {failure}")
        if len(result.failures) > _SHOWN:
            print(f"       seed {result.seed}: and {len(result.failures) - _SHOWN} more")
        if result.failures:
            print(f"       again: python -m tests.faults.run --only {row.name} --seed {result.seed}", flush=True)


def main() -> int:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.run", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 1")
    parser.add_argument("--seed", type=int, help="only this seed")
    parser.add_argument("--long", action="store_true", help="the long rows too")
    parser.add_argument("--only", default="", help="rows, separated by commas")
    parser.add_argument("--jobs", type=int, default=2, help="how many cases at once")
    parser.add_argument("--json", type=Path, help="write all results to this file")
    given = parser.parse_args()
    only = [name for name in given.only.upper().split(",") if name]
    if unknown := set(only) - set(ROWS):
        parser.error(f"no row is called {', '.join(sorted(unknown))}; there are {', '.join(sorted(ROWS, key=order))}")
    rows = [ROWS[name] for name in sorted(ROWS, key=order)]
    rows = [row for row in rows if (row.name in only if only else given.long or not row.long)]
    seeds = [given.seed] if given.seed is not None else list(range(1, given.seeds + 1))
    began = time.monotonic()
    found = run_all(rows, seeds, given.jobs)
    failed = [name for name, results in found.items() if not all(result.ok for result in results)]
    servers = sorted({result.server for results in found.values() for result in results if result.server})
    if given.json:
        everything = {name: [asdict(result) for result in results] for name, results in found.items()}
        given.json.write_text(json.dumps(everything, indent=1, default=str))
    every = [result for results in found.values() for result in results]
    zeros = [f"{name}={sum(result.figures.get(name, 0) for result in every)}" for name in WORST[2:]]
    print(f"{len(rows)} rows, {len(seeds)} seeds, {time.monotonic() - began:.0f} s, {datetime.now(UTC):%Y-%m-%d}")
    print(f"on {', '.join(servers)}: {' '.join(zeros)}")
    print(f"failed: {', '.join(failed)}" if failed else "all rows hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
