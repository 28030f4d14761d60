"""finish: a run is done, and who waits for it gets its output as it is."""

from __future__ import annotations

from flows.model.retention import Retention
from flows.model.runs.step_children import StepChildren
from tests.store.runs.run_world import RunWorld, run, waiting
from tests.world import HOUR, KEPT, attempt


def test_its_output_settles_the_step_that_waits(runs: RunWorld) -> None:
    """Without being decoded: an empty list stays one, and a large number is not rounded."""
    runs.begin("1")
    runs.put("1", {"w": waiting("workflow", 1)}, [StepChildren("w", [run("c", "ship")])])
    runs.suspend("1")
    runs.claim(queue="ship")
    output = '{"list":[],"large":12345678901234567890}'
    assert runs.report(attempt("finish", "c", 1, "", "output", output), queue="ship") == ["ok"]
    record = (
        '{"status":"done","order":1,"kind":"workflow","total":1,"children":[{"id":"c","status":"done","result":%s}]}'
    )
    assert runs.field("1", "step:w") == record % output
    assert runs.place() == {"waiting": ["1"]}
    assert (runs.job("run:c")["_status"], runs.job("run:c")["output"]) == ("done", output)
    assert runs.lives("jobs", "run:c", KEPT[0])


def test_a_workflow_may_say_for_how_long_its_runs_are_kept(runs: RunWorld) -> None:
    """In place of what all runs have."""
    runs.begin("1", retention=Retention(done=9 * 3600, failed=1, cancelled=1))
    runs.report(attempt("finish", "1", 1, "", "output", "1"), queue="order")
    assert runs.lives("jobs", "run:1", 9 * HOUR)


def test_the_results_of_many_children_stay_beside_the_run(runs: RunWorld) -> None:
    """Over 500: the step says how many there are, and their hash lives as long as the run."""
    runs.begin("1")
    children = [StepChildren("m", [run(f"c{n}", "ship") for n in range(501)])]
    runs.put("1", {"m": waiting("map", 501)}, children)
    while claimed := runs.claim(100, queue="ship"):
        runs.report(*[attempt("finish", one.id, 1, "", "output", "1") for one in claimed], queue="ship")
    assert runs.step("1", "m") == {"status": "done", "order": 1, "kind": "map", "total": 501}
    assert runs.life("settled", "run:1:children:m") == -1
    runs.report(attempt("finish", "1", 1, "", "output", "1"), queue="order")
    assert runs.lives("settled", "run:1:children:m", KEPT[0])
