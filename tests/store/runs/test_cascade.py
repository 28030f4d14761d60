"""cascade of runs: those that a cancelled run waits for are cancelled too, a hundred a call, by whomever."""

from __future__ import annotations

from flows.model.runs.step_children import StepChildren
from tests.store.runs.run_world import RunWorld, done, run, waiting


def test_children_of_all_open_steps_are_cancelled(runs: RunWorld) -> None:
    """In parts; one that runs is asked to stop, what was emitted goes on, and those for which one waits are next."""
    runs.begin("1")
    many = StepChildren("m", [run(f"c{n}", "ship") for n in range(120)])
    runs.put("1", {"m": waiting("map", 120)}, [many])
    runs.put("1", {"w": waiting("workflow", 1)}, [StepChildren("w", [run("d", "pack")])])
    runs.put("1", {"e": done("x")}, [StepChildren("e", [run("x", "pack")], waited=False)])
    [one] = runs.claim(queue="pack")
    runs.put(one.id, {"w": waiting("workflow", 1)}, [StepChildren("w", [run("d2", "pack")])])
    runs.suspend(one.id, queue="pack")
    [running] = runs.claim(queue="ship")
    runs.suspend("1")
    assert runs.run("cancel", id="1", first="order", reason="stop") == ["cancelled", 1]
    first = runs.run("cascade", parent="")
    assert first == ["run:1", 1, 100, []]
    assert runs.run("cascade", parent="run:1") == ["run:1", 0, 21, ["run:d"]]
    assert runs.run("cascade", parent="run:d") == ["run:d", 0, 1, []]
    assert runs.run("cascade", parent="") == ["", 0, 0, []]
    statuses = {name: runs.field(name, "_status") for name in ("c1", "c119", "d", "d2", "x", running.id)}
    assert {statuses.pop("x"), statuses.pop(running.id)} == {None, "processing"}
    assert set(statuses.values()) == {"cancelled"}
    assert runs.field(running.id, "_cancel") == "stop"
    assert runs.field("c1", "_reason") == "stop"
