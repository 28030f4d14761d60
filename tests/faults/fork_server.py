"""The process that worker processes are forked from, which is told by lines what to do.

It has imported everything, so a fork is ready in milliseconds. It runs no thread and opens no connection. When nobody
is left to tell it anything, which is also when its user was killed, it kills what it has forked.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import logging
import multiprocessing
import os
import random
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, TextIO

from flows.kernel.deploy import misfits
from flows.store.client.scripts import compositions, load
from flows.telemetry import failpoints
from tests.faults.flow_under_test import QUEUES, add_workers, make_flow
from tests.faults.grumbler import Grumbler
from tests.faults.ledger import Ledger
from tests.faults.runs.app_under_test import work_on
from tests.faults.sharing import add_workers_of_returns, make_returns
from tests.waiting import patient

ROOT: Final = Path(__file__).resolve().parents[2]
_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG


@dataclass(frozen=True)
class Spec:
    """How the workers of one process are made.

    Attributes:
        url: The server, or a proxy before it.
        ledger: The directory of the ledger.
        log: The file that it logs to.
        namespace: Before every key.
        lease: In seconds.
        queues: The queues that it works on.
        count: How many workers in each.
        concurrency: How many jobs each of them runs at once, or batches.
        batch: How many jobs `pick` and `ship` take at once; 0: each alone.
        returns: Whether its flow is `returns`, which shares `pick`, in place of the flow under test.
        grumbles: Whether `tests.faults.grumbler` stands around each job.
        failpoints: As in FLOWS_FAILPOINTS.
        grace: What `flow.run` gets; SIGTERM ends it.
        app: Whether it works on runs of the app under test in place of the flow; what `make_app` takes.
        options: More of FlowOptions; times in seconds where `make_flow` says so.
        environment: Set before anything runs.
    """

    url: str
    ledger: str
    log: str
    namespace: str = ""
    lease: float = 1.0
    queues: tuple[str, ...] = QUEUES
    count: int = 1
    concurrency: int = 4
    batch: int = 0
    returns: bool = False
    grumbles: bool = False
    failpoints: str = ""
    grace: float | None = 30.0
    app: dict[str, Any] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


class ForkServer:
    """A fork server of this process's; fleets may share it.

    Args:
        forked: Whether it is a fork of this process, which runs no thread then; else it is a new Python.
    """

    def __init__(self, *, forked: bool = False) -> None:
        ours, theirs = socket.socketpair()
        if forked:
            process = multiprocessing.get_context("fork").Process(target=_forked, args=(ours, theirs))
            process.start()
            self._wait: Callable[[float], object] = process.join
        else:
            command = [sys.executable, "-m", "tests.faults.fork_server"]
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            self._wait = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs).wait
        theirs.close()
        with ours:
            self._lines = ours.makefile("rw", encoding="utf-8")

    def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        """Tell it to do something, and return what it answers."""
        self._lines.write(json.dumps(order) + "\n")
        self._lines.flush()
        answer: dict[str, Any] = json.loads(self._lines.readline())
        return answer

    def close(self) -> None:
        """Let it kill all that it has forked, and end."""
        with suppress(OSError):
            self._lines.close()
        self._wait(patient(30))


def _forked(ours: socket.socket, theirs: socket.socket) -> None:
    ours.close()
    with theirs, theirs.makefile("r", encoding="utf-8") as orders, theirs.makefile("w", encoding="utf-8") as answers:
        main(orders, answers)


def main(orders: TextIO, answers: TextIO) -> None:
    """Fork and reap as told, a JSON object a line, until the orders end."""
    children: set[int] = set()
    try:
        for line in orders:
            order = json.loads(line)
            answer = _spawn(order["spec"], children) if order["do"] == "spawn" else {"ended": _reap(order["pids"])}
            children.difference_update(answer.get("ended", ()))
            answers.write(json.dumps(answer) + "\n")
            answers.flush()
    finally:
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in children:
            os.waitpid(pid, 0)


def _spawn(given: dict[str, Any], children: set[int]) -> dict[str, Any]:
    spec = Spec(**given)
    if spec.app is not None:
        _compose()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            _become(spec)
            status = asyncio.run(work(spec))
        except BaseException:
            logging.getLogger().exception("the process ends")
        finally:
            logging.shutdown()
            os._exit(status)
    children.add(pid)
    return {"pid": pid}


@cache
def _compose() -> None:
    """Compose all scripts once, here: each fork of an app with many workflows would take a second for it."""
    for composition in compositions():
        load(*composition)


def _reap(pids: list[int]) -> dict[int, int]:
    ended = {}
    for pid in pids:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            ended[pid] = os.waitstatus_to_exitcode(status)
    return ended


def _become(spec: Spec) -> None:
    """Make this fork a process of its own."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    log = os.open(spec.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for file, at in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(file, at)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    random.seed(os.urandom(16))  # else all forks would draw the same jitter
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__  # whatever pytest has put there
    os.environ.update(spec.environment)
    logging.basicConfig(level=logging.INFO, format="%(relativeCreated)d %(message)s", force=True)
    failpoints.arm(spec.failpoints)


async def work(spec: Spec) -> int:
    """Work until SIGTERM, and return the exit status."""
    ledger = Ledger(Path(spec.ledger))
    if spec.app is not None:
        given = {"concurrency": spec.concurrency, "grace": spec.grace, **spec.app}
        return await work_on(spec.url, ledger.directory, **given)
    if spec.returns:
        returns = make_returns(spec.url, spec.namespace, lease=spec.lease, **spec.options)
        add_workers_of_returns(returns, ledger, spec.queues, spec.concurrency)
        return await returns.run(spec.grace)
    around = {"middleware": [Grumbler(ledger)]} if spec.grumbles else {}
    flow = make_flow(spec.url, spec.namespace, lease=spec.lease, **spec.options, **around)
    made = {"count": spec.count, "concurrency": spec.concurrency, "batch": spec.batch}
    add_workers(flow, ledger, queues=tuple(spec.queues), **made)
    flow._pool.complete = lambda: None  # type: ignore[method-assign] # the row says which queues are served here
    misfits.IN_ALL = 0.0  # type: ignore[misc] # no other release works here: what does not fit fails at once
    return await flow.run(spec.grace)


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
