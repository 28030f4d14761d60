"""record: what steps of runs have done, by the attempt that has the run and no other; and the runs that they start."""

from __future__ import annotations

import pytest

from flows.model.outcome import EventWait
from flows.model.runs.step_children import StepChildren
from flows.store.runs.records import OneRecord, Owner, pack_writes
from tests.store.runs.run_world import RunWorld, done, run, unpacked, waiting
from tests.world import attempt

CHILDREN = StepChildren("m", [run(f"c{index}", "ship", index) for index in range(3)], limit=2)


def test_writes_for_many_runs_and_only_for_those_that_are_had(runs: RunWorld) -> None:
    """A word each: another worker's attempt, an older one and a hash that is gone write nothing."""
    runs.begin("1")
    runs.begin("2")
    owners = [Owner("w1", "1", 1), Owner("w2", "2", 1), Owner("w1", "2", 0), Owner("w1", "3", 1)]
    writes = [write for owner in owners for write in pack_writes(owner, {"a": done(5)}, (), (), {"_undo": b"1"})]
    answers = runs.run("record", *[part for write in writes for part in unpacked(write)])
    assert [word for word, *_ in answers] == ["ok", "stale", "stale", "gone"]
    assert (runs.step("1", "a")["result"], runs.field("1", "_undo")) == (5, "1")
    assert runs.step("2", "a") is None
    assert "run:3" not in runs.snapshot()["jobs"]


def test_the_record_of_one_step_is_packed_as_all_writes_are() -> None:
    """The quick way to pack it, which most steps go, comes to the same bytes: else the script reads something else."""
    owner, raw = Owner("host.1.ä", "0" * 36, 12), b'{"status":"done","result":"\xc3\xa4\r\n"}'
    for name in ("a", "Größe"):
        assert [OneRecord(owner).pack(name, raw)] == [*pack_writes(owner, {name: raw}, (), (), {})]


def test_children_stand_once_and_as_many_begin_as_the_limit_says(runs: RunWorld) -> None:
    """Sent twice, and by a later attempt with other ids, no child is started again; the third waits for its turn."""
    runs.begin("1")
    for _ in range(2):
        assert runs.put("1", {"m": waiting("map", 3)}, [CHILDREN])[0] == "ok"
    again = StepChildren("m", [run(f"d{index}", "ship", index) for index in range(3)], limit=2)
    assert runs.put("1", {}, [again])[0] == "ok"
    assert runs.snapshot()["settled"] == {
        "run:1:children:m": {
            "total": "3", "left": "3", "built": "3", "out": "2", "0": "c0", "1": "c1", "2": "c2"
        }
    }  # fmt: skip
    assert runs.place("ship") == {"waiting": ["c0", "c1"], "delayed": ["c2"]}
    assert (runs.field("1", "_open"), runs.field("c2", "_parents")) == ("m", "1 m 2")
    for child in ("c0", "c1", "c2"):
        assert runs.claim(queue="ship", want=1)[0].id == child
        runs.report(attempt("finish", child, 1, "", "output", f'"{child}"'), queue="ship")
    assert runs.step("1", "m") == {
        "status": "done",
        "order": 1,
        "kind": "map",
        "total": 3,
        "children": [{"id": f"c{index}", "status": "done", "result": f"c{index}"} for index in range(3)],
    }
    found = runs.snapshot()
    assert "settled" not in found
    assert "next" not in found
    assert runs.field("1", "_open") is None


def test_a_part_that_comes_late_joins_nothing_early(runs: RunWorld) -> None:
    """What is left is the total from the first part on: children that end before the last part is there do not join."""
    runs.begin("1")
    parts = [StepChildren("m", [run(f"c{index}", "ship") for index in range(75)])]
    first, second = pack_writes(Owner("w1", "1", 1), {"m": waiting("map", 75)}, parts, (), {})
    assert runs.write(first)[0] == "ok"
    for child in runs.claim(100, queue="ship"):
        runs.report(attempt("finish", child.id, 1, "", "output", "1"), queue="ship")
    assert runs.step("1", "m")["status"] == "waiting"
    assert runs.redis.hget(runs.key("settled", "run:1:children:m"), "left") == "25"
    assert runs.write(second)[0] == "ok"
    assert len(runs.place("ship")["waiting"]) == 25


@pytest.mark.parametrize("verb", ["cancel", "delete"])
def test_a_child_that_ends_while_a_limit_keeps_it_back_lets_no_other_begin(runs: RunWorld, verb: str) -> None:
    """It took no place; and when a place is free, the one behind it has it."""
    runs.begin("1")
    runs.put("1", {"m": waiting("map", 3)}, [StepChildren("m", CHILDREN.runs, limit=1)])
    runs.run(verb, id="c1", first="ship", **({"reason": ""} if verb == "cancel" else {}))
    assert runs.place("ship") == {"waiting": ["c0"], "delayed": ["c2"]}
    runs.claim(queue="ship")
    runs.report(attempt("finish", "c0", 1, "", "output", "1"), queue="ship")
    assert runs.place("ship") == {"waiting": ["c2"]}
    runs.claim(queue="ship")
    runs.report(attempt("finish", "c2", 1, "", "output", "1"), queue="ship")
    assert runs.step("1", "m")["status"] == "done"


