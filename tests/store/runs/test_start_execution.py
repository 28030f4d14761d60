"""start_execution: an execution of a task tree begins with its run, in one step."""

from __future__ import annotations

from typing import Any

import pytest

from flows.model.runs.new_run import NewRun
from flows.store.client.scripts import Argument
from flows.store.runs.new_runs import run_arguments
from tests.store.runs.run_world import RunWorld, run
from tests.store.trees.tree_world import DONE, TreeWorld, begun


@pytest.fixture
def trees(runs: RunWorld) -> TreeWorld:
    """Return instances beside the runs."""
    return TreeWorld(runs.redis, runs.namespace)


def start(runs: RunWorld, *executions: tuple[str, NewRun], if_revision: int = 1) -> list[list[Any]]:
    """Begin executions of instances, each by the run of its id; the answers."""
    rest = list[Argument]()
    for instance_id, one in executions:
        rest += [*begun(one.id, if_revision, instance_id=instance_id), *run_arguments(one)]
    answers: list[list[Any]] = runs.run("start_execution", *rest)
    return answers


def test_both_stand_or_neither(runs: RunWorld, trees: TreeWorld) -> None:
    """Who may not begin starts nothing; what is sent twice is done once."""
    for name in ("a", "b"):
        trees.create(name)
    trees.begin("r0", instance_id="b")
    executions = (("a", run("r1")), ("b", run("r2")), ("c", run("r3")), ("a", run("r4")))
    answers = start(runs, *executions)
    assert answers == [["begun", "r1", 2], ["busy", "r0", 2], ["gone", "", 0], ["busy", "r1", 2]]
    assert (trees.hash("tree", "a")["_run"], runs.snapshot()["waiting"]) == ("r1", {"order": ["r1"]})
    before = runs.snapshot()
    assert start(runs, *executions)[0] == ["same", "r1", 2]
    assert runs.snapshot() == before
    [claimed] = runs.claim(queue="order")
    assert claimed.id == "r1"


def test_a_run_that_stands_already_is_not_started_again(runs: RunWorld, trees: TreeWorld) -> None:
    """As where an execution was to begin later, by its run."""
    trees.create()
    runs.begin("r1")
    before = runs.snapshot()["jobs"]
    assert start(runs, ("0193", run("r1"))) == [["begun", "r1", 2]]
    assert runs.snapshot()["jobs"] == before
    trees.write(execution="r1", end_record=DONE)
    assert start(runs, ("0193", run("r2")), if_revision=3) == [["begun", "r2", 4]]
    assert runs.snapshot()["waiting"] == {"order": ["r2"]}


@pytest.mark.parametrize("wrong", ["queue:order:meta", "job:run:workflow:order"])
def test_what_is_in_the_way_of_a_run_is_in_that_of_its_execution(runs: RunWorld, trees: TreeWorld, wrong: str) -> None:
    """Nothing of it is written; the other executions of the call begin."""
    for name in ("a", "b"):
        trees.create(name)
    runs.redis.set(f"{runs.namespace}{wrong}", "not ours")
    first, second = start(runs, ("a", run("r1")), ("b", run("r2", "ship")))
    assert (first[0], first[2], second) == ("conflict", 0, ["begun", "r2", 2])
    assert "holds a string where flows keeps" in first[1]
    assert "_run" not in trees.hash("tree", "a")
    assert runs.snapshot()["waiting"] == {"ship": ["r2"]}


def test_who_waits_for_work_is_woken_and_who_watches_is_told(runs: RunWorld, trees: TreeWorld) -> None:
    """As by `start`, and as by `begin_execution`."""
    trees.create()
    with trees.told() as told:
        start(runs, ("0193", run("r1")))
    assert told == [""]
    assert runs.redis.exists(runs.keys.wake("order")) == 1
