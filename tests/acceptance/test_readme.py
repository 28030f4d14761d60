"""What the documentation shows runs: each Python block of README.md and docs/, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.testing import private_server

ROOT = Path(__file__).resolve().parents[2]

#: A block, with the comment before it that says that it is only shown.
BLOCK = re.compile(r"^(<!-- not run -->\s*)?```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks() -> Iterator[object]:
    """Go through the blocks that are to be run, each with a name."""
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for number, found in enumerate(BLOCK.finditer(path.read_text("utf-8")), 1):
            if not found[1]:
                yield pytest.param(found[2], id=f"{path.relative_to(ROOT)}-{number}")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Run a server for the blocks."""
    with private_server() as url:
        yield url


def run(block: str, url: str, directory: Path) -> str:
    """Run a block as a file, as a reader would, and return what it prints."""
    file = directory / "block.py"
    file.write_text(block, "utf-8")
    environment = {**os.environ, "FLOWS_REDIS_URL": url, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    ended = subprocess.run(
        [sys.executable, str(file)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stdout


@pytest.mark.parametrize("block", list(blocks()))
def test_a_block_runs(block: str, url: str, tmp_path: Path) -> None:
    """A block of the documentation ends well, without a warning."""
    run(block, url, tmp_path)


def test_the_readme_says_what_it_prints(tmp_path: Path) -> None:
    """The first block of the README prints what the text below it says."""
    found = BLOCK.search((ROOT / "README.md").read_text("utf-8"))
    assert found is not None
    with private_server() as url:
        lines = run(found[2], url, tmp_path).splitlines()
    assert lines[0] == "done 62 2"
    assert lines[1].startswith("1 [")
