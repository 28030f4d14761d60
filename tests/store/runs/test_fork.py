"""fork: a new run like another one, with what that has done before a step, whatever has become of it."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from flows.store.client.scripts import load
from flows.store.runs.fork import ForkAnswer
from tests.store.runs.run_world import RunWorld, done

FIRST = {
    "a": done(1, "[0,1,0]"),
    "b": done(2, "[0,1,1]"),
    "paid": b'{"status":"done","order":1,"kind":"event","result":1}',
    "c": done(3, "[1,2,0]"),
    "late": b'{"status":"done","order":2,"kind":"event","result":1}',
}


def fork(runs: RunWorld, step: str = "", given: str = "", *fields: str, lines: str = "=", source: str = "1") -> str:
    """Fork the run `1`, or another one, as `2`."""
    word: str = runs.run("fork", *fields, source=source, new_id="2", before_step=step, given=given, lookup_lines=lines)
    return word


def steps(runs: RunWorld, run_id: str = "2") -> set[str]:
    """Return the names of the steps of which something is recorded."""
    return {name[5:] for name in runs.job(f"run:{run_id}") if name.startswith("step:")}


def test_it_has_what_was_done_before_the_step(runs: RunWorld) -> None:
    """By the order in which it came, and it reads that when it is claimed: to its worker it has begun before."""
    runs.begin("1", priority=2, fields=(("tenant", b"7"),), lookups=(("workflow", "order"), ("tag", "x")))
    runs.put("1", FIRST)
    assert fork(runs, "c") == "started"
    assert steps(runs) == {"a", "b", "paid"}
    assert steps(runs, "1") == set(FIRST)
    job = runs.job("run:2")
    assert (job["_come"], job["input"], job["_priority"], job["tenant"]) == ("1", "null", "2", "7")
    assert job["_forked"] == "1 c"
    assert runs.redis.lrange(runs.keys.lookup("run", "tag", "x"), 0, -1) == ["1", "2"]
    [claimed] = runs.claim(queue="order")
    assert (claimed.id, claimed.fence, claimed.attempt, claimed.visit) == ("2", 2, 1, 0)


def test_of_no_step_it_begins_anew(runs: RunWorld) -> None:
    """Nothing of an end, of its parents or of its key is taken along."""
    runs.begin("1", key="k", key_ttl_ms=60_000)
    runs.put("1", FIRST)
    runs.edit("run:1", output="5")
    assert fork(runs) == "started"
    assert steps(runs) == set()
    assert set(runs.job("run:2")) == {"_queue", "_created", "_lookups", "_forked", "input"}
    assert runs.field("2", "_lookups") == "workflow:order"
    assert [claimed.fence for claimed in runs.claim(queue="order")] == [1]


def test_another_input_may_be_found_elsewhere(runs: RunWorld) -> None:
    """What is given takes the place of the other run's."""
    runs.begin("1", value=1, fields=(("tenant", b"7"),))
    runs.put("1", FIRST)
    assert fork(runs, "b", '{"n":2}', "tenant", "8", lines="workflow:order\nuser:62") == "started"
    job = runs.job("run:2")
    assert (job["input"], job["tenant"], job["_lookups"]) == ('{"n":2}', "8", "workflow:order\nuser:62")


def test_what_was_undone_failed_or_waits_is_not_done(runs: RunWorld) -> None:
    """It runs again; nothing that followed the failure is taken along."""
    runs.begin("1")
    failed = b'{"status":"failed","order":[0,3,0],"kind":"run","error":{"type":"E"}}'
    records = {
        **FIRST,
        "bad": failed,
        "nap": b'{"status":"waiting","kind":"sleep","until":5}',
        "undo:b": done(None, "[2,4,0]"),
        "on_failure": done(None, "[2,5,0]"),
        "gone": b'{"status":"withdrawn","order":[0,3,1],"kind":"sleep"}',
    }
    runs.put("1", records)
    assert fork(runs, "nap") == "started"
    assert steps(runs) == {*FIRST, "gone"} - {"b"}


def test_sent_twice_it_starts_one(runs: RunWorld) -> None:
    """The second time nothing is written."""
    runs.begin("1")
    runs.put("1", FIRST)
    fork(runs, "c")
    before = runs.snapshot()
    assert fork(runs, "c") == "started"
    assert runs.snapshot() == before


@pytest.mark.parametrize(("step", "source", "word"), [("z", "1", "unknown"), ("", "9", "gone")])
def test_what_cannot_be_forked_is_not(runs: RunWorld, step: str, source: str, word: str) -> None:
    """Of a step that it has not, or of a run that is gone."""
    runs.begin("1")
    runs.put("1", FIRST)
    before = runs.snapshot()
    assert fork(runs, step, source=source) == word
    runs.edit("run:1", _queue="taken")
    runs.redis.set(runs.keys.waiting("taken"), "not ours")
    assert fork(runs) == "conflict"
    runs.redis.hdel(runs.key("jobs", "run:1"), "_queue")
    assert fork(runs) == "conflict"
    runs.edit("run:1", _queue="order")
    runs.redis.delete(runs.keys.waiting("taken"))
    assert runs.snapshot() == before


def test_the_results_of_many_children_are_copied(runs: RunWorld) -> None:
    """They stand beside the hash, and live as long as the new run."""
    runs.begin("1")
    runs.put("1", {"m": b'{"status":"done","order":1,"kind":"map","total":2}', "z": done(1, "[1,1,0]")})
    side = runs.key("settled", "run:1:children:m")
    runs.redis.hset(side, mapping={"0": "{}", "1": "{}"})
    runs.redis.pexpire(side, 5_000)
    assert fork(runs, "z") == "started"
    copied = runs.key("settled", "run:2:children:m")
    assert (runs.redis.hlen(copied), runs.redis.pttl(copied)) == (2, -1)
    assert runs.field("2", "_lookups").split("\n")[0] == "#side:2:children:m"


def test_many_steps_are_copied(runs: RunWorld) -> None:
    """More than one command takes."""
    runs.begin("1")
    many = {f"s{number}": done(number, f"[0,{number + 1},0]") for number in range(2_500)}
    for start in range(0, 2_500, 500):
        runs.put("1", dict([*many.items()][start : start + 500]))
    assert fork(runs, "s2400") == "started"
    assert len(steps(runs)) == 2_400
    assert json.loads(runs.job("run:2")["step:s2399"])["result"] == 2399


def test_the_header_and_the_type_have_the_same_words() -> None:
    """Neither has one that the other lacks."""
    assert sorted(load("fork", "runs").words) == sorted(get_args(ForkAnswer))
