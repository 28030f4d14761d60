"""Makes the table of docs/durability.md out of `run.py --json`: `python -m tests.faults.durability_table FILE.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import tests.faults.rows  # noqa: F401 - it registers them
from tests.faults.case import ROWS
from tests.faults.case_runner import Result
from tests.faults.run import order, summary

#: What must be zero in every row, unless the row injects exactly that.
ZEROS: Final = ("lost", "stuck", "stale_accepted", "dup_ids", "orphan_hashes", "immortal")
#: Figures that have columns of their own, or say nothing of the fault.
APART: Final = {*ZEROS, "acked", "recovery_p50", "recovery_p95", "recovery_max", "resume", "mem_peak_mb",
                "runs_over_1", "effects_over_1", "done", "failed", "cancelled", "ghost_ids"}  # fmt: skip


def lines(everything: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Return the lines of the table, a row each."""
    table = [
        "| | fault | jobs | runs > 1 | lost · stuck · stale · dup · orphan · immortal | recovery p95 s | also |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in sorted(everything, key=order):
        results = [Result(**found) for found in everything[name]]
        figures = summary(results)
        if all(result.skipped for result in results):
            table.append(f"| {name} | {ROWS[name].title} | skipped: {results[0].skipped} | | | | |")
            continue
        zeros = " · ".join(str(figures.get(zero, 0)) for zero in ZEROS)
        failed = "" if all(result.ok for result in results) else " **fails**"
        also = ", ".join(
            f"{own.replace('_', ' ')} {_short(value)}" for own, value in figures.items() if own not in APART
        )
        recovery = _short(figures.get("recovery_p95", ""))
        runs = figures.get("runs_over_1", 0)
        cells = (name, ROWS[name].title + failed, figures.get("acked", 0), runs, zeros, recovery, also)
        table.append(f"| {' | '.join(map(str, cells))} |")
    return table


def _short(value: Any) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.stdout.write("\n".join(lines(json.loads(Path(sys.argv[1]).read_text()))) + "\n")
