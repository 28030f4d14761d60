"""The rows of the fault matrix that run with every test run, with one seed each: `make faults` runs all.

Of the operations that B1 cuts, every hundredth is cut here, and at every seventh place of the life of a job.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.faults.fleet import ROOT

SUBSET = ("A1", "A5", "A7", "B1", "C1", "E1", "F3", "F11")


@pytest.mark.parametrize("name", SUBSET)
def test_holds(name: str) -> None:
    """The row holds."""
    command = [sys.executable, "-m", "tests.faults.run", "--only", name, "--seeds", "1"]
    more = {**os.environ, "FLOWS_FAULTS_EVERY": "100"}
    ended = subprocess.run(command, cwd=ROOT, env=more, capture_output=True, text=True, timeout=300, check=False)
    print(ended.stdout)  # noqa: T201 - the figures, for whoever runs pytest with -s or sees it fail
    assert ended.returncode == 0, ended.stdout + ended.stderr
