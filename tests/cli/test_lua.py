"""`python -m flows lua`: the scripts as they are sent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flows.__main__ import main
from flows.store.client import scripts
from flows.store.client.scripts import load, names

FOLDER = Path(str(scripts._folder()))


def test_without_a_name_it_lists_the_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    """One a line, for a shell to loop over."""
    assert main(["lua"]) == 0
    assert capsys.readouterr().out.splitlines() == names()


@pytest.mark.parametrize("name", names())
def test_it_prints_the_script_with_file_and_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each mark names the line of the file that stands before it; without marks it is what is sent, line by line.

    What the loader writes from a table of Python's is marked with the line that asks for it.
    """
    assert main(["lua", name]) == 0
    printed = capsys.readouterr().out.splitlines()
    marked = re.compile(r"  -- ([\w/]+\.lua):(\d+)$")
    assert [marked.sub("", line) for line in printed] == load(name).text.split("\n")
    marks = [(marked.sub("", line), found) for line in printed if (found := marked.search(line))]
    files = {found[1] for _, found in marks}
    assert any(file.endswith(f"/{name}.lua") for file in files)
    assert any("/include/" in file for file in files)
    for line, found in marks:
        source = (FOLDER / found[1]).read_text().splitlines()[int(found[2]) - 1]
        assert source == "--@ verbs" or line in {source, source.removeprefix("local ")}


def test_an_unknown_name_is_an_error_that_lists_the_names(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, with exit status 2."""
    assert main(["lua", "tourn"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"flows: no script is called 'tourn'; there are {', '.join(names())}\n"
