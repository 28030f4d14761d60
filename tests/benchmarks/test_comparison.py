"""The comparison with the peers: flows alone goes through it, and what it leaves becomes tables and charts."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import pytest

from tests.ready_python import ReadyPython

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A copy of the benchmarks: results are kept beside them."""
    ignored = shutil.ignore_patterns("results", "__pycache__", ".*_cache")
    return Path(shutil.copytree(ROOT / "benchmarks", tmp_path / "benchmarks", ignore=ignored))


def test_what_is_measured_is_kept_and_shown(suite: Path, tmp_path: Path, python: ReadyPython) -> None:
    """Two workloads of a few jobs, as `make bench-peers` runs them; then their tables and charts."""
    compare = partial(python.run, suite / "compare.py", limit=100)
    done = compare("--peer=flows", "--workload=drain", "--workload=latency", "--size=0.001", "--rounds=1")
    assert done.returncode == 0, done.stderr
    (kept,) = (suite / "results").iterdir()
    drain, latency = json.loads(kept.read_text())["rows"]
    assert (drain["peer"], drain["workload"], len(drain["rounds"])) == ("flows", "drain", 1)
    assert min(drain["rate"], drain["ratio"], latency["p50_ms"], latency["p99_ms"], latency["ratio"]) > 0
    assert drain["versions"]["redis"]

    shown = compare("--table", str(kept), "--charts", str(tmp_path / "charts"))
    assert shown.returncode == 0, shown.stderr
    assert "### drain" in shown.stdout
    assert f"{drain['rate']:,.0f}" in shown.stdout
    for name in ("drain.svg", "latency.svg"):
        chart = (tmp_path / "charts" / name).read_text()
        assert chart.startswith("<?xml")
        assert ">flows<" in chart
