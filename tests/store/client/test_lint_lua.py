"""The linter of the composed scripts, as `make check` runs it."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from flows.store.client.scripts import load
from tests import lint_lua


@pytest.mark.skipif(not shutil.which("luacheck"), reason="luacheck is not installed")
@pytest.mark.parametrize(
    ("line", "changed", "finding"),
    [
        (
            "function split(name)",
            "function split(ns)",
            [
                "shadowing upvalue 'ns' of line 3 of the composed renew (W431)",
                "unused argument 'ns' (W212)",
                "accessing undefined variable 'name' (W113)",
            ],
        ),
        ("local words = {}", "words = {}", ["setting non-standard global variable 'words' (W111)"]),
        ("local words = {}", "local words = )", ["expected expression near"]),
        ("local words = {}", "local words, more = {}", ["unused variable 'more' (W211)"]),
    ],
)
def test_a_finding_names_the_file_and_the_line(line: str, changed: str, finding: list[str]) -> None:
    """What is found in a composed script is told by where it was written."""
    script = load("renew")
    assert lint_lua.findings([script]) == []
    assert line in script.text
    place = script.places[script.text.split(line)[0].count("\n")]
    found = lint_lua.findings([dataclasses.replace(script, text=script.text.replace(line, changed))])
    for part in finding:
        assert any(told.startswith(f"{place}: {part}") for told in found), found


def test_without_luacheck_the_check_fails_and_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A check that did not run is not green."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert lint_lua.main() == 2
    assert "apt-get install lua-check" in capsys.readouterr().err
