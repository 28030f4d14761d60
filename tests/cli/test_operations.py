"""Every operation as a command, asked for by every kind of caller, as the registry declares it."""

from __future__ import annotations

import json

import pytest

from flows.api import operations
from tests.api.callers import OF_ALL, given
from tests.api.conftest import Left
from tests.api.shop import CANARY
from tests.cli.conftest import Command

EVERY = sorted(operations())


def words(name: str, left: Left) -> list[str]:
    """Return the words of a command: each param by its name."""
    operation = operations()[name]
    told = [operation.group, operation.verb.replace("_", "-")]
    for key, value in given(name, left.ids).items():
        if key == "id" and name in {"jobs.retry", "jobs.cancel", "jobs.delete", "jobs.move"}:
            told.append(str(value))
        elif isinstance(value, bool):
            told.append(f"--{key.replace('_', '-')}" if value else f"--no-{key.replace('_', '-')}")
        elif isinstance(value, list):
            told += [word for one in value for word in (f"--{key.replace('_', '-')}", str(one))]
        else:
            told += [f"--{key.replace('_', '-')}", json.dumps(value) if isinstance(value, dict) else str(value)]
    return told


@pytest.mark.parametrize("name", EVERY)
def test_each_caller_may_what_its_role_may(command: Command, left: Left, name: str) -> None:
    """By the environment: a viewer looks, nobody is refused all, and another flow is not told of."""
    operation, asked = operations()[name], words(name, left)
    status, out, err = command(*asked, "--json", env={"FLOWS_ROLE": "viewer"})
    if operation.role == "viewer":
        assert status in {0, 4, 5}, (err, out)
        assert all(json.loads(line) is not None for line in out.splitlines())
    else:
        assert (status, out) == (2, "")
        assert "operator" in err
    assert command(*asked, env={"FLOWS_ROLE": "nobody"})[0] == 2
    status, out, err = command(*asked, env={"FLOWS_ONLY": "other"})
    if name in OF_ALL:
        assert "shop" not in out
    else:
        assert status in {2, 3}, (out, err)


@pytest.mark.parametrize("name", [name for name in EVERY if not operations()[name].acts])
def test_what_is_hidden_is_in_no_output(command: Command, left: Left, name: str) -> None:
    """Neither in a table nor in JSON."""
    for more in ((), ("--json",)):
        _status, out, err = command(*words(name, left), *more, env={"FLOWS_HIDE": "email"})
        assert CANARY not in out + err


@pytest.mark.parametrize("name", [name for name in EVERY if not operations()[name].acts])
def test_each_answer_has_a_form_for_people(command: Command, left: Left, name: str) -> None:
    """A table or lines, with what is told and without braces around it."""
    status, out, err = command(*words(name, left))
    assert status in {0, 4, 5}, err
    assert out or "nothing" in err or "still" in err
    assert "View(" not in out


def test_a_query_needs_no_quotes(command: Command) -> None:
    """All the words that are left are of it, wherever options stand."""
    quoted = command("jobs", "ls", "flow:shop state:failed", "--json")[1]
    assert command("jobs", "ls", "flow:shop", "state:failed", "--json")[1] == quoted != ""
    assert command("jobs", "find", "--json", "flow:shop", "state:failed")[1] == quoted
    assert command("bulk", "preview", "retry", "flow:shop", "state:failed")[0] == 0
