"""A worker process of the shop, and who starts it, kills it in the middle of a step, and starts it again."""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import flows
from order_runs import declare
from order_shop import Busy, Shop
from order_terms import Settings

#: A worker is killed within so many seconds of its first step; within fewer where there are few orders for each kill.
_MOST, _AN_ORDER = 1.0, 0.004
#: Seconds between two looks at whether a step runs.
_LOOK = 0.003


def busy_file(settings: Settings) -> Path:
    """Return where the worker process says how many steps it executes."""
    return settings.directory / "busy"


class WorkerProcess:
    """Keeps one worker process running, and kills it so many times; use it in a `with` statement.

    Args:
        settings: What it is told.
        crashes: So often it is killed, by SIGKILL, while a step runs.
        orders: How many there are.
    """

    def __init__(self, settings: Settings, crashes: int, orders: int) -> None:
        self._settings = settings
        self._crashes = crashes
        self._longest = min(_MOST, orders * _AN_ORDER / max(1, crashes))
        self._process = self._start()
        self._over = threading.Event()
        self._killing = threading.Thread(target=self._kill_all, name="crashes")
        #: How often it was killed in the middle of a step.
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
        busy_file(self._settings).write_bytes(b"")
        command = [sys.executable, str(Path(__file__)), self._settings.model_dump_json()]
        # In a session of its own: Ctrl-C is for who started it, which then asks it to end.
        return subprocess.Popen(command, start_new_session=True)  # noqa: S603 - this very file

    def _kill_all(self) -> None:
        while self.kills < self._crashes and self._wait_busy():
            self._over.wait(random.uniform(0, self._longest))
            if self._kill():
                self.kills += 1
                self._process = self._start()
        while self._lives() and not self._over.wait(_LOOK * 100):
            pass

    def _kill(self) -> bool:
        """Kill it when a step runs: it is stopped first, so that the step cannot end between look and kill."""
        while self._wait_busy():
            self._process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            if Busy.read(busy_file(self._settings)):
                self._process.kill()
                self._process.wait()
                return True
            self._process.send_signal(signal.SIGCONT)
            time.sleep(_LOOK)
        return False

    def _wait_busy(self) -> bool:
        """Wait until a step runs; False: there is none any more, or no worker."""
        while not Busy.read(busy_file(self._settings)):
            if not self._lives() or self._over.wait(_LOOK):
                return False
        return True

    def _lives(self) -> bool:
        status = self._process.poll()
        if status is not None:
            self.lost = f"the worker process has ended by itself, with status {status}"
        return status is None


def main() -> int:
    """Work until SIGTERM; the argument is the settings."""
    settings = Settings.model_validate_json(sys.argv[1])
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr)  # what is out of stock is counted, and no news
    app, _order = declare(settings, Shop(settings, Busy(busy_file(settings))))
    app.create_workers(concurrency=20)
    return flows.run(app)


if __name__ == "__main__":
    sys.exit(main())
