"""How late due jobs begin while workers are idle, by the clock: with `make scale` alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scale import SCALE
from tests.waiting import patient

ROOT = Path(__file__).resolve().parents[2]
#: 99 of a hundred begin within so many milliseconds of their time, on a machine that does nothing else.
LATE_MS = 15.0


@pytest.mark.scale
@pytest.mark.skipif(SCALE == 1, reason="it is about times, which other tests disturb")
def test_due_jobs_begin_in_time_beside_a_million_others(tmp_path: Path) -> None:
    """With 250 idle workers; beside none, too."""
    rows = tmp_path / "rows.json"
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), "--workload", "due", "--rounds", "3", "--json"]
    subprocess.run([*command, str(rows)], check=True, timeout=1_500)
    found = {row["setting"]: row for row in json.loads(rows.read_text())}
    for setting in ("beside none", "beside 1,000,000"):
        assert found[setting]["p99_ms"] <= 1000 * patient(LATE_MS / 1000), found
