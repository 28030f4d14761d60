"""The wheel as users install it: `typed-flows`, with each extra, in a fresh environment of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from typing import Any

import pytest

from tests.scale import SCALE

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: The extras that users install; the others are this repository's own.
EXTRAS = sorted(set(PROJECT["optional-dependencies"]) - {"test", "dev"})
#: Seconds for pip, which may have to download.
PATIENCE = 300.0

pytestmark = pytest.mark.timeout(2 * PATIENCE)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    directory = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--wheel-dir", directory, ROOT)
    (built,) = directory.glob("*.whl")
    return built


def pip(*arguments: str | Path) -> None:
    """Run pip, and show what it says where it fails."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr


def said(*command: str | Path, cwd: Path) -> str:
    """Return what a command prints."""
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=cwd, env={}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.scale
@pytest.mark.parametrize("extra", ["", *EXTRAS] if SCALE != 1 else [""])  # each takes seconds
def test_each_extra_installs_and_brings_no_distribution_called_flows(wheel: Path, extra: str, tmp_path: Path) -> None:
    """The distribution is `typed-flows`, the import `flows`, the command `flows`; nobody else's `flows` comes along."""
    venv.create(tmp_path / "venv", symlinks=True)
    scripts = tmp_path / "venv" / "bin"
    python = scripts / "python"
    asked = f"typed-flows[{extra}]" if extra else "typed-flows"
    pip("--python", python, "install", "--no-compile", f"{asked} @ {wheel.as_uri()}")
    show = """
import importlib.metadata as metadata, json
names = [each.metadata["Name"] for each in metadata.distributions()]
import flows
print(json.dumps([names, flows.__version__, flows.__file__]))
"""
    names, version, file = json.loads(said(python, "-c", show, cwd=tmp_path))
    assert "typed-flows" in names
    assert "flows" not in names
    assert version in wheel.name
    assert Path(file).is_relative_to(tmp_path)
    assert "usage: flows" in said(scripts / "flows", "--help", cwd=tmp_path)
    assert "turn" in said(scripts / "flows", "lua", cwd=tmp_path)


def test_the_extras_name_the_distribution() -> None:
    """An extra that names others says `typed-flows[...]`: `flows[...]` is another project."""
    named = [each for extra in PROJECT["optional-dependencies"].values() for each in extra]
    assert [each for each in named if each.startswith("flows")] == []
    assert PROJECT["name"] == "typed-flows"
