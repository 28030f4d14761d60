"""What an operator wishes, one command each, where the program that left the jobs is gone and cannot be imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.api.conftest import Left

#: Runs commands one after the other in one interpreter, and prints of each its words, exit status and stdout.
PROGRAM = """
import contextlib, io, json, sys
sys.modules["tests"] = None  # as if it were deleted: an import of it is an error
from flows.__main__ import main

where, said = sys.argv[1:5], []
for line in sys.stdin:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        status = main([*json.loads(line), *where])
    said.append([status, out.getvalue()])
print(json.dumps(said))
"""


def commands(left: Left, where: Path, *lines: list[str]) -> list[str]:
    """Run commands in an empty directory; each exits with 0. Return what they print."""
    asked = [sys.executable, "-I", "-c", PROGRAM, "--redis-url", left.url, "--namespace", left.namespace]
    given = "\n".join(map(json.dumps, lines))
    found = subprocess.run(asked, cwd=where, input=given, capture_output=True, text=True, timeout=100, check=False)
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    assert [status for status, _out in told] == [0] * len(lines), (told, found.stderr)
    return [out for _status, out in told]


def rows(text: str) -> list[dict[str, Any]]:
    """Return the objects of a list."""
    return [json.loads(line) for line in text.splitlines()]


def test_what_an_operator_wishes(left_to_act: Left, tmp_path: Path) -> None:
    """What waits; the jobs of user 7; why one does not run; retry all that failed; who raised a limit.

    And what he does: a job is created by the schema that the flow has left, found, cancelled, retried.
    """
    ids = left_to_act.ids
    waits, of_user, why, all_retried, _limit, who, made, found, cancelled, retried, shown = commands(
        left_to_act,
        tmp_path,
        ["ls", "--json"],
        ["jobs", "ls", "flow:shop user_id:7", "--json"],
        ["explain", ids["waiting"], "--json"],
        ["jobs", "retry", "--where", "flow:shop state:failed", "--yes"],
        ["queues", "set-limit", "shop-ship", "shop-ship:1", "9"],
        ["audit", "--doing", "queues.set_limit", "--json"],
        ["jobs", "create", "shop", '{"user_id": 70, "tags": ["new"]}', "--json"],
        ["jobs", "find", "flow:shop tags:new", "--json"],
        ["jobs", "cancel", ids["waiting"]],
        ["jobs", "retry", ids["waiting"], ids["cancelled"]],
        ["jobs", "show", ids["failed"], "--json"],
    )
    queues = {row["name"]: row for row in rows(waits)}
    assert (queues["shop-price"]["waiting"], queues["shop-price"]["failed"]) == (1, 2)
    assert queues["shop-price"]["unserved"]
    assert {row["id"] for row in rows(of_user)} == {ids["failed"], ids["failed2"]}
    assert "no process has workers of it" in json.loads(why)["sentence"]
    assert "done: 2 retried" in all_retried
    done, _asked = rows(who)
    assert "@" in done["caller"]
    assert (done["word"], done["given"]["limiter"], done["given"]["reservoir"]) == ("set", "shop-ship:1", 9)
    assert [row["id"] for row in rows(found)] == [json.loads(made)["id"]]
    assert cancelled.split() == [ids["waiting"], "cancelled"]
    assert [line.split()[1] for line in retried.splitlines()] == ["retried", "retried"]
    assert json.loads(shown)["state"] == "waiting"
