"""Starts the servers of databases that are installed, each in a folder and on a port of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from tests.waiting import blocking_until

#: Where Debian keeps what is not for every user's PATH.
_ELSEWHERE: Final = ("/usr/sbin", *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)))


class NotInstalled(Exception):
    """A server is not here; the text says what brings it."""


@contextmanager
def postgresql() -> Iterator[str]:
    """Start PostgreSQL, and yield its URL for SQLAlchemy.

    Raises:
        NotInstalled: it is not here.
    """
    initdb, server = _find("initdb", "postgresql"), _find("postgres", "postgresql")
    user = _unprivileged("postgres")
    with _folder(user) as folder:
        data, port = f"{folder}/data", _free_port()
        _run([initdb, "-D", data, "-A", "trust", "-U", "flows", "-E", "UTF8", "--no-sync"], user)
        words = [server, "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder, "-c", "fsync=off"]
        with _running(words, user, port):
            ready = [_find("pg_isready", "postgresql"), "-h", "127.0.0.1", "-p", str(port)]
            blocking_until(lambda: subprocess.run(ready, check=False, capture_output=True).returncode == 0)
            yield f"postgresql+asyncpg://flows@127.0.0.1:{port}/postgres"


@contextmanager
def mariadb() -> Iterator[str]:
    """Start MariaDB, and yield its URL for SQLAlchemy.

    Raises:
        NotInstalled: it is not here.
    """
    install, server = _find("mariadb-install-db", "mariadb-server"), _find("mariadbd", "mariadb-server")
    user = _unprivileged("mysql")
    with _folder(user) as folder:
        data, port = f"{folder}/data", _free_port()
        # The database `test` is made by it, and anybody may use that.
        _run([install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"], user)
        words = [
            server, "--no-defaults", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1",
            f"--socket={folder}/s", f"--pid-file={folder}/pid", "--innodb-flush-log-at-trx-commit=0",
        ]  # fmt: skip
        with _running(words, user, port):
            yield f"mysql+asyncmy://root@127.0.0.1:{port}/test"


@contextmanager
def redis_server() -> Iterator[str]:
    """Start Debian's Redis, and yield its URL.

    Raises:
        NotInstalled: it is not here.
    """
    server, port = _find("redis-server", "redis-server"), _free_port()
    with _folder({}) as folder:
        words = [server, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes"]
        words += ["--maxmemory-policy", "noeviction", "--save", ""]
        with _running(words, {}, port):
            yield f"redis://127.0.0.1:{port}/0"


def version(name: str, package: str) -> str:
    """Return what a server says of its version."""
    told = subprocess.run([_find(name, package), "--version"], check=False, capture_output=True, text=True)
    return told.stdout.strip()


def _find(name: str, package: str) -> str:
    found = shutil.which(name, path=os.pathsep.join((*os.environ.get("PATH", "").split(os.pathsep), *_ELSEWHERE)))
    if found is None:
        raise NotInstalled(f"{name} is not installed (on Debian: apt install {package})")
    return found


def _unprivileged(name: str) -> dict[str, Any]:
    """Return as whom a server is to run that does not run as root."""
    return {"user": name, "group": name, "extra_groups": []} if os.geteuid() == 0 else {}


@contextmanager
def _folder(user: dict[str, Any]) -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="flows-conformance-")
    if user:
        shutil.chown(folder, user["user"], user["group"])
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _run(words: Sequence[str], user: dict[str, Any]) -> None:
    done = subprocess.run(words, check=False, capture_output=True, text=True, cwd="/", **user)
    if done.returncode:
        raise RuntimeError(f"{words[0]} has failed: {done.stdout}{done.stderr}")


@contextmanager
def _running(words: Sequence[str], user: dict[str, Any], port: int) -> Iterator[None]:
    """Run a server until the block ends."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **user)

    def listens() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"{words[0]} has ended with {process.returncode}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False

    try:
        blocking_until(listens)
        yield
    finally:
        process.kill()
        process.wait()
