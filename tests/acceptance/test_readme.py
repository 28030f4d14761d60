"""What the documentation shows runs: each Python block of README.md and docs/, in a process of its own.

A block below `<!-- file: NAME.py -->` is a module: it is imported, and the later blocks of its page may import it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from flows.testing import private_server
from tests.ready_python import ReadyPython

ROOT = Path(__file__).resolve().parents[2]

#: A block, with the comment before it that says that it is only shown, or how its file is called.
BLOCK = re.compile(r"^(?:<!-- (not run|file: \S+) -->\s*)?```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks() -> Iterator[object]:
    """Go through the blocks that are to be run, each with a name."""
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        files: dict[str, str] = {}
        for number, found in enumerate(BLOCK.finditer(path.read_text("utf-8")), 1):
            if found[1] == "not run":
                continue
            block = found[2]
            if found[1]:
                name = found[1].removeprefix("file: ")
                files[name] = block
                block = f"import {Path(name).stem}\n"
            yield pytest.param(block, dict(files), id=f"{path.relative_to(ROOT)}-{number}")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Run a server for the blocks."""
    with private_server() as url:
        yield url


@pytest.fixture(scope="module")
def python() -> Iterator[ReadyPython]:
    """Have a Python for the blocks, to which a warning is an error."""
    with ReadyPython(PYTHONWARNINGS="error") as python:
        yield python


def run(block: str, url: str, directory: Path, python: ReadyPython) -> str:
    """Run a block as a file, as a reader would, and return what it prints."""
    file = directory / "block.py"
    file.write_text(block, "utf-8")
    ended = python.run(file, environment={**os.environ, "FLOWS_REDIS_URL": url})
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stdout


@pytest.mark.parametrize(("block", "files"), list(blocks()))
def test_a_block_runs(block: str, files: dict[str, str], url: str, tmp_path: Path, python: ReadyPython) -> None:
    """A block of the documentation ends well, without a warning, on a server that knows nothing of the others."""
    with Redis.from_url(url) as client:
        client.flushall()
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    run(block, url, tmp_path, python)


def test_the_readme_says_what_it_prints(tmp_path: Path, python: ReadyPython) -> None:
    """The blocks of the README print what the text below them says, and the first is as short as it claims to be."""
    hello, access = (found[2] for found in BLOCK.finditer((ROOT / "README.md").read_text("utf-8")))
    with private_server() as url:
        greeted, printed = (run(block, url, tmp_path, python) for block in (hello, access))
    lines = printed.splitlines()
    assert greeted == "hello world\n"
    assert len([line for line in hello.splitlines() if line.strip()]) == 19
    assert lines[0] == "done 62 2"
    assert lines[1].startswith("1 [")
