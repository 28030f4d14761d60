"""cancel: a run ends as cancelled, unless something is to be undone first."""

from __future__ import annotations

import json

import pytest

from flows.model.runs.step_children import StepChildren
from tests.store.runs.run_world import RunWorld, run, waiting
from tests.world import NOW, attempt, cancel


def ask(runs: RunWorld, run_id: str = "1") -> list[object]:
    """Cancel a run from outside."""
    answer: list[object] = runs.run("cancel", id=run_id, first="order", reason='say "no"')
    return answer


def test_ends_a_run_that_nobody_works_on_and_tells_who_waits_for_it(runs: RunWorld) -> None:
    """One that runs is asked to stop, and its worker ends it."""
    runs.begin("1")
    runs.put("1", {"w": waiting("workflow", 1)}, [StepChildren("w", [run("c", "ship")])])
    assert ask(runs, "c") == ["cancelled", 0]
    # It is not done: its hash stays, so that a retry of the run starts it again.
    assert runs.step("1", "w") == {"status": "done", "order": 1, "kind": "workflow", "total": 1}
    side = runs.redis.hgetall(runs.key("settled", "run:1:children:w"))
    assert json.loads(side["0"]) == {"id": "c", "status": "cancelled", "reason": 'say "no"'}
    assert ask(runs) == ["requested", 0]
    assert runs.report(cancel("1"), queue="order") == ["cancelled"]
    assert (runs.job("run:1")["_status"], runs.job("run:1")["_reason"]) == ("cancelled", 'say "no"')


@pytest.mark.parametrize("state", ["waiting", "suspended", "processing"])
def test_one_that_has_something_to_undo_goes_back_for_that(runs: RunWorld, state: str) -> None:
    """To the head, with how it ends then; asked again, nothing changes; the attempt that ends it does end it."""
    runs.start(run("1", undo=True))
    if state != "waiting":
        runs.claim(queue="order")
    runs.start(run("2"))
    if state == "suspended":
        runs.suspend("1", due_ms=NOW + 99)
    assert ask(runs) == ["requested", 0]
    if state == "processing":
        assert runs.report(cancel("1"), queue="order") == ["undoing"]
    assert runs.place() == {"waiting": ["1", "2"]}
    failing = runs.field("1", "_failing")
    assert json.loads(failing) == {"as": "cancelled", "reason": 'say "no"'}
    assert ask(runs) == ["requested", 0]
    [claimed] = runs.claim(queue="order")
    assert claimed.attempt == 1
    assert ask(runs) == ["requested", 0]
    runs.suspend("1", fence=claimed.fence, due_ms=NOW)
    [claimed] = runs.claim(queue="order")
    assert runs.report(attempt("cancel", "1", claimed.fence, "why"), queue="order") == ["cancelled"]
    assert runs.job("run:1")["_status"] == "cancelled"
