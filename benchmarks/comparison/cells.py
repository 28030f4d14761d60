"""Measures one cell: a peer, a workload and a variant, once, in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast
from urllib.parse import urlsplit, urlunsplit

from comparison.environments import HOME, Environment
from comparison.workloads import Variant
from peers.meeting import DONE
from peers.resp import Client

__all__ = ["Cell", "Failed", "Figures", "about", "measure"]

#: Figures of one round: a rate per second, or percentiles in milliseconds.
Figures: TypeAlias = dict[str, float]
#: What takes longer hangs.
_PATIENCE = 120


class Failed(Exception):
    """A peer did not come to an end; the message says where to look."""


@dataclass(frozen=True, eq=False)
class Cell:
    """What is measured; each is its own key."""

    peer: str
    environment: Environment
    workload: str
    variant: Variant
    jobs: int
    setting: str
    """The peer's setting, and the variant's name."""
    versions: dict[str, str]


def about(environment: Environment) -> dict[str, Any]:
    """Ask an adapter which workloads it knows, at which settings, and with which versions.

    Raises:
        Failed: it does not start.
    """
    return _answer(environment, "", "about")


def measure(cell: Cell, url: str) -> Figures:
    """Measure it once, on an empty server.

    Raises:
        Failed: it failed or hung.
    """
    jobs = str(cell.jobs)
    match cell.workload:
        case "create" | "create-100":
            told = _answer(cell.environment, url, "create", jobs, "--tasks", str(cell.variant.tasks))
            return {"rate": cell.jobs / told["seconds"]}
        case "bulk":
            return {"rate": cell.jobs / _answer(cell.environment, url, "bulk", jobs)["seconds"]}
        case "latency":
            with _worker(cell, url, jobs="0"):
                spans = sorted(_answer(cell.environment, url, "latency", jobs)["spans"])
            return {f"p{part}_ms": spans[min(len(spans) * part // 100, len(spans) - 1)] for part in (50, 95, 99)}
        case _:
            return _drain(cell, url)


def _drain(cell: Cell, url: str) -> Figures:
    _answer(cell.environment, url, "load", cell.workload, str(cell.jobs), "--bytes", str(cell.variant.bytes))
    client = Client(url)
    with ExitStack() as stack:
        seen = url if cell.variant.delay is None else stack.enter_context(_slow(url, cell.variant.delay))
        worker = stack.enter_context(_worker(cell, seen, str(cell.jobs)))
        until = time.monotonic() + _PATIENCE
        while (word := client("BLPOP", DONE, 1)) is None:
            if worker.poll() is not None or time.monotonic() > until:
                raise Failed(f"the worker died, or was not done after {_PATIENCE} s: see {_log(cell.peer)}")
    client.close()
    told = json.loads(cast("list[bytes]", word)[1])
    # The time begins with the first job, so it holds the others.
    figures = {"rate": (cell.jobs - 1) / told["seconds"]}
    if "cpu_seconds" in told:
        figures["worker_cpu_us"] = told["cpu_seconds"] / cell.jobs * 1e6
    return figures


def _answer(environment: Environment, url: str, *arguments: str) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [*environment.command, *arguments],
            cwd=environment.directory,
            env=_variables(environment, url),
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{arguments[0]}: not done after {_PATIENCE} s") from error
    if done.returncode:
        raise Failed(f"{arguments[0]}: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


@contextmanager
def _worker(cell: Cell, url: str, jobs: str) -> Generator[subprocess.Popen[bytes]]:
    """Run a worker, and kill it with all that it has started: the server is emptied anyway."""
    log = _log(cell.peer)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*cell.environment.command, "work", cell.workload, jobs],
            cwd=cell.environment.directory,
            env=_variables(cell.environment, url),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        # Where it has died of itself, what it had started may still be there.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _slow(url: str, delay: float) -> Generator[str]:
    """Run the proxy and yield the address of the server behind it."""
    parts = urlsplit(url)
    program = str(Path(__file__).with_name("proxy.py"))
    command = [sys.executable, program, str(parts.hostname), str(parts.port or 6379), str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checker
        try:
            user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
            yield urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{int(process.stdout.readline())}"))
        finally:
            process.kill()


def _variables(environment: Environment, url: str) -> dict[str, str]:
    return {**os.environ, **environment.variables, "COMPARE_URL": url}


def _log(peer: str) -> Path:
    return HOME / "logs" / f"{peer}.log"
