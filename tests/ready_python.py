"""A Python that has imported flows already: it runs files as `python FILE` would, each in a fork of its own.

A start of Python with flows takes most of a second of CPU, a fork milliseconds. It imports with the warnings and the
path of its environment, runs no thread and opens no connection; a fork ends as any program does.
"""

from __future__ import annotations

import gc
import json
import os
import random
import runpy
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[1]
#: The longest time that a program may take, in seconds: then SIGALRM ends it.
LIMIT = 60


@dataclass(frozen=True)
class Ended:
    """How a program has ended: its status, or the negative number of a signal; and what it has printed."""

    status: int
    out: str
    err: str


class ReadyPython:
    """Runs programs one after another.

    Args:
        environment: More variables, for all programs.
    """

    def __init__(self, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, file: Path, **environment: str) -> Ended:
        """Run a file in its directory, with more variables."""
        out, err = file.with_suffix(".out"), file.with_suffix(".err")
        order = {"file": str(file), "environment": environment, "out": str(out), "err": str(err)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        return Ended(status, out.read_text("utf-8"), err.read_text("utf-8"))

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        with self._process:
            self._process.kill()


def fork() -> str:
    """Fork as told, an order a line, and wait for each; in a fork return the file that it is to run."""
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            return become(order)
        _pid, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
    return ""


def become(order: dict[str, Any]) -> str:
    """Make this fork the process of a program."""
    signal.alarm(LIMIT)
    for path, at, flags in (
        (os.devnull, 0, os.O_RDONLY),
        (order["out"], 1, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (order["err"], 2, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, at)
        os.close(opened)
    os.environ.update(order["environment"])
    random.seed()  # else all would draw the same
    file: str = order["file"]
    sys.argv = [file]
    sys.path[0] = str(Path(file).parent)
    return file


if __name__ == "__main__":
    import flows
    import flows.server
    import flows.testing  # noqa: F401

    gc.freeze()
    program = fork()
    if program:
        runpy.run_path(program, run_name="__main__")
