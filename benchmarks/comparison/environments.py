"""Makes an environment per peer, with pinned versions, in a cache directory that outlives the run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from peers.pins import OURS, PINS, Pin

__all__ = ["HOME", "Environment", "Unavailable", "environment"]

HOME = Path(os.environ.get("FLOWS_BENCH_HOME") or Path.home() / ".cache" / "flows-bench")
_BENCHMARKS = Path(__file__).parent.parent
_PEERS = _BENCHMARKS / "peers"
#: Seconds for one installation.
_PATIENCE = 600


class Unavailable(Exception):
    """A peer cannot be set up here; the message says why."""


@dataclass(frozen=True)
class Environment:
    """How an adapter is called."""

    command: tuple[str, ...]
    directory: Path
    variables: Mapping[str, str]


def environment(peer: str) -> Environment:
    """Return the environment of a peer, made first if there is none with the pinned versions.

    Raises:
        Unavailable: it does not install.
    """
    if peer == OURS:
        # The one in which the suite runs: flows, and what make bench installs.
        paths = os.pathsep.join([str(_BENCHMARKS), str(_BENCHMARKS.parent)])
        command = (sys.executable, str(_PEERS / "flows_adapter.py"))
        return Environment(command, _PEERS, {"PYTHONPATH": paths})
    pin = PINS[peer]
    directory = HOME / peer
    stamp = directory / ".pinned"
    pinned = "\n".join([sys.version, *pin.requirements])
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != pinned:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        (_npm if _is_javascript(pin) else _pip)(directory, pin)
        stamp.write_text(pinned, encoding="utf-8")
    if _is_javascript(pin):
        return Environment(("node", str(_PEERS / pin.adapter)), directory, {})
    return Environment((str(directory / "bin" / "python"), str(_PEERS / pin.adapter)), _PEERS, {})


def _is_javascript(pin: Pin) -> bool:
    return pin.adapter.endswith(".mjs")


def _pip(directory: Path, pin: Pin) -> None:
    _command(sys.executable, "-m", "venv", str(directory))
    python = str(directory / "bin" / "python")
    _command(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *pin.requirements)


def _npm(directory: Path, pin: Pin) -> None:
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise Unavailable(f"{program} is not on this machine")
    (directory / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    _command("npm", "install", "--silent", "--no-audit", "--no-fund", *pin.requirements, directory=directory)


def _command(*command: str, directory: Path | None = None) -> None:
    try:
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(str(error)) from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip() and "WARNING" not in line]
        raise Unavailable(lines[-1] if lines else f"{command[0]} failed")
