"""docs/proof.md, the map of the proof: what it names is there, and what is there is named."""

from __future__ import annotations

import re

import tests.faults.rows  # noqa: F401 - it registers them
from tests.faults.case import ROWS
from tests.faults.script_tests import ROOT

PAGE = (ROOT / "docs" / "proof.md").read_text("utf-8")
#: What it names in backticks: files of Python, and where they stand if it says so.
NAMED = set(re.findall(r"`(?:[\w./]*/)?(\w+\.py)`", PAGE))
FAULTS = ROOT / "tests" / "faults"


def test_what_it_names_is_there() -> None:
    """A file that was renamed is renamed on the map."""
    there = {path.name for path in (ROOT / "tests").rglob("*.py")} | {
        path.name for path in (ROOT / "flows").rglob("*.py")
    }
    assert NAMED - there == set()


def test_it_names_every_part() -> None:
    """All modules of tests/faults but its tests, and all files of rows."""
    parts = {path.name for path in [*FAULTS.glob("*.py"), *FAULTS.glob("rows/*.py")]}
    assert {name for name in parts - NAMED if not name.startswith(("test_", "__"))} == set()


def test_the_rows_that_it_tells_to_run_are_rows() -> None:
    """Each command can be copied."""
    told = [name for names in re.findall(r"--only ([A-Z0-9,]+)[ \"]", PAGE) for name in names.split(",")]
    assert len(told) > 10
    assert set(told) - set(ROWS) == set()
