"""`flows web`: where it listens, to whom it would answer, and the tokens that it makes."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from flows.__main__ import main
from flows.server import Tokens
from flows.server.command import _bound
from tests.faults.ports import free_port
from tests.waiting import blocking_until


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "ops.example.org"])  # noqa: S104
def test_other_machines_are_not_answered_without_tokens(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It does not start, and names both ways out."""
    assert main(["web", "--host", host]) == 2
    said = capsys.readouterr().err
    assert "--tokens" in said
    assert "127.0.0.1" in said


def test_a_port_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """In one line, and nothing is said to answer."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["web", "--port", str(taken.getsockname()[1])]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "see --port" in said


def test_a_token_is_shown_once_and_its_line_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file, which its owner alone may read, has no token; a second one of the same name is refused."""
    file = tmp_path / "tokens"
    assert main(["web", "token", "ana", "--role", "operator", "--file", str(file)]) == 0
    token = capsys.readouterr().out.strip()
    assert token not in file.read_text("utf-8")
    assert file.stat().st_mode & 0o077 == 0
    found = Tokens.file(file).find(token)
    assert found is not None
    assert (found.caller.name, found.caller.role) == ("ana", "operator")
    before = file.read_text("utf-8")
    assert main(["web", "token", "ana", "--file", str(file)]) == 2
    assert main(["web", "token", "bob", "--role", "king", "--file", str(file)]) == 2
    assert file.read_text("utf-8") == before


@pytest.mark.skipif(sys.platform != "linux", reason="others have no such option")
def test_what_the_kernel_holds_for_a_stalled_reader_has_an_end() -> None:
    """In bytes and in time, for each connection that is taken."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        _bound(listening)
        listening.listen()
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as taken:
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 40_000
            assert taken.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * 128 * 1024


def test_it_ends_as_it_was_told(redis_url: str) -> None:
    """With status 0 at SIGTERM, as `flows run` does: nobody has to be told that it failed."""
    port = free_port()
    command = [sys.executable, "-m", "flows", "web", "--redis-url", redis_url, "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as web:

        def answers() -> bool:
            with suppress(httpx.TransportError):
                return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
            return False

        try:
            blocking_until(answers)
        finally:
            web.terminate()
        assert web.wait() == 0
