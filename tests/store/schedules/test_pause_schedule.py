"""pause_schedule: a schedule is paused once, with a note, and goes on."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.store.schedules.stage import STEP, Stage, done, schedule
from tests.world import NOW


def test_a_schedule_is_paused_and_goes_on(stage: Stage) -> None:
    """It keeps since when; its slots pass meanwhile, and none of them is made up for."""
    stage.write(schedule())
    stage.now += 1
    assert done(stage.recorded.pause("daily", "too loud")) == "paused"
    stage.now += STEP
    assert done(stage.recorded.pause("daily", "far too loud")) == "was paused"
    [record] = done(stage.recorded.list())
    assert (record.paused_at, record.note) == (datetime.fromtimestamp((NOW + 1) / 1000, UTC), "far too loud")
    assert stage.fire(schedule(), NOW + STEP).slots == [("paused", "")]
    assert done(stage.recorded.pause("daily", None)) == "resumed"
    assert done(stage.recorded.pause("daily", None)) == "not paused"
    assert stage.waiting() == []
    assert stage.next_of("daily") == NOW + 2 * STEP


def test_what_is_no_schedule_is_not_paused(stage: Stage) -> None:
    """Nothing is written of it."""
    assert done(stage.recorded.pause("daily", "")) == "gone"
    assert done(stage.recorded.read("daily")) == {}
