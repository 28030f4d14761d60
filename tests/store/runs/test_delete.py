"""delete: a run with all that stands beside it; who waits for it goes on."""

from __future__ import annotations

from flows.model.outcome import EventWait
from flows.model.runs.step_children import StepChildren
from tests.store.runs.run_world import RunWorld, run, waiting
from tests.world import attempt


def test_nothing_of_it_stays_and_its_parent_goes_on(runs: RunWorld) -> None:
    """Runs that it has started are on their own, but for those that its limit keeps back."""
    runs.begin("1")
    runs.put("1", {"w": waiting("workflow", 1)}, [StepChildren("w", [run("c", "ship")])])
    runs.claim(queue="ship")
    children = [StepChildren("m", [run("d0", "pack"), run("d1", "pack")], limit=1)]
    runs.put("c", {"m": waiting("map", 2), "e": waiting("event")}, children)
    runs.suspend("c", queue="ship", waits=[EventWait("e", "paid", "7")])
    assert runs.run("delete", id="c", first="order") == ["deleted", []]
    found = runs.snapshot()
    assert sorted(found["jobs"]) == ["run:1", "run:d0", "run:d1"]
    assert runs.redis.hget(runs.key("settled", "run:1:children:w"), "0") == '{"id":"c","status":"deleted"}'
    assert runs.step("1", "w")["status"] == "done"
    assert "run:c:children:m" not in found["settled"]
    assert "waiters" not in found
    assert "run:workflow:ship" not in found["lookups"]
    assert runs.run("cascade", parent="")[2] == 1
    runs.claim(queue="pack")
    assert runs.report(attempt("finish", "d0", 1, "", "output", "1"), queue="pack") == ["ok"]
