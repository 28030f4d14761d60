"""The operator's example as its user runs it: a real process on a private server."""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path

import pytest

from flows.store.embedded import EmbeddedServer
from tests.ready_python import ReadyPython

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "operate.py"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Name a data directory for the server, and no other server."""
    named = {name: text for name, text in os.environ.items() if name not in {"FLOWS_REDIS_URL", "REDIS_URL"}}
    return {**named, "FLOWS_DATA_DIR": str(tmp_path / "data"), "XDG_RUNTIME_DIR": str(tmp_path)}


def test_an_operator_gets_four_wishes(python: ReadyPython, environment: dict[str, str], tmp_path: Path) -> None:
    """One JSON object on stdout: what waited, what was found, why it did not run, what was retried, how all ended."""
    done = python.run(EXAMPLE, environment=environment, limit=100)
    EmbeddedServer(tmp_path / "data").stop()
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    why = report.pop("why_it_does_not_run")
    assert why.startswith("it waits in 'ship', and no")
    assert why in done.stderr
    counts = report.pop("counts")
    assert report == {"waits": {"ship": 90}, "jobs_of_user_7": ["waiting"] * 5, "retried": 10}
    assert (counts["pay"]["advance"], counts["ship"]["done"]) == (100, 100)


def test_the_wishes_take_twelve_lines() -> None:
    """That is what the example is for: a line more is one that the library should have saved."""
    tree = ast.parse(EXAMPLE.read_text("utf-8"))
    (operate,) = (node for node in tree.body if isinstance(node, ast.AsyncFunctionDef) and node.name == "operate")
    _docstring, first, *_rest, last = operate.body
    assert last.end_lineno is not None
    assert last.end_lineno - first.lineno + 1 <= 12
