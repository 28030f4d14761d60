"""continue_as_new: the same run begins anew, with another input and without steps."""

from __future__ import annotations

from flows.model.outcome import EventWait
from flows.model.runs.step_children import StepChildren
from tests.store.runs.run_world import RunWorld, done, run, waiting
from tests.world import attempt


def test_nothing_of_its_steps_stays(runs: RunWorld) -> None:
    """It waits behind the others, in a new visit; an event that it has taken stays taken."""
    runs.begin("1")
    runs.start(run("2"))
    runs.send("paid", "7", 1)
    children = [StepChildren("m", [run("c0", "ship"), run("c1", "ship")], limit=1)]
    runs.put(
        "1", {"a": done(1), "e": waiting("event"), "m": waiting("map", 2)}, children, [EventWait("e", "paid", "7")]
    )
    assert runs.report(attempt("continue_as_new", "1", 1, "5"), queue="order") == ["ok"]
    job = runs.job("run:1")
    assert [name for name in job if name.startswith("step:")] == []
    assert (job["input"], job["_visit"], job["_attempts"], "_open" in job) == ("5", "1", "0", False)
    assert runs.place() == {"waiting": ["2", "1"]}
    assert "settled" not in runs.snapshot()
    assert runs.run("cascade", parent="")[2] == 1  # the child that the limit has kept back
    runs.claim(2, queue="order")
    runs.put("1", {"e": waiting("event")}, waits=[EventWait("e", "paid", "7")], fence=2)
    assert runs.step("1", "e")["status"] == "waiting"
    again = [StepChildren("m", [run("d0", "ship"), run("d1", "ship")])]
    assert runs.put("1", {"m": waiting("map", 2)}, again, fence=2)[0] == "ok"
    assert runs.place("ship")["waiting"] == ["c0", "d0", "d1"]
