"""The scripts of runs name a key that is not ours, before they write anything."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from flows.model.runs.schedule_definition import ScheduleDefinition
from tests.store.runs.run_world import RunWorld, done
from tests.store.schedules.stage import STEP, Stage, schedule
from tests.store.schedules.stage import done as run_until_done
from tests.world import NOW


@pytest.mark.parametrize(
    ("kind", "of"),
    [("event", "paid:7"), ("waiters", "paid:7"), ("sent", "paid:7:e"), ("sending", "run")],
)
def test_sending_an_event(runs: RunWorld, kind: str, of: str) -> None:
    """The stream, who waits, what was sent, and what is being sent."""
    key = runs.key(kind, of)
    other = "rpush" if kind == "sent" else "set"
    getattr(runs.redis, other)(key, "not ours")
    before = runs.snapshot(unseen=frozenset({kind, "call"}))
    with pytest.raises(ResponseError, match="FLOWSCONFLICT"):
        runs.send("paid", "7", 1)
    assert runs.snapshot(unseen=frozenset({kind, "call"})) == before


def test_recording_steps(runs: RunWorld) -> None:
    """Children that a limit keeps back may have to be cancelled."""
    runs.begin("1")
    runs.redis.set(runs.keys.cancelling("run"), "not ours")
    with pytest.raises(ResponseError, match="FLOWSCONFLICT"):
        runs.put("1", {"a": done(1)})
    assert runs.step("1", "a") is None


def act(stage: Stage, one: ScheduleDefinition, how: str) -> None:
    """Fire the slot that is due, or fill one that is over."""
    if how == "fire":
        stage.fire(one, NOW + STEP)
    else:
        run_until_done(stage.firing.backfill(one, one.fields()["digest"], [NOW]))


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        *(("fire", kind) for kind in ("schedules", "schedule", "fired", "waiting")),
        *(("backfill", kind) for kind in ("schedule", "fired", "waiting")),
    ],
)
def test_firing_a_slot(stage: Stage, how: str, kind: str) -> None:
    """The schedules, the one that is fired, its slots, and where its runs wait: the schedule stands where it was."""
    one = schedule()
    stage.write(one)
    stage.now = NOW + STEP
    keys = stage.recorded.keys
    key = {
        "schedules": keys.schedules(),
        "schedule": keys.schedule(one.id),
        "fired": keys.fired(one.id),
        "waiting": stage.settings.keys.waiting("report"),
    }[kind]
    due = stage.next_of(one.id)
    stage.redis.delete(key)
    stage.redis.set(key, "not ours")
    with pytest.raises(ResponseError, match="FLOWSCONFLICT"):
        act(stage, one, how)
    if kind != "schedules":
        assert stage.next_of(one.id) == due
    assert not stage.redis.exists(stage.settings.keys.lookup("run", "workflow", "report"))
