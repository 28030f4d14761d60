"""The benchmarks run: each workload gives its figures. How large they are is nobody's test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ready_python import ReadyPython
from tests.scale import SCALE

ROOT = Path(__file__).resolve().parents[2]

RATE = {"rate", "ratio"}
FIGURE = {"figure", "unit"}
#: What is never zero; how much a process grows may be anything.
POSITIVE = {"rate", "ratio", "p50_ms", "p95_ms", "p99_ms"}
SETTINGS = {
    "enqueue": [RATE, RATE, RATE],
    "drain": [RATE, RATE],
    "latency": [{"p50_ms", "p95_ms", "p99_ms", "ratio"}],
    "pipeline": [RATE],
    "fan-out": [RATE],
    "backlog": [{"rate"}, {"rate"}, {"ratio"}, {"rate"}, {"rate"}, {"ratio"}],
    "depth": [{"rate"}, FIGURE, FIGURE, FIGURE] * 5,
    "processes": [*[RATE] * 5, {"rate"}, {"ratio"}],
    "waits": [{"rate", *FIGURE, "ratio"}, *[{"rate", *FIGURE}] * 3],
    "memory": [FIGURE, {*FIGURE, "ratio"}, {*FIGURE, "ratio"}],
    "idle": [FIGURE] * 9,
    "due": [*[{"p50_ms", "p95_ms", "p99_ms"}] * 3, FIGURE, FIGURE],
    "growth": [{*FIGURE, "samples"}],
    "rules": [{*FIGURE, "ratio"}] * 11,
    "runs": [*[FIGURE] * 4, {*FIGURE, "ratio"}, *[FIGURE] * 3],
    "trees": [FIGURE] * 4,
    "watched": [FIGURE] * 5,
}
#: These run with `make scale` alone: each takes as long as all the others.
SLOW = {"backlog", "depth", "due", "idle", "processes", "runs", "trees", "waits", "watched"}


@pytest.mark.scale
@pytest.mark.parametrize("workload", SETTINGS if SCALE != 1 else sorted(SETTINGS.keys() - SLOW))
def test_each_workload_gives_positive_figures(workload: str, tmp_path: Path, python: ReadyPython) -> None:
    """With a few jobs and one round, as `make bench` runs it, on a server of its own, in the table and in the file."""
    given = ("--workload", workload, "--size", "0.002", "--rounds", "1", "--json", tmp_path / "rows.json")
    done = python.run(ROOT / "benchmarks" / "run.py", *given, limit=100)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert [set(row) - {"workload", "setting", "rounds"} for row in rows] == SETTINGS[workload]
    assert all((row["workload"], row["rounds"]) == (workload, 1) and row["setting"] in done.stdout for row in rows)
    assert all(row[figure] > 0 for row in rows for figure in row.keys() & POSITIVE)
