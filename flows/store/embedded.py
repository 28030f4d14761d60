"""Starts, finds and stops the embedded server of a data directory.

One server serves a data directory, for all processes of its user, and outlives the one that started it. The server
holds the lock of that directory for as long as it runs: its starter takes the lock, the server inherits it. So the
operating system knows whether a server runs, a crash leaves nothing to clean up, and no two servers ever write to the
same files.
"""

from __future__ import annotations

import logging
import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from flows.config import data_directory
from flows.errors import StoreUnavailable
from flows.store.bundled import ALTERNATIVE, BundledValkey

if sys.platform != "win32":
    import fcntl

#: Seconds that a server may take to open its socket, to read its data back, and to end.
START_S, LOADING_S, STOP_S = 10.0, 60.0, 10.0

_log = logging.getLogger("flows.store")


@dataclass(frozen=True, slots=True)
class EmbeddedStatus:
    """The status of a data directory's server; one that runs without a version does not answer."""

    data_dir: Path
    running: bool
    pid: int | None = None
    url: str | None = None
    version: str | None = None
    uptime_s: int = 0
    clients: int = 0
    keys: int = 0
    memory_bytes: int = 0


class EmbeddedServer:
    """The server of one data directory, whoever started it."""

    def __init__(
        self, data_dir: Path | None = None, *, port: int = 0, settings: Mapping[str, str] | None = None
    ) -> None:
        if sys.platform == "win32":
            raise StoreUnavailable(f"the embedded server needs Linux or macOS: {ALTERNATIVE}")
        self.data_dir = (data_dir or data_directory()).resolve()
        self._valkey = BundledValkey(self.data_dir, {"port": str(port), **(settings or {})})

    def start(self) -> str:
        """Return the URL of the running server, at once where there is one; else start one first.

        Raises:
            MissingExtra: a server has to be started, and the extra `embedded` is not installed.
            StoreUnavailable: it does not start, or the server that has the directory does not answer.
        """
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.data_dir.stat().st_uid == os.getuid():
                self.data_dir.chmod(0o700)
            started, info = self._live()
        except OSError as error:
            raise StoreUnavailable(f"the embedded server cannot use {self.data_dir}: {error}") from error
        if started:
            what = (info["process_id"], self.data_dir, self._stop_command())
            _log.info("started the embedded server: pid %s, data in %s; `%s` stops it", *what)
        else:
            _log.debug("joined the embedded server: pid %s, data in %s", info["process_id"], self.data_dir)
        return self._valkey.url()

    def status(self) -> EmbeddedStatus:
        """Return whether a server runs and what it reports of itself; changes nothing."""
        if not self._held():
            return EmbeddedStatus(self.data_dir, running=False)
        info = self._valkey.ask()
        if info is None:
            return EmbeddedStatus(self.data_dir, running=True, pid=self._valkey.pid())
        return EmbeddedStatus(
            self.data_dir,
            running=True,
            pid=info["process_id"],
            url=self._valkey.url(),
            version=info["valkey_version"],
            uptime_s=info["uptime_in_seconds"],
            clients=info["connected_clients"] - 1,  # one is this question
            keys=sum(database["keys"] for name, database in info.items() if re.fullmatch(r"db\d+", name)),
            memory_bytes=info["used_memory"],
        )

    def stop(self) -> bool:
        """Stop the server once its data is on disk, and return when its process has ended; False if none ran.

        Raises:
            StoreUnavailable: it does not end, or its process cannot be distinguished from a stranger's.
        """
        if not self._held():
            return False
        its = self._valkey
        _until(lambda: bool(its.pid() or its.ask()) or not self._held(), START_S)  # it may only be starting
        for ask in (its.shutdown, partial(its.send, signal.SIGTERM), partial(its.send, signal.SIGKILL)):
            if (ask() and _until(lambda: not self._held(), STOP_S)) or not self._held():
                return True
        raise StoreUnavailable(f"{self._name()} does not end: see {its.log}")

    def discard(self) -> bool:
        """Stop the server and delete its data; False where another process has started it again, with its data.

        Raises:
            StoreUnavailable: it does not end.
        """
        self.stop()
        with self._lock(fcntl.LOCK_EX, os.O_RDWR | os.O_CREAT) as ours:
            if ours is not None:
                self._valkey.delete_data()
        return ours is not None

    @contextmanager
    def held(self, seconds: float) -> Generator[None]:
        """Let all that others write wait while the block runs, for at most so long; what reads goes on.

        So what the block finds stays as it is until it has decided, and `discard` deletes nothing that came meanwhile.

        Raises:
            StoreUnavailable: the server does not answer.
        """
        self._valkey.hold_writes(seconds)
        try:
            yield
        finally:
            self._valkey.let_write()

    def _live(self) -> tuple[bool, dict[str, Any]]:
        """Launch a server if none runs, and wait until one answers; return whether this call did, and the INFO."""
        started, pause, log_size = time.monotonic(), 0.002, None
        while True:
            with self._lock(fcntl.LOCK_EX, os.O_RDWR | os.O_CREAT) as ours:
                if ours is not None:
                    if log_size is not None:
                        raise StoreUnavailable(_last_words(self._valkey.log, log_size))
                    log_size = self._valkey.log.stat().st_size if self._valkey.log.exists() else 0
                    self._valkey.launch(ours)
            info = self._valkey.ask()
            if info and not info["loading"]:
                return log_size is not None, info
            if time.monotonic() - started > (LOADING_S if info else START_S):
                state = "is still reading its data" if info else "does not answer"
                raise StoreUnavailable(f"{self._name()} {state}: wait, or `{self._stop_command()}`")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.05)

    @contextmanager
    def _lock(self, kind: int, flags: int = os.O_RDWR) -> Generator[int | None]:
        """Hold the lock for the block; None where a running server has it, or a process that starts or checks one."""
        descriptor = os.open(self.data_dir / "server.lock", flags, 0o600)
        try:
            yield descriptor if _try_lock(descriptor, kind) else None
        finally:
            os.close(descriptor)

    def _held(self) -> bool:
        """Return whether a server holds the lock of the directory."""
        try:
            with self._lock(fcntl.LOCK_SH) as ours:
                return ours is None
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _name(self) -> str:
        return f"the embedded server of {self.data_dir} (pid {self._valkey.pid()})"

    def _stop_command(self) -> str:
        where = [] if self.data_dir == data_directory() else ["--data-dir", str(self.data_dir)]
        return shlex.join(["python", "-m", "flows", "server", "stop", *where])


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _last_words(log: Path, log_size: int) -> str:
    """Return an error text with the last lines that a server which did not start has logged."""
    lines = log.read_bytes()[log_size:].decode(errors="replace").splitlines()[-5:]
    return "\n  ".join([f"the embedded server did not start; the end of its log {log}:", *lines])


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll a condition, and return whether it became true in so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True
