"""`flows completion`: what a shell is given, it can read, and it completes by it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from flows.__main__ import main

#: Completes the words that are given, as bash does at a tab.
TAB = 'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _flows; printf "%s\\n" "${COMPREPLY[@]}"'


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Groups, commands and options, by a script for the shell of the user."""
    monkeypatch.setenv("SHELL", "/bin/bash")
    assert main(["completion"]) == 0
    script = tmp_path / "completion"
    script.write_text(f"{capsys.readouterr().out}\n{TAB}", encoding="utf-8")

    def completed(*words: str) -> set[str]:
        command = ["bash", str(script), *words]
        return set(subprocess.run(command, capture_output=True, text=True, timeout=100, check=True).stdout.split())

    assert {"jobs", "queues"} <= completed("flows", "")
    assert completed("flows", "jobs", "retr") == {"retry"}
    assert "--where" in completed("flows", "jobs", "retry", "--")


def test_another_shell_has_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    """Which names the commands; those of zsh and PowerShell are made alike."""
    assert main(["completion", "fish"]) == 0
    out = capsys.readouterr().out
    assert "explain" in out
    assert "retry" in out


@pytest.mark.parametrize("words", [["completion"], ["completion", "tcsh"]])
def test_another_shell_is_refused(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """By a line that names those that there are."""
    monkeypatch.delenv("SHELL", raising=False)
    assert main(words) == 2
