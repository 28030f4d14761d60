"""retry_job and move of runs: done steps stay; what was undone, and children that did not end as done, begin again."""

from __future__ import annotations

from flows.model.runs.past_visits import read_past
from flows.model.runs.step_children import StepChildren
from tests.store.runs.run_world import RunWorld, done, run, waiting
from tests.world import attempt


def test_only_what_is_done_and_was_not_undone_stays(runs: RunWorld) -> None:
    """Of a map, the children that are done stay as well: only the others are started again."""
    runs.begin("1")
    children = [StepChildren("m", [run("c0", "ship"), run("c1", "ship")])]
    runs.put("1", {"a": done(1), "b": done(2), "m": waiting("map", 2)}, children)
    runs.claim(2, queue="ship")
    runs.report(attempt("finish", "c0", 1, "", "output", '"x"'), attempt("fail", "c1", 1, '{"type":"E"}'), queue="ship")
    runs.put("1", {"undo:b": done(None), "on_failure": done(None)}, fields={"_failing": b'{"as":"failed","error":{}}'})
    runs.report(attempt("fail", "1", 1, '{"type":"E"}'), queue="order")
    assert runs.run("retry_job", id="1", first="order") == "retried"
    job = runs.job("run:1")
    assert [name for name in job if name.startswith(("step:", "_failing", "_ended"))] == ["step:a"]
    [past] = read_past(job["_past"].encode())
    assert (past.how, past.error, past.next >= past.ended) == ("failed", "E", True)
    assert {name: one.status for name, one in past.steps.items()} == dict.fromkeys(
        ["b", "m", "undo:b", "on_failure"], "done"
    )
    [claimed] = runs.claim(queue="order")
    again = [StepChildren("m", [run("d0", "ship"), run("d1", "ship")])]
    runs.put("1", {"m": waiting("map", 2)}, again, fence=claimed.fence)
    assert runs.place("ship") == {"waiting": ["d1"]}
    runs.claim(queue="ship")
    runs.report(attempt("finish", "d1", 1, "", "output", '"y"'), queue="ship")
    assert [child["result"] for child in runs.step("1", "m")["children"]] == ["x", "y"]


def test_what_still_waits_goes_on_to_wait(runs: RunWorld) -> None:
    """Its children are under way: how they end is kept as long as the run is open again."""
    runs.begin("1")
    runs.put("1", {"m": waiting("map", 1)}, [StepChildren("m", [run("c0", "ship")])])
    runs.report(attempt("fail", "1", 1, '{"type":"E"}'), queue="order")
    assert runs.life("settled", "run:1:children:m") > 0
    runs.run("retry_job", id="1", first="order")
    assert runs.life("settled", "run:1:children:m") == -1
    runs.claim(queue="ship")
    runs.report(attempt("finish", "c0", 1, "", "output", "7"), queue="ship")
    assert runs.step("1", "m")["children"] == [{"id": "c0", "status": "done", "result": 7}]


def test_a_run_that_is_moved_belongs_to_the_version_of_its_new_queue(runs: RunWorld) -> None:
    """In a queue that pins none, to no version; a retry changes nothing of that."""
    runs.start(run("1", "order", queue="order@=1", version="1"), run("2", "order", queue="order@=1", version="1"))
    assert runs.run("move", id="1", first="order", target="order@=2") == "moved"
    assert runs.run("move", id="2", first="order", target="order") == "moved"
    assert [runs.field(run_id, "_version") for run_id in "12"] == ["2", None]
    [claimed] = runs.claim(queue="order@=2")
    runs.report(attempt("fail", "1", claimed.fence, '{"type":"E"}'), queue="order@=2")
    assert runs.run("retry_job", id="1", first="order") == "retried"
    assert runs.field("1", "_version") == "2"
