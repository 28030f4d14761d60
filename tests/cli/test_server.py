"""`python -m flows server`: what it prints, and what it exits with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.__main__ import main
from flows.store import bundled
from flows.store.embedded import EmbeddedServer


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedServer]:
    """Name a server of the test's own that does not run yet; the environment names no other."""
    monkeypatch.setenv("FLOWS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name in ("FLOWS_REDIS_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    server = EmbeddedServer()
    yield server
    server.stop()


def test_status_exits_3_when_no_server_runs(server: EmbeddedServer, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so, names the directory, and creates nothing there."""
    assert main(["server", "status"]) == 3
    assert capsys.readouterr().out == f"not running\n  data     {server.data_dir}\n"
    assert not server.data_dir.exists()


def test_status_exits_0_when_it_runs(server: EmbeddedServer, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints aligned lines: the pid, the URL, the version and how full the server is."""
    url = server.start()
    assert main(["server", "status"]) == 0
    state, *lines = capsys.readouterr().out.splitlines()
    assert state == "running"
    fields = {line[:11].strip(): line[11:] for line in lines}
    assert list(fields) == ["data", "pid", "url", "version", "up", "clients", "keys", "memory"]
    assert fields["pid"] == str(server.status().pid)
    assert (fields["url"], fields["clients"], fields["keys"]) == (url, "0", "0")


def test_status_as_json(
    server: EmbeddedServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs get all the fields, and which server the shell uses."""
    monkeypatch.setenv("REDIS_URL", "redis://:secret@h")
    server.start()
    assert main(["server", "status", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["running"] is True
    assert record["pid"] == server.status().pid
    assert record["this_shell_uses"] == {"url": "redis://***@h:6379/0", "source": "REDIS_URL"}


def test_status_says_when_the_shell_uses_another_server(
    server: EmbeddedServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that points elsewhere is named, without its password; a bad one is an error of one line."""
    assert not server.status().running
    monkeypatch.setenv("REDIS_URL", "redis://:secret@h:6379/1")
    assert main(["server", "status"]) == 3
    assert "this shell uses redis://***@h:6379/1 from REDIS_URL" in capsys.readouterr().out
    monkeypatch.setenv("REDIS_URL", "ftp://:secret@h")
    assert main(["server", "status"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("flows: the server URL of REDIS_URL begins with ftp://")
    assert error.count("\n") == 1


def test_status_of_a_server_that_hangs(
    server: EmbeddedServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs, and the line says that it does not answer."""
    server.start()
    pid = server.status().pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    with monkeypatch.context() as patch:
        patch.setattr(bundled, "ANSWER_S", 0.1)
        assert main(["server", "status"]) == 0
    os.kill(pid, signal.SIGCONT)
    assert capsys.readouterr().out.startswith(f"running, but does not answer\n  data     {server.data_dir}\n")


def test_stop_exits_0_whether_or_not_one_ran(server: EmbeddedServer, capsys: pytest.CaptureFixture[str]) -> None:
    """It stops the server and says which; a second one has nothing to do. `--data-dir` names it too."""
    server.start()
    pid = server.status().pid
    assert main(["server", "stop", "--data-dir", str(server.data_dir)]) == 0
    assert capsys.readouterr().out.startswith(f"stopped (pid {pid})\n")
    assert not server.status().running
    assert main(["server", "stop"]) == 0
    assert capsys.readouterr().out.startswith("not running\n")


@pytest.mark.parametrize("arguments", [[], ["server"]])
def test_without_a_command_it_prints_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Who names no command sees which there are."""
    assert main(arguments) == 0
    found = capsys.readouterr().out
    assert found.startswith("Usage: flows")
    assert "stop" in found or "server" in found


def test_as_a_program(server: EmbeddedServer) -> None:
    """`python -m flows` passes the exit status on; an error of the system is one line too."""
    server.data_dir.mkdir()
    (server.data_dir / "server.lock").mkdir()
    command = [sys.executable, "-m", "flows", "server", "stop"]
    root = Path(__file__).resolve().parents[2]
    process = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    (server.data_dir / "server.lock").rmdir()
    assert process.returncode == 2
    assert process.stderr.startswith("flows: ")
    assert process.stderr.count("\n") == 1
