"""Keeps results: one JSON file a day and machine, one row per cell and run, the newest of which counts."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

from comparison.cells import Cell, Figures

__all__ = ["Book", "Row", "newest", "row"]

Row: TypeAlias = dict[str, Any]
_DIRECTORY = Path(__file__).parent.parent / "results"


class Book:
    """The file of today; it is written after each row, so that an interrupted run leaves what it has measured."""

    def __init__(self, server: str) -> None:
        """Open it, with what earlier runs of the day have left in it."""
        now = datetime.now(UTC)
        host = "".join(letter if letter.isalnum() else "-" for letter in platform.node()) or "unknown"
        self.path = _DIRECTORY / f"{now:%Y-%m-%d}-{host}.json"
        self._content: dict[str, Any] = {"machine": _machine(), "runs": [], "rows": []}
        if self.path.exists():
            self._content = json.loads(self.path.read_text(encoding="utf-8"))
        self._run = now.isoformat(timespec="seconds")
        command = " ".join(["python", "benchmarks/compare.py", *_without_addresses(sys.argv[1:])])
        self._content["runs"].append({"run": self._run, "command": command, "server": server})

    @property
    def rows(self) -> list[Row]:
        """What this run has added: only figures of one run are held against each other."""
        return [each for each in self._content["rows"] if each["run"] == self._run]

    def add(self, row: Row) -> None:
        """Append a row and write the file."""
        self._content["rows"].append({"run": self._run, **row})
        self.path.parent.mkdir(exist_ok=True)
        # Written beside it and moved: whoever kills the run finds the file as it was.
        beside = self.path.with_suffix(".tmp")
        beside.write_text(json.dumps(self._content, indent=1) + "\n", encoding="utf-8")
        beside.replace(self.path)


def row(cell: Cell, rounds: Sequence[Figures], errors: Sequence[str]) -> Row:
    """Return the medians of a cell's rounds, and the rounds."""
    made: Row = {"peer": cell.peer, "workload": cell.workload, "setting": cell.setting, "jobs": cell.jobs}
    if rounds:
        made |= {name: round(median(each[name] for each in rounds), 4) for name in rounds[0]}
    if errors:
        made["errors"] = list(errors)
    return {**made, "rounds": list(rounds), "versions": cell.versions}


def newest(content: dict[str, Any]) -> list[Row]:
    """Return the newest row of each cell, in the order in which they were first measured."""
    rows: dict[tuple[str, str, str], Row] = {}
    for each in content["rows"]:
        rows[each["workload"], each["peer"], each["setting"]] = each
    return list(rows.values())


def _machine() -> dict[str, Any]:
    cpus = os.cpu_count()
    with_name = [platform.machine()]
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not on Linux
        lines = []
    with_name += [line.partition(":")[2].strip() for line in lines if line.startswith("model name")][:1]
    return {
        "cores": cpus,
        "cpu": ", ".join(with_name),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _without_addresses(arguments: Sequence[str]) -> list[str]:
    """Return the command line without the server's address, which may hold a password."""
    return [
        "URL" if before == "--redis" else "--redis=URL" if each.startswith("--redis=") else each
        for before, each in zip(["", *arguments], arguments, strict=False)
    ]
