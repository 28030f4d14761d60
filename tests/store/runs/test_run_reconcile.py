"""The reconciler of runs: a child whose hash was lost, or whose end was not told, settles all the same."""

from __future__ import annotations

from flows.model.runs.step_children import StepChildren
from tests.store.runs.run_world import RunWorld, run, waiting
from tests.world import NOW, attempt


def passes(runs: RunWorld) -> list[list[str]]:
    """Make one whole pass; what was repaired."""
    found: list[list[str]] = []
    goes_on = 1
    while goes_on:
        runs.redis.hdel(runs.keys.reconcile("run"), "at")
        _wait, goes_on, repairs = runs.run("reconcile", "order", "ship", walk=1, first="order")
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
    """Its run was moved or lost; one that waits keeps its own."""
    runs.begin("1")
    runs.suspend("1", due_ms=NOW + 99_999, keeps_slot=True)
    runs.redis.sadd(runs.key("kept", "order"), "2")
    assert passes(runs) == [["order", "2", "slot"]]
    assert runs.snapshot()["kept"] == {"order": {"1"}}
