"""rescue: a run comes back from a worker that is lost; one that is poison has its steps undone first."""

from __future__ import annotations

import json

from tests.store.runs.run_world import RunWorld, run
from tests.world import LEASE


def lose(runs: RunWorld) -> str:
    """Claim the run, let its lease go by and rescue it; the word."""
    runs.claim(queue="order")
    runs.now += LEASE + 1
    [[_, word]] = runs.run("rescue", queue="order")
    return str(word)


def test_poison_is_undone_and_then_it_has_failed(runs: RunWorld) -> None:
    """The crashes before do not count against what follows; what does kill its workers too ends as poison for good."""
    runs.start(run("1", undo=True))
    runs.start(run("2"))
    assert [lose(runs) for _ in range(5)] == ["rescued"] * 4 + ["poison"]
    failing = json.loads(str(runs.field("1", "_failing")))
    assert (failing["as"], failing["error"]["type"]) == ("failed", "Poison")
    assert runs.place() == {"waiting": ["1", "2"]}
    assert runs.job("run:1").get("_rescues", "0") == "0"
    assert [lose(runs) for _ in range(5)] == ["rescued"] * 4 + ["poison"]
    assert runs.job("run:1")["_status"] == "failed"


def test_a_run_that_was_to_be_cancelled_is_undone_first(runs: RunWorld) -> None:
    """Its worker died before it could; without anything to undo it is cancelled at once."""
    for run_id, undo in (("1", True), ("2", False)):
        runs.begin(run_id, undo=undo)
        runs.run("cancel", id=run_id, first="order", reason="why")
    runs.now += LEASE + 1
    assert runs.run("rescue", queue="order") == [["1", "undoing"], ["2", "cancelled"]]
    assert (runs.job("run:1").get("_status"), runs.job("run:2")["_status"]) == ("waiting", "cancelled")
    assert runs.field("1", "_cancel") is None
