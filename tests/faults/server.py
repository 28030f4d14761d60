"""A real server of one's own, to be killed, frozen, restarted, robbed of the end of its file, or of its clock."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from flows.store.bundled import find_binary
from tests.faults.clock import Clock
from tests.faults.ports import free_port
from tests.waiting import patient

#: Names another server than the bundled one: the path of a `redis-server` or a `valkey-server`.
VARIABLE: Final = "FLOWS_FAULTS_SERVER"

_AOF: Final = {"appendonly": "yes", "appendfsync": "everysec"}
_SMALL: Final = {"maxmemory": "12mb", "maxmemory-clients": "0"}
#: How a server keeps its data, and what it does when its memory is full.
PROFILES: Final[Mapping[str, Mapping[str, str]]] = {
    "everysec": _AOF,
    "always": {**_AOF, "appendfsync": "always"},
    "none": {"appendonly": "no"},
    "small": {**_AOF, **_SMALL, "maxmemory-policy": "noeviction"},
    "lru": {**_AOF, **_SMALL, "maxmemory-policy": "allkeys-lru"},
}
_SETTINGS: Final = {
    "bind": "127.0.0.1",
    "save": '""',
    "maxmemory-policy": "noeviction",
    "slowlog-log-slower-than": "1000",
    "slowlog-max-len": "4096",
    "auto-aof-rewrite-percentage": "0",
    "enable-debug-command": "local",
    "daemonize": "no",
}
#: It has to answer within so many seconds after its start on an idle machine.
_START_SECONDS: Final = 30.0
#: Its TIME is cut to seconds, and the one that it keeps may be older than a moved clock.
_CLOCK_SECONDS: Final = 1.5


class Server:
    """A server in a directory. Its port is chosen once, so that clients find it again after a restart."""

    def __init__(
        self,
        directory: Path,
        *,
        profile: str = "everysec",
        settings: Mapping[str, str] | None = None,
        clock: bool = False,
    ) -> None:
        self.directory = directory
        self.profile = profile
        self.port = free_port()
        self.version = ""
        #: What its SLOWLOG held whenever it was about to end: milliseconds and the command.
        self.slow: list[tuple[float, list[str]]] = []
        self._data = directory / "data"
        self._settings = {**_SETTINGS, **PROFILES[profile], **(settings or {})}
        self._clock = Clock(directory / "clock") if clock else None
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen = False

    @property
    def log(self) -> Path:
        """The file that it logs to."""
        return self.directory / "server.log"

    @property
    def pid(self) -> int:
        """The number of its process, which runs."""
        assert self._process is not None, "the server is down"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether its process was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it on the data that its directory holds, and wait until it answers."""
        first = not self.version
        self.launch()
        try:
            self.wait_ready()
        except RuntimeError as error:
            if not first or "in use" not in str(error):
                raise
            self.port = free_port()  # somebody was faster
            self.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}/0"

    def launch(self) -> None:
        """Start it, and do not wait."""
        assert not self.running, "the server is up already"
        self._data.mkdir(parents=True, exist_ok=True)
        configuration = self.directory / "server.conf"
        lines = {"port": str(self.port), "dir": f'"{self._data}"', **self._settings}
        configuration.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
        binary = os.environ.get(VARIABLE) or find_binary()
        environment = {"LC_ALL": "C", **(self._clock.environment if self._clock else {})}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [binary, configuration], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )
        self._frozen = False

    def wait_ready(self) -> None:
        """Wait until it answers and has loaded its data.

        Raises:
            RuntimeError: it has ended, or does not answer in time.
        """
        end = time.monotonic() + patient(_START_SECONDS)
        with self.client() as client:
            while True:
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > end:
                    tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
                    raise RuntimeError(f"the server does not answer; the end of its log:\n{tail}")
                with suppress(RedisError):
                    info = client.info("server")
                    client.ping()
                    if info["process_id"] == self.pid:
                        name = "valkey" if "valkey_version" in info else "redis"
                        self.version = f"{name} {info[f'{name}_version']}"
                        return
                time.sleep(0.01)

    def restart(self) -> None:
        """Start it again on the same data."""
        self.start()

    def kill(self) -> None:
        """Kill it, as the kernel does when memory runs out: it writes nothing more.

        With `everysec`, it answers before it writes while an earlier fsync is under way, for 2 s at most: on a slow
        disk even this loses what was answered. That is the disk's fault, so it is told to write first.
        """
        if self.running and not self._frozen and self._settings.get("appendfsync") == "everysec":
            with suppress(RedisError, OSError), self.client(timeout=1.0) as client:
                client.config_set("appendfsync", "no")  # each answer waits for its write, and none for an fsync
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Let it end by itself: it writes what it has to write."""
        self.thaw()
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Stop it in the middle of what it does; its connections stay."""
        os.kill(self.pid, signal.SIGSTOP)
        self._frozen = True

    def thaw(self) -> None:
        """Let it go on."""
        if self.running and self._frozen:
            os.kill(self.pid, signal.SIGCONT)
            self._frozen = False

    def aof_bytes(self) -> int:
        """Return the size of the file that it appends its writes to."""
        file = self._newest_aof()
        return file.stat().st_size if file else 0

    def aof(self) -> bytes:
        """Return what is in the newest of its append-only files."""
        path = self._newest_aof()
        return path.read_bytes() if path else b""

    def cut_tail(self, count: int) -> int:
        """Cut bytes off the end of its append-only file, as a loss of power does, and return how many there were."""
        assert count >= 0, "a negative cut would lengthen the file"
        assert not self.running, "the server is up: it would go on writing"
        file = self._newest_aof()
        size = file.stat().st_size if file else 0
        cut = min(count, size)
        if file and cut:
            os.truncate(file, size - cut)
        return cut

    def keep_copy(self) -> None:
        """Keep a copy of its data as it is; it must be down."""
        assert not self.running, "the server is up: the copy would be torn"
        shutil.copytree(self._data, self.directory / "copy", dirs_exist_ok=True)

    def restore_copy(self) -> None:
        """Put the copy in place of its data; it must be down."""
        self.forget()
        shutil.copytree(self.directory / "copy", self._data)

    def forget(self) -> None:
        """Delete all of its data."""
        assert not self.running, "the server is up: it would write its data again"
        shutil.rmtree(self._data, ignore_errors=True)

    def shift_clock(self, ms: int) -> None:
        """Move its wall clock to so many milliseconds after the real one, and wait until it shows."""
        assert self._clock is not None, "the server was not made with clock=True"
        self._clock.shift(ms)
        if self.running and not self._frozen:
            with self.client() as client:
                while abs(client.time()[0] - time.time() - ms / 1000) > _CLOCK_SECONDS:
                    time.sleep(0.01)

    def client(self, timeout: float = 5.0) -> redis.Redis:
        """Make a plain client that decodes what it reads and sends nothing twice."""
        return redis.Redis(
            port=self.port,
            protocol=2,
            decode_responses=True,
            encoding_errors="backslashreplace",
            retry=Retry(NoBackoff(), 0),
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
        )

    def slow_commands(self) -> list[tuple[float, list[str]]]:
        """Return what took it over a millisecond, in all of its lives: milliseconds and the command, longest first."""
        self._remember_slow()
        return sorted(self.slow, reverse=True)

    def close(self) -> None:
        """Kill it and delete its directory's data."""
        self.kill()
        self.forget()
        if self._clock is not None:
            self._clock.close()
            self._clock = None

    def __enter__(self) -> Self:
        """Start it."""
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill it and delete its data."""
        self.close()

    def _newest_aof(self) -> Path | None:
        files = [*self._data.glob("appendonlydir/*.incr.aof")]
        return max(files, key=lambda file: int(file.name.split(".")[-3]), default=None)

    def _end(self, number: signal.Signals) -> None:
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            self._remember_slow()
            process.send_signal(number)
            process.wait(timeout=patient(30))
        self._process = None
        self._frozen = False

    def _remember_slow(self) -> None:
        """Keep its SLOWLOG, which ends with the process."""
        if not self.running or self._frozen:
            return
        with suppress(RedisError, OSError), self.client(timeout=1.0) as client:
            # As two words, so that redis-py leaves the answer as it is: number, when, microseconds, command, …
            entries = client.execute_command("SLOWLOG", "GET", 4096)
            client.slowlog_reset()
            self.slow += [(entry[2] / 1000, entry[3]) for entry in entries]
