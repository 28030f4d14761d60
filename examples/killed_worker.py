"""A worker process that is killed on the way, so many times, only while it works; and what tells whether it does."""

from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

#: Seconds between two looks at whether it works.
_LOOK = 0.003


class Busy:
    """How many steps this process executes now, in a file: so who wants to kill it knows whether one does."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self._fd = os.open(file, os.O_CREAT | os.O_WRONLY)
        self._add(0)

    @contextmanager
    def step(self) -> Generator[None]:
        """Count one more within the block."""
        self._add(1)
        try:
            yield
        finally:
            self._add(-1)

    def _add(self, change: int) -> None:
        with self._lock:
            self._now += change
            os.pwrite(self._fd, struct.pack("q", self._now), 0)

    @staticmethod
    def read(file: Path) -> int:
        """Return how many the process executes, or did when it was stopped."""
        held = file.read_bytes() if file.exists() else b""
        return int(struct.unpack("q", held)[0]) if held else 0


class WorkerProcess:
    """Keeps one worker process running, and kills it so many times; use it in a `with` statement.

    Args:
        command: Starts it.
        busy: Where it says how many functions it executes.
        crashes: So often it is killed, by SIGKILL, while it executes one.
        within: Each time within so many seconds of the first function that it executes.
        killed: Called after each kill, before it is started again.
    """

    def __init__(
        self,
        command: Sequence[str],
        busy: Path,
        *,
        crashes: int,
        within: float,
        killed: Callable[[], None] = lambda: None,
    ) -> None:
        self._command = command
        self._busy = busy
        self._crashes = crashes
        self._within = within
        self._killed = killed
        self._process = self._start()
        self._over = threading.Event()
        self._killing = threading.Thread(target=self._kill_all, name="crashes")
        #: How often it was killed while it executed a function.
        self.kills = 0
        #: Why there is no worker any more; None: there is one.
        self.lost: str | None = None

    def __enter__(self) -> Self:
        """Begin to kill it."""
        self._killing.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop killing, and ask it to end."""
        self._over.set()
        self._killing.join()
        self._process.terminate()
        self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        self._busy.write_bytes(b"")
        # In a session of its own: Ctrl-C is for who started it, which then asks it to end.
        return subprocess.Popen(self._command, start_new_session=True)  # noqa: S603 - one of the files beside this one

    def _kill_all(self) -> None:
        while self.kills < self._crashes and self._wait_busy():
            self._over.wait(random.uniform(0, self._within))
            if self._kill():
                self._killed()
                self.kills += 1
                self._process = self._start()
        while self._lives() and not self._over.wait(_LOOK * 100):
            pass

    def _kill(self) -> bool:
        """Kill it when it works: it is stopped first, so that no function ends between look and kill."""
        while self._wait_busy():
            self._process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            if Busy.read(self._busy):
                self._process.kill()
                self._process.wait()
                return True
            self._process.send_signal(signal.SIGCONT)
            time.sleep(_LOOK)
        return False

    def _wait_busy(self) -> bool:
        """Wait until it works; False: there is nothing to do any more, or no worker."""
        while not Busy.read(self._busy):
            if not self._lives() or self._over.wait(_LOOK):
                return False
        return True

    def _lives(self) -> bool:
        status = self._process.poll()
        if status is not None:
            self.lost = f"the worker process has ended by itself, with status {status}"
        return status is None
