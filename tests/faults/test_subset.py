"""The rows of the fault matrix that run with every test run, with one seed each: `make faults` runs all.

Of the operations that B1 cuts, every hundredth is cut here, and at every seventh place of the life of a job.
"""

from __future__ import annotations

import pytest

from tests.faults.case import ROWS
from tests.faults.run import run_all

SUBSET = ("A1", "A5", "A7", "B1", "C1", "E1", "F3", "F11")


# The cases are forked from a process that has threads, those of pytest's workers; `make faults` has none.
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SUBSET)
def test_holds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row holds; its figures are printed, for whoever runs pytest with -s or sees it fail."""
    monkeypatch.setenv("FLOWS_FAULTS_EVERY", "100")
    [[result]] = run_all([ROWS[name]], [1], 1).values()
    assert result.failures == []
