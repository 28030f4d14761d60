"""A Python that has imported flows already: it runs files as `python FILE` would, each in a fork of its own.

A start of Python with flows takes most of a second of CPU, a fork milliseconds. It runs no thread and opens no
connection; a fork has the arguments and the environment that it is given, and ends as any program does.
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
import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[1]
#: What most programs import.
USUAL = ("flows", "flows.server", "flows.testing", "sqlite3", "rich.progress", "rich.table")


class ReadyPython:
    """Runs programs one after another.

    Args:
        modules: What it imports beforehand.
        environment: More variables; those that Python reads when it starts, such as PYTHONWARNINGS, belong here.
    """

    def __init__(self, *modules: str, **environment: str) -> None:
        self._printed = tempfile.TemporaryDirectory(prefix="flows-ready-")
        self._process = subprocess.Popen(
            [sys.executable, __file__, *(modules or USUAL)],
            env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, file: Path, *arguments: str | Path, environment: Mapping[str, str] | None = None, limit: int = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a file to its end, and return how it ended and what it printed.

        Args:
            file: The program.
            arguments: What stands behind it.
            environment: All variables; None: those of the caller.
            limit: After so many seconds SIGALRM ends it.
        """
        words = [str(file), *map(str, arguments)]
        out, err = (Path(self._printed.name) / name for name in ("out", "err"))
        order = {"words": words, "out": str(out), "err": str(err), "limit": limit}
        order["environment"] = dict(os.environ if environment is None else environment)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        return subprocess.CompletedProcess(words, status, out.read_text("utf-8"), err.read_text("utf-8"))

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        with self._printed, self._process:
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
    """Make this fork the process of a program, and return its file."""
    signal.alarm(order["limit"])
    for path, at, flags in (
        (os.devnull, 0, os.O_RDONLY),
        (order["out"], 1, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (order["err"], 2, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, at)
        os.close(opened)
    os.environ.clear()
    os.environ.update(order["environment"])
    random.seed()  # else all would draw the same
    sys.argv = order["words"]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    return sys.argv[0]


if __name__ == "__main__":
    for module in sys.argv[1:]:
        import_module(module)
    gc.freeze()
    program = fork()
    if program:
        runpy.run_path(program, run_name="__main__")
