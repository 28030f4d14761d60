"""due_schedules: what is due, as it stands, and when the next slot is."""

from __future__ import annotations

from tests.store.schedules.stage import STEP, Stage, done, schedule
from tests.world import NOW


def test_tells_what_is_due_and_when_the_next_one_is(stage: Stage) -> None:
    """By the server's clock; the oldest slot first."""
    assert done(stage.firing.due()) == (NOW, None, [])
    stage.write(schedule("b"), schedule("a"))
    assert done(stage.firing.due()) == (NOW, STEP, [])
    stage.now = NOW + STEP
    now, left, due = done(stage.firing.due())
    assert (now, left, [(one.id, one.slot) for one in due]) == (stage.now, None, [("a", stage.now), ("b", stage.now)])
    assert due[0].fields == done(stage.recorded.read("a"))
    assert done(stage.recorded.server_ms()) == stage.now