def test_a_child_counts_once(runs: RunWorld) -> None:
    """It failed, is retried by hand and is done: what the step has seen of it stays, and the other is waited for."""
    runs.begin("1")
    runs.put("1", {"m": waiting("map", 2)}, [StepChildren("m", [run("c0", "ship"), run("c1", "ship")])])
    runs.claim(queue="ship")
    runs.report(attempt("fail", "c0", 1, '{"type":"E"}'), queue="ship")
    runs.run("retry_job", id="c0", first="ship")
    assert [job.id for job in runs.claim(2, queue="ship")] == ["c1", "c0"]
    runs.report(attempt("finish", "c0", 2, "", "output", "1"), queue="ship")
    side = runs.redis.hgetall(runs.key("settled", "run:1:children:m"))
    assert (side["left"], '"failed"' in side["0"]) == ("1", True)
    assert runs.step("1", "m")["status"] == "waiting"


def test_a_run_that_fails_is_not_stopped_by_a_cancel_any_more(runs: RunWorld) -> None:
    """It came just before: what is to be undone is undone, and the worker that was asked to stop hands the run back."""
    runs.begin("1", undo=True)
    runs.run("cancel", id="1", first="order", reason="why")
    runs.put("1", {}, fields={"_failing": b'{"as":"failed","error":{}}'})
    assert runs.report(attempt("release", "1", 1), queue="order") == ["ok"]
    assert runs.place() == {"waiting": ["1"]}


def test_another_number_of_children_is_a_changed_plan(runs: RunWorld) -> None:
    """Nothing of such a write stands."""
    runs.begin("1")
    runs.put("1", {"m": waiting("map", 3)}, [CHILDREN])
    word, _, why = runs.put("1", {"b": done(1)}, [StepChildren("m", [run("x", "ship")])])
    assert (word, why) == ("changed", "the step has started 3 runs")
    assert runs.step("1", "b") is None


@pytest.mark.parametrize("ended", [True, False])
def test_a_child_with_a_key_joins_the_run_that_has_it(runs: RunWorld, *, ended: bool) -> None:
    """It settles the step when it ends, or has ended; with other input nothing is written."""
    key = {"key": "k", "key_ttl_ms": 60_000}
    runs.start(run("9", "ship", value=1, **key))
    finished = attempt("finish", "9", 1, "", "output", "7")
    runs.begin("1")
    if ended:
        runs.claim(queue="ship")
        runs.report(finished, queue="ship")
    refused = runs.put("1", {"w": waiting("workflow", 1)}, [StepChildren("w", [run("c", "ship", value=2, **key)])])
    assert refused == ["different", 0, "9"]
    assert runs.step("1", "w") is None
    runs.put("1", {"w": waiting("workflow", 1)}, [StepChildren("w", [run("c", "ship", value=1, **key)])])
    if not ended:
        assert runs.field("9", "_parents") == "1 w 0"
        runs.claim(queue="ship")
        runs.report(finished, queue="ship")
    assert runs.step("1", "w")["children"] == [{"id": "9", "status": "done", "result": 7}]


def test_what_is_emitted_has_no_parent(runs: RunWorld) -> None:
    """With a key, the record names the run that has it, and the answer says that something has come."""
    runs.begin("1")
    runs.put("1", {"e": done("c")}, [StepChildren("e", [run("c", "ship")], waited=False)])
    assert runs.field("c", "_parents") is None
    runs.start(run("9", "ship", key="k", key_ttl_ms=60_000))
    emitted = StepChildren("f", [run("d", "ship", key="k", key_ttl_ms=60_000)], waited=False)
    assert runs.put("1", {"f": waiting("emit")}, [emitted])[:2] == ["ok", 1]
    assert runs.step("1", "f") == {"status": "done", "order": 1, "kind": "emit", "result": "9"}


def test_an_event_that_is_there_settles_its_step_at_once(runs: RunWorld) -> None:
    """The run joins the waiters of the other, and its position is behind what it has taken."""
    runs.begin("1")
    runs.send("paid", "7", {"x": []})
    waits = [EventWait("a", "paid", "7"), EventWait("b", "paid", "8")]
    assert runs.put("1", {"a": waiting("event"), "b": waiting("event")}, waits=waits)[:2] == ["ok", 1]
    assert runs.step("1", "a")["result"] == {"x": []}
    assert [*runs.snapshot()["waiters"]] == ["paid:8"]
    runs.put("1", {"c": waiting("event")}, waits=[EventWait("c", "paid", "7")])
    assert runs.step("1", "c")["status"] == "waiting"
    runs.send("paid", "7", 2, event_id="f")
    assert runs.step("1", "c")["result"] == 2


def test_a_step_that_is_decided_otherwise_lets_its_children_go_on(runs: RunWorld) -> None:
    """They count no more; those that its limit keeps back never begin."""
    runs.begin("1")
    runs.put("1", {"m": waiting("map", 3)}, [CHILDREN])
    runs.put("1", {"m": b'{"status":"withdrawn","order":[0,2,0],"kind":"map"}'})
    found = runs.snapshot()
    assert "settled" not in found
    assert runs.field("1", "_open") is None
    [(name, _)] = found["cancelling"]["run"].items()
    assert runs.run("cascade", parent="")[:3] == [name, 0, 1]
    assert runs.field("c2", "_status") == "cancelled"
    assert runs.place("ship") == {"waiting": ["c0", "c1"]}
