"""see_schedules: what an app's code declares no more goes, once no process of it does."""

from __future__ import annotations

import pytest

from flows.model.schedules.every import Every
from tests.store.schedules.stage import Stage, done, schedule


def ids(stage: Stage) -> list[str]:
    """Return which schedules are there."""
    return sorted(one.id for one in done(stage.recorded.list()))


def test_what_nobody_declares_for_half_a_minute_goes(stage: Stage) -> None:
    """While an old release still says it, it stays; another app's and one that was made by hand always."""
    stage.write(schedule("a"), schedule("b"))
    stage.write(schedule("other"), app="billing")
    stage.write(schedule("by-hand"), app="")
    assert stage.see("a", "b") == ([], [])
    assert stage.see("other", app="billing") == ([], [])
    stage.now += 20_000
    assert stage.see("a") == stage.see("a", "b") == ([], [])
    stage.now += 30_000
    assert stage.see("a") == ([], [])
    stage.now += 1
    assert stage.see("a") == ([], ["b"])
    assert ids(stage) == ["a", "by-hand", "other"]


def test_what_is_missing_is_told(stage: Stage) -> None:
    """A process that was away for a minute writes again what was deleted meanwhile; nothing of another app's."""
    stage.write(schedule("other"), app="billing")
    assert stage.see("a", "other") == (["a", "other"], [])
    stage.write(schedule("a"))
    assert stage.see("a") == ([], [])


def test_what_a_deploy_script_keeps_stays_until_the_next_one(stage: Stage) -> None:
    """No worker has to run; the next script drops it, as soon as no process declares it."""
    stage.write(schedule("a"), schedule("b"))
    stage.see("a", "b", how="kept")
    stage.now += 86_400_000
    for _ in range(3):
        stage.now += 86_400_000
        assert stage.see("b") == ([], [])
    assert stage.write(schedule("a"), app="billing") == ["taken"]
    assert stage.see("b", how="kept") == ([], [])
    stage.now += 30_001
    assert stage.see("b") == ([], ["a"])
    stage.now += 86_400_000
    assert stage.see() == ([], [])
    assert ids(stage) == ["b"]


def test_what_another_app_has_taken_over_stays(stage: Stage) -> None:
    """The app that had it forgets it, and deletes nothing."""
    stage.write(schedule("a"))
    stage.see("a")
    stage.now += 30_001
    due = stage.next_of("a")
    assert stage.write(schedule("a"), app="billing") == ["unchanged"]
    assert stage.see() == ([], [])
    assert ids(stage) == ["a"]
    assert stage.next_of("a") == due


@pytest.mark.parametrize(("edited", "word"), [(False, "unchanged"), (True, "written")])
def test_what_moves_to_another_app_loses_no_slot(stage: Stage, edited: bool, word: str) -> None:  # noqa: FBT001
    """While both declare it, it is that one's which had it; then the other one has it at once, and writes its own."""
    stage.write(schedule("a"), schedule("b"), schedule("c"))
    stage.write(schedule("d"), app="")
    stage.see("a", "b", "c")
    mine = schedule("a", Every(7)) if edited else schedule("a")
    for _ in range(3):
        stage.now += 10_000
        assert stage.see("a", "b", "d", app="billing") == (["a", "b", "d"], [])
        assert stage.write(mine, schedule("b"), app="billing") == ["taken", "taken"]
    stage.now += 1
    stage.see("a", app="billing")  # it has dropped b again, but not for half a minute
    due = stage.next_of("a")
    assert stage.see() == ([], ["c"])
    assert ids(stage) == ["a", "b", "d"]
    assert stage.next_of("a") == due
    assert stage.see("a", app="billing")[0] == ["a"]
    assert stage.write(mine, app="billing") == [word]
    assert stage.see("a", app="billing")[0] == []
    stage.now += 30_001
    assert stage.see("a", app="billing") == ([], ["b"])


def test_a_slot_does_not_run_again_when_its_schedule_comes_back(stage: Stage) -> None:
    """Which run each slot has is kept for a month, and without an end once the schedule is there again."""
    stage.write(schedule("a"))
    stage.see("a")
    stage.fire_due(schedule("a"))
    stage.now += 60_000
    assert stage.see() == ([], ["a"])
    fired = stage.recorded.keys.fired("a")
    assert 30 * 86_400_000 < stage.redis.pttl(fired) <= 31 * 86_400_000
    stage.write(schedule("a"))
    assert stage.redis.pttl(fired) == -1
