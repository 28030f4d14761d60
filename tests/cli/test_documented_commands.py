"""Each command that a page shows is one that there is, with options that it has."""

from __future__ import annotations

import re
import shlex
from itertools import takewhile
from pathlib import Path

import pytest

from flows.__main__ import _app

_ROOT = Path(__file__).parents[2]
_PAGES = sorted([*_ROOT.glob("*.md"), *(_ROOT / "docs").rglob("*.md")])
_BLOCK = re.compile(r"^```\w*\n(.*?)^```|((?:^ {4}.*\n)+)", re.MULTILINE | re.DOTALL)
#: A line of a shell, of a systemd unit, a container's list of words, and one of YAML.
_SHELL = re.compile(r"^(?: {4})?(?:\$ )?((?:FLOWS_\w+=\S+ )?flows [a-z].*)$", re.MULTILINE)
_UNIT = re.compile(r"^ExecStart=\S+/(flows .*)$", re.MULTILINE)
_LIST = re.compile(r'(?:CMD|command:|"args":) ?\[(?:"flows"|flows), (.*?)\]')


def commands(text: str) -> list[list[str]]:
    """Return the words of each command on a page, without `flows`."""
    blocks = "\n".join(block for found in _BLOCK.findall(text) for block in found)
    shell = [shlex.split(line, comments=True) for line in _SHELL.findall(blocks)]
    unit = [shlex.split(line) for line in _UNIT.findall(blocks)]
    listed = [["flows", *(word.strip(" \"'") for word in words.split(","))] for words in _LIST.findall(text)]
    found = [words[words.index("flows") + 1 :] for words in [*shell, *unit, *listed]]
    return [list(takewhile(lambda word: word not in {"&", "&&", "|", ">"}, words)) for words in found]


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))
def test_a_command_on_a_page_is_one(page: Path) -> None:
    """It is read as the command line would, and not run."""
    for words in commands(page.read_text("utf-8")):
        if words[0] == "lua" or words[:2] in (["server", "status"], ["server", "stop"]):
            continue  # without the extra `cli`: tests/cli/test_server.py, test_lua.py
        _app().parse_args(words, print_error=False, exit_on_error=False)


def test_there_are_commands_on_pages() -> None:
    """Of each kind."""
    found = [words for page in _PAGES for words in commands(page.read_text("utf-8"))]
    assert {"run", "web", "ls", "jobs", "explain", "demo"} <= {words[0] for words in found}
    assert len(found) > 20
