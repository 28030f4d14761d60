"""What is not installed is named: each command without the packages that it needs says which extra brings them."""

from __future__ import annotations

import json
import subprocess
import sys

#: Of each package that is taken away, the command that lacks it, and the extra that brings it.
LACKING = {
    "textual": (["top"], "typed-flows[cli]"),
    "watchfiles": (["run", "tests.cli.flow_of_numbers:numbers", "--reload"], "typed-flows[cli]"),
    "mcp": (["mcp"], "typed-flows[mcp]"),
    "uvicorn": (["web"], "typed-flows[web]"),
}
PROGRAM = """
import json, sys
sys.modules.update(dict.fromkeys(sys.argv[1].split(",")))
from flows.__main__ import main
for words in json.loads(sys.argv[2]):
    print(main(words))
"""


def told(lacking: list[str], commands: list[list[str]]) -> tuple[list[str], list[str]]:
    """Run commands without some packages, and return what they exit with and what they say."""
    command = [sys.executable, "-c", PROGRAM, ",".join(lacking), json.dumps(commands)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    return found.stdout.split(), found.stderr.splitlines()


def test_each_command_names_its_extra() -> None:
    """In one line, with the exit status 2; what needs none of them still works."""
    statuses, lines = told(list(LACKING), [command for command, _extra in LACKING.values()])
    assert statuses == ["2"] * len(LACKING)
    for line, (command, extra) in zip(lines, LACKING.values(), strict=True):
        assert line.startswith(f"flows: flows {command[0]}")
        assert extra in line


def test_without_the_command_line() -> None:
    """Each command of it names the extra; those about the embedded server are there."""
    statuses, lines = told(["cyclopts", "rich"], [["ls"], ["top"], ["lua", "nothing"]])
    assert statuses == ["2"] * 3
    assert ["typed-flows[cli]" in line for line in lines] == [True, True, False]
