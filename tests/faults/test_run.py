"""A row that fails, breaks, hangs or is skipped is told as such, and nothing of it lives on."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.case import Case, Row
from tests.faults.case_runner import Result, spread
from tests.faults.run import Running, line, order, summary
from tests.waiting import blocking_until

# The cases are forked from a process that has threads, those of pytest's workers; `make faults` has none.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def run(row: Row) -> Result:
    """Run one case of a row."""
    running = Running(row, 1)
    blocking_until(lambda: running.over, row.limit + 30)
    return running.result()


def lives(pid: int) -> bool:
    """Whether a process is there and has not ended, though nobody may have asked how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def a_row_that_holds(case: Case) -> None:
    """Create jobs and let the healthy workers of the end do them."""
    case.create(5, "children:1")
    case.figures["number"] = 7


def a_row_that_loses(case: Case) -> None:
    """Delete a job."""
    [job_id] = case.create(1)
    with case.server.client() as client:
        client.delete(f"job:orders:{job_id}")


def a_row_that_breaks(case: Case) -> None:
    """Raise."""
    raise ValueError(case.row.name)


def a_row_that_hangs(case: Case) -> None:
    """Hang, with a worker process; its number is in a file."""
    [process] = case.fleet().spawn()
    Path(os.environ["FLOWS_FAULTS_TEST"]).write_text(f"{process.pid} {case.server.pid}")
    time.sleep(3600)


def a_row_that_cannot(case: Case) -> None:
    """Give up."""
    case.skip("no compiler")


def test_a_row_holds() -> None:
    """Its figures are those of the matrix, and its own."""
    row = Row("Z1", "nothing", a_row_that_holds)
    result = run(row)
    assert result.failures == []
    assert (result.figures["acked"], result.figures["done"], result.figures["lost"]) == (5, 5, 0)
    assert result.own == {"number": 7}
    assert line(row, [result]).startswith("Z1   ok")


def test_damage_fails_a_row_unless_it_was_injected() -> None:
    """A job that is lost fails the row; one that the row says it has lost does not, and two would again."""
    assert any("lost is 1, not 0" in failure for failure in run(Row("Z2", "", a_row_that_loses)).failures)

    def with_leave(case: Case) -> None:
        case.allow(lost=1, ghost_ids=1, lookups=range(2))
        case.drains = False
        a_row_that_loses(case)

    assert run(Row("Z3", "", with_leave)).failures == []


def test_a_row_breaks() -> None:
    """What it raised is told."""
    row = Row("Z4", "", a_row_that_breaks)
    result = run(row)
    assert any("ValueError: Z4" in failure for failure in result.failures)
    assert "FAILED" in line(row, [result])


def test_a_row_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its limit it has failed, and its processes are killed."""
    file = tmp_path / "pids"
    monkeypatch.setenv("FLOWS_FAULTS_TEST", str(file))
    running = Running(Row("Z5", "", a_row_that_hangs, limit=60), 1)
    blocking_until(lambda: file.exists() and len(file.read_text().split()) == 2)
    assert not running.over
    running.began -= 3600
    assert running.over
    assert any("not over after 36" in failure for failure in running.result().failures)
    pids = [int(pid) for pid in file.read_text().split()]
    blocking_until(lambda: not any(map(lives, pids)))


def test_a_row_is_skipped() -> None:
    """It says why, and has not failed."""
    row = Row("Z6", "the clock moves", a_row_that_cannot)
    result = run(row)
    assert result.ok
    assert line(row, [result]) == "Z6   skipped  the clock moves: no compiler"


def test_the_worst_of_the_seeds_counts() -> None:
    """Jobs are added up; of damage and times the worst is shown."""
    one = Result("A1", 1, figures={"acked": 5, "lost": 0, "recovery_p95": 1.5}, own={"kills": 3})
    two = replace(one, seed=2, figures={"acked": 6, "lost": 2, "recovery_p95": 1.1}, own={"kills": 4})
    assert summary([one, two]) == {"acked": 11, "lost": 2, "recovery_p95": 1.5, "kills": 4}
    assert spread([0.1] * 18 + [1.0, 2.0]) == {"p50": 0.1, "p95": 2.0, "max": 2.0}
    assert sorted(["A10", "B1", "A2"], key=order) == ["A2", "A10", "B1"]
