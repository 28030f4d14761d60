"""Acting on jobs from a terminal: by ids, by a query that is shown first, and what the exit status says."""

from __future__ import annotations

import io
import json

import pytest
from redis import Redis

from tests.api.conftest import Left
from tests.cli.conftest import Command


def test_several_ids_are_acted_on_each_by_itself(command: Command, left_to_act: Left) -> None:
    """One that is refused is told, and keeps no other from being retried."""
    ids = left_to_act.ids
    status, out, err = command("jobs", "retry", ids["failed"], ids["waiting"], ids["failed2"], of=left_to_act)
    assert status == 2
    assert out.splitlines() == [f"{ids['failed']} retried", f"{ids['failed2']} retried"]
    assert ids["waiting"] in err


def test_ids_come_on_stdin(command: Command, left_to_act: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that one command feeds the next."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{left_to_act.ids['failed']}\n{left_to_act.ids['failed2']}\n"))
    status, out, _err = command("jobs", "cancel", "-", of=left_to_act)
    assert status == 2  # they have failed: there is nothing to cancel
    assert out == ""


def test_a_query_is_shown_and_asked_for(command: Command, left_to_act: Left) -> None:
    """Without a terminal it takes --yes; with it the action is done and waited for."""
    asked = ("jobs", "retry", "--where", "flow:shop state:failed")
    status, out, err = command(*asked, of=left_to_act)
    assert status == 2
    assert "--yes" in err
    assert left_to_act.ids["failed"] in out
    status, out, err = command(*asked, "--yes", of=left_to_act)
    assert status == 0, err
    assert "done: " in out
    assert "retried" in out
    status, out, err = command(*asked, "--yes", of=left_to_act)
    assert (status, "nothing to do" in err) == (0, True)


def test_a_job_is_moved_with_edited_fields(command: Command, left_to_act: Left) -> None:
    """By its id, and by none of a query."""
    edited = ("--to", "shop-ship", "--fields", '{"user_id": 1, "price": 2}', "--edit-params")
    status, out, err = command("jobs", "move", left_to_act.ids["failed"], *edited, of=left_to_act)
    assert (status, out.split()[1:]) == (0, ["moved"]), err
    assert command("jobs", "move", "--where", "flow:shop", *edited, of=left_to_act)[0] == 2


@pytest.mark.parametrize("words", [(), ("abc", "--where", "flow:shop")])
def test_ids_or_a_query(command: Command, words: tuple[str, ...]) -> None:
    """Not both, and not neither."""
    assert command("jobs", "cancel", *words)[0] == 2


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("jobs", "shw"), 2, "show"),
        (("jobs", "show"), 2, "id"),
        (("jobs", "show", "--colour", "x", "y"), 2, "colour"),
        (("jobs", "show", "0192f3a1-0000-7000-8000-000000000000"), 3, "0192f3a1"),
        (("jobs", "find", "colour:red", "--flow", "shop"), 2, "colour"),
        (("queues", "show", "--flow", "nothing"), 3, "nothing"),
        (("jobs", "create", "--flow", "shop", "--params", "{"), 2, "JSON"),
    ],
)
def test_what_is_wrong_is_one_line(command: Command, words: tuple[str, ...], status: int, told: str) -> None:
    """On stderr, with an exit status of its own, and nothing on stdout."""
    found, out, err = command(*words)
    assert (found, out) == (status, ""), err
    assert told in err
    assert len(err.splitlines()) == 1
    assert err.startswith("flows: ")


def test_a_server_that_is_away_is_one_line(command: Command, left: Left) -> None:
    """And the exit status 2."""
    away = Left("redis://127.0.0.1:1", "", left.ids)
    status, out, err = command("ls", of=away)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1


def test_lists_are_a_line_each(command: Command) -> None:
    """For jq and scripts; where there are more, stderr says how to go on."""
    status, out, err = command("jobs", "ls", "flow:shop", "--limit", "2", "--json")
    assert status == 0
    assert len([json.loads(line)["id"] for line in out.splitlines()]) == 2
    cursor = err.rpartition("--cursor ")[2].split()[0]
    _status, more, _err = command("jobs", "ls", "flow:shop", "--limit", "2", "--json", "--cursor", cursor)
    assert not set(out.splitlines()) & set(more.splitlines())


def test_a_terminal_obeys_nothing_of_a_job(command: Command, left_to_act: Left) -> None:
    """Escape sequences and marks that turn the direction of writing are shown as their codes."""
    job_id = left_to_act.ids["failed"]
    with Redis.from_url(left_to_act.url) as redis:
        evil = json.dumps("\x1b[2J\u202eevil", ensure_ascii=False)
        redis.hset(f"{left_to_act.namespace}job:shop:{job_id}", "email", evil)
    for words in (("jobs", "show", job_id), ("jobs", "ls", "flow:shop state:failed")):
        _status, out, _err = command(*words, of=left_to_act)
        assert "\x1b" not in out
        assert "\u202e" not in out


def test_the_tree_and_the_log(command: Command, left: Left) -> None:
    """A job without children is its own tree; a log that is empty is no error."""
    status, out, _err = command("jobs", "tree", left.ids["passed"])
    assert status == 0
    assert left.ids["passed"] in out
    assert command("jobs", "log", left.ids["failed"], "--follow")[0] == 0
    status, out, _err = command("watch", left.ids["failed"])  # half of the first of three queues
    assert (status, [line.split()[-1] for line in out.splitlines() if line.startswith("progress")]) == (1, ["17%"])


def test_health(command: Command) -> None:
    """Jobs wait in `shop`, and nobody serves it: a probe fails, and the doctor says why."""
    status, out, _err = command("check", "--flow", "shop")
    assert status == 4
    assert "shop" in out
    status, out, _err = command("doctor")
    assert status == 4
    assert "✓" in out
