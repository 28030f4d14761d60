"""The reconciler of runs: a child whose hash was lost, or whose end was not told, settles all the same."""

from __future__ import annotations

from flows.model.outcome import EventWait
from flows.model.runs.step_children import StepChildren
from tests.store.runs.run_world import RunWorld, run, waiting
from tests.world import NOW, attempt


def passes(runs: RunWorld) -> list[list[str]]:
    """Make one whole pass; what was repaired."""
    found: list[list[str]] = []
    goes_on = 1
    while goes_on:
        runs.redis.hdel(runs.keys.reconcile("run"), "at")
        _wait, goes_on, repairs = runs.run("reconcile", "order", "ship", first="order")
        found += repairs
    return found


def test_a_parent_goes_on_when_its_children_are_lost(runs: RunWorld) -> None:
    """One hash is gone, one child has ended and lost who waits for it; the third settles by itself."""
    runs.begin("1")
    children = [StepChildren("m", [run(f"c{n}", "ship") for n in range(3)])]
    runs.put("1", {"m": waiting("map", 3)}, children)
    runs.suspend("1", due_ms=NOW + 99_999)
    assert passes(runs) == []
    runs.redis.delete(runs.key("jobs", "run:c0"))
    runs.redis.hdel(runs.key("jobs", "run:c1"), "_parents")
    for job in runs.claim(3, queue="ship"):
        runs.report(attempt("finish", job.id, 1, "", "output", '"x"'), queue="ship")
    assert runs.redis.hget(runs.key("settled", "run:1:children:m"), "left") == "2"
    assert sorted(passes(runs)) == [["order", "c0", "settled"], ["order", "c1", "settled"]]
    assert runs.redis.hget(runs.key("settled", "run:1:children:m"), "left") == "0"
    assert runs.step("1", "m")["status"] == "done"
    assert runs.place() == {"waiting": ["1"]}


def test_a_slot_that_nobody_keeps_is_given_back(runs: RunWorld) -> None:
    """Its run was moved or lost; one that waits keeps its own, whether for something or for its turn."""
    for run_id in "123":
        runs.begin(run_id)
        awaited = [EventWait("e", "paid", run_id)]
        runs.suspend(run_id, records={"e": waiting("event")}, waits=awaited, keeps_slot=True)
    runs.send("paid", "2", 1)
    runs.run("move", id="3", first="order", target="ship")
    runs.redis.zadd(runs.key("kept", "order"), {"gone": 0})
    assert sorted(passes(runs)) == [["order", "3", "slot"], ["order", "gone", "slot"]]
    assert runs.snapshot()["kept"] == {"order": {"1": 0, "2": NOW}}
