"""backfill: slots that are over run once, whatever the policies say."""

from __future__ import annotations

from flows.model.ids import created_at
from tests.store.schedules.stage import STEP, Stage, done, schedule
from tests.world import NOW


def words(stage: Stage, *slots: int, digest: bytes | None = None) -> list[str]:
    """Backfill slots of the schedule; a word each."""
    one = schedule()
    word, found = done(stage.firing.backfill(one, digest or one.fields()["digest"], slots))
    return [word, *[word for word, _run in found]]


def test_each_slot_runs_once(stage: Stage) -> None:
    """Also one that the schedule has fired itself; once the run of a slot is gone, it may run again."""
    stage.write(schedule())
    [run_id] = stage.fire_due(schedule())
    fired = NOW + STEP
    assert words(stage, NOW - STEP, NOW, fired) == ["filled", "started", "started", "ran"]
    assert words(stage, NOW - STEP, NOW, fired) == ["filled", "ran", "ran", "ran"]
    stage.end(run_id)
    assert words(stage, NOW, fired) == ["filled", "ran", "started"]
    assert [stage.run(one).get("_schedule") for one in stage.waiting()[1:3]] == [f"{NOW - STEP} daily", f"{NOW} daily"]


def test_a_run_has_an_id_of_now(stage: Stage) -> None:
    """So it stands among the runs of its day, and no list has it at its wrong end."""
    stage.write(schedule())
    assert words(stage, NOW - STEP) == ["filled", "started"]
    assert created_at(stage.waiting()[0]).year > 2000


def test_it_is_none_of_the_schedules_own_runs(stage: Stage) -> None:
    """What is still to come does not run, nor by a definition that was edited; the next slot is as it was."""
    stage.write(schedule())
    assert words(stage, NOW, NOW + 1) == ["filled", "started", "early"]
    assert words(stage, NOW - STEP, digest=b"another") == ["changed"]
    record = done(stage.recorded.record("daily"))
    assert record is not None
    assert (record.last_run, stage.next_of("daily")) == (None, NOW + STEP)
