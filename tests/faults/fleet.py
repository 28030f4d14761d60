"""Worker processes: forked from one that has imported everything, to be killed, stopped and continued."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.faults.fork_server import ForkServer
from tests.faults.ledger import Ledger
from tests.waiting import patient


@dataclass(eq=False)
class Process:
    """One worker process; its log is a file."""

    pid: int
    log: Path
    started: float = field(default_factory=time.monotonic)
    #: How it ended: its exit status, or the negative number of the signal that killed it; None: it has not.
    status: int | None = None
    #: When that was seen.
    ended: float = 0.0

    @property
    def alive(self) -> bool:
        """Whether it was not seen to have ended."""
        return self.status is None

    def says(self) -> str:
        """Return what it has logged."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""


class Fleet:
    """The worker processes of one server and ledger.

    Args:
        url: The server, or the proxy before it.
        ledger: The directory of the ledger.
        fork_server: From which they are forked; None: one of its own.
        spec: How its workers are made, unless `spawn` says otherwise: see `tests.faults.fork_server.Spec`.
    """

    def __init__(self, url: str, ledger: Path, fork_server: ForkServer | None = None, **spec: Any) -> None:
        self.processes: list[Process] = []
        self._ledger = Ledger(ledger)
        self._spec: dict[str, Any] = {"url": url, "ledger": str(ledger), **spec}
        self._owns = fork_server is None
        self._fork_server = fork_server or ForkServer()
        self._logs = ledger.parent / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)

    @property
    def alive(self) -> list[Process]:
        """The processes that were not seen to have ended; `reap` looks."""
        return [process for process in self.processes if process.alive]

    def spawn(self, count: int = 1, **spec: Any) -> list[Process]:
        """Start processes; those that are to take the same jobs need the same options."""
        started = []
        for _ in range(count):
            log = self._logs / f"worker-{os.urandom(3).hex()}-{len(self.processes)}.log"
            pid = self._fork_server.ask({"do": "spawn", "spec": {**self._spec, **spec, "log": str(log)}})["pid"]
            started.append(Process(pid, log))
            self.processes.append(started[-1])
        return started

    def fill(self, count: int, **spec: Any) -> list[Process]:
        """Start as many as are missing to `count` that live."""
        self.reap()
        return self.spawn(max(0, count - len(self.alive)), **spec)

    def reap(self) -> list[Process]:
        """Return those that have ended since the last look; each that a signal killed leaves a line in the ledger."""
        pids = [process.pid for process in self.alive]
        answer: dict[str, int] = self._fork_server.ask({"do": "reap", "pids": pids})["ended"]
        ended = [process for process in self.alive if str(process.pid) in answer]
        for process in ended:
            process.status, process.ended = answer[str(process.pid)], time.monotonic()
            if process.status < 0:
                self._ledger.write("KILL", victim=process.pid, signal=-process.status, seen=True)
        return ended

    def wait(self, *processes: Process, timeout: float = 15.0) -> bool:
        """Wait until these have ended; False where one has not in time."""
        began = time.monotonic()
        while any(process.alive for process in processes) and time.monotonic() - began < patient(timeout):
            if not self.reap():
                time.sleep(0.005)
        return not any(process.alive for process in processes)

    def kill(self, *processes: Process) -> None:
        """Kill by SIGKILL, which nothing can catch; the ledger hears of it first."""
        for process in processes:
            if process.alive:
                self._ledger.write("KILL", victim=process.pid, signal=int(signal.SIGKILL))
                self.send(process, signal.SIGKILL)

    def stop(self, *processes: Process) -> None:
        """Stop by SIGSTOP: not a line of theirs runs any more, and their connections stay."""
        for process in processes:
            self.send(process, signal.SIGSTOP)

    def cont(self, *processes: Process) -> None:
        """Let them go on."""
        for process in processes:
            self.send(process, signal.SIGCONT)

    def terminate(self, *processes: Process) -> None:
        """Ask them to end, by SIGTERM."""
        for process in processes:
            self.send(process, signal.SIGTERM)

    def send(self, process: Process, number: signal.Signals) -> None:
        """Send a signal. Its number is still that of our process: it is only given away after `reap`."""
        if process.alive:
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)

    def is_stopped(self, process: Process) -> bool:
        """Whether it stands still, by SIGSTOP."""
        with suppress(OSError):
            return Path(f"/proc/{process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] in {"T", "t"}
        return False

    def wait_stopped(self, process: Process, timeout: float = 15.0) -> bool:
        """Wait until it stands still, by a failpoint of its own, say."""
        began = time.monotonic()
        while not self.is_stopped(process) and time.monotonic() - began < patient(timeout):
            time.sleep(0.005)
        return self.is_stopped(process)

    def finish(self, grace: float = 5.0) -> None:
        """Ask all to end, and kill those that do not within `grace` seconds."""
        self.reap()
        self.cont(*self.alive)
        self.terminate(*self.alive)
        if not self.wait(*self.alive, timeout=grace):
            self.kill(*self.alive)
            self.wait(*self.alive)

    def close(self) -> None:
        """Kill all, and the process that they were forked from if that is its own."""
        with suppress(OSError, ValueError):
            self.kill(*self.alive)
            self.wait(*self.alive)
        if self._owns:
            self._fork_server.close()
        self._ledger.close()

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()
