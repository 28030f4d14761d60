"""The command line over what a program of somebody else has left in Redis."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flows.__main__ import main
from tests.api.conftest import Left, left, left_to_act

__all__ = ["left", "left_to_act"]

#: Runs a command, and returns its exit status, stdout and stderr.
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(left: Left, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run commands against what was left, without a colour and without a terminal."""
    monkeypatch.setenv("COLUMNS", "250")

    def run(*words: str, of: Left = left, env: dict[str, str] | None = None) -> tuple[int, str, str]:
        capsys.readouterr()
        with monkeypatch.context() as patch:
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            status = main([*words, "--redis-url", of.url, "--namespace", of.namespace])
        found = capsys.readouterr()
        return status, found.out, found.err

    return run
