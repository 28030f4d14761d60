"""delete_schedule: one that was made by hand goes; one that is declared stays."""

from __future__ import annotations

from tests.store.schedules.stage import Stage, done, schedule


def test_one_that_was_made_by_hand_goes(stage: Stage) -> None:
    """And nothing of it comes due any more."""
    stage.write(schedule(), app="")
    assert done(stage.recorded.delete("daily")) == ("deleted", "")
    assert done(stage.recorded.delete("daily")) == ("gone", "")
    assert done(stage.recorded.list()) == []
    assert done(stage.recorded.read("daily")) == {}


def test_one_that_an_app_declares_stays(stage: Stage) -> None:
    """Its workers would write it again; once none of them does, it can be deleted."""
    stage.write(schedule())
    stage.see("daily")
    assert done(stage.recorded.delete("daily")) == ("declared", "shop")
    stage.now += 30_001
    assert done(stage.recorded.delete("daily")) == ("deleted", "")
    assert not stage.redis.exists(stage.recorded.keys.declared("shop"))
