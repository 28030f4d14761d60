"""fire: a slot is fired once, whoever comes and however often, and each policy is kept."""

from __future__ import annotations

from typing import get_args

import pytest

from flows.model.runs.new_run import RUN_FLOW
from flows.model.runs.schedule_definition import ScheduleDefinition
from flows.model.schedules.every import Every
from flows.model.state import JobState
from flows.store.client.scripts import load
from flows.store.jobs.control import Control
from flows.store.schedules.firing import BackfillAnswer, FireAnswer
from tests.store.schedules.stage import STEP, Stage, done, schedule
from tests.world import NOW

FIRST = NOW + STEP


@pytest.fixture(autouse=True)
def _due(stage: Stage) -> None:
    """Let the first slot be due."""
    stage.now = FIRST


def declared(stage: Stage, **times: str) -> ScheduleDefinition:
    """Record a schedule whose first slot is due."""
    one = schedule(times=Every(STEP / 1000, **times))  # type: ignore[arg-type]
    stage.now = NOW
    stage.write(one)
    stage.now = FIRST
    return one


def test_a_slot_is_fired_once(stage: Stage) -> None:
    """Who comes later, or sends it again, changes nothing; the run says of which slot it is, and is found."""
    one = declared(stage)
    fired = stage.fire(one, FIRST)
    [(word, run_id)] = fired.slots
    assert (fired.word, word, stage.waiting(), stage.next_of("daily")) == ("fired", "started", [run_id], FIRST + STEP)
    assert stage.fire(one, FIRST).word == "late"
    assert stage.waiting() == [run_id]
    run = stage.run(run_id)
    assert (run["input"], run["_schedule"]) == ('{"day":1}', f"{FIRST} daily")
    assert stage.redis.lrange(stage.settings.keys.lookup("run", "workflow", "report"), 0, -1) == [run_id]
    record = done(stage.recorded.record("daily"))
    assert record is not None
    assert (record.last_run, record.last_slot and record.last_slot.timestamp()) == (run_id, FIRST / 1000)
    assert done(stage.recorded.read("daily"))["slots"] == f"{FIRST} {run_id} started".encode()


def test_a_paused_schedule_moves_on_and_starts_nothing(stage: Stage) -> None:
    """Of several slots that are fired together the last one is what it has come to."""
    one = declared(stage, overlap="allow")
    done(stage.recorded.pause(one.id, "for now"))
    stage.now = FIRST + STEP
    assert stage.fire(one, FIRST, FIRST + STEP).slots == [("paused", ""), ("paused", "")]
    assert (stage.waiting(), stage.next_of("daily")) == ([], FIRST + 2 * STEP)
    assert done(stage.recorded.read("daily"))["slots"] == f"{FIRST} - paused".encode()
    record = done(stage.recorded.record("daily"))
    assert record is not None
    assert record.last_slot is not None
    assert record.last_slot.timestamp() == (FIRST + STEP) / 1000


def test_what_stands_in_the_place_of_shared_slots_stops_no_slot(stage: Stage) -> None:
    """The queue's own are counted all the same."""
    one = schedule(times=Every(STEP / 1000), most=1)
    stage.now = NOW
    stage.write(one)
    stage.now = FIRST
    stage.redis.set(f"{stage.settings.keys.namespace}flows:sharing:@report", "not ours")
    assert [word for word, _run in stage.fire(one, FIRST).slots] == ["started"]


def test_only_the_servers_clock_counts(stage: Stage) -> None:
    """Whose clock is ahead is told how long to wait."""
    one = declared(stage)
    stage.now = FIRST - 7
    assert stage.fire(one, FIRST)[:2] == ("early", 7)
    assert stage.next_of("daily") == FIRST


def test_what_was_edited_or_deleted_meanwhile_is_not_fired(stage: Stage) -> None:
    """The run would be that of another definition."""
    one = declared(stage)
    stage.now = NOW
    stage.write(schedule(times=Every(STEP / 1000, missed="all")))
    stage.now = FIRST
    assert stage.next_of("daily") == FIRST
    assert stage.fire(one, FIRST).word == "late"
    assert stage.fire(schedule("another"), FIRST).word == "late"
    assert stage.waiting() == []


def test_a_slot_that_has_run_does_not_run_again(stage: Stage) -> None:
    """It was filled by hand before it came; once its run is gone, it may."""
    one = declared(stage)
    ran = stage.fire(one, FIRST).slots[0][1]
    stage.now += STEP
    fired = stage.recorded.keys.fired("daily")
    stage.redis.hset(fired, str(stage.now), ran)
    stage.redis.hset(stage.settings.keys.job(RUN_FLOW, ran), "_status", "done")
    assert stage.fire(one, stage.now).slots == [("ran", ran)]
    stage.now += STEP
    stage.redis.hset(fired, str(stage.now), "gone")
    assert stage.fire(one, stage.now).slots[0][0] == "started"


def test_several_slots_are_fired_in_order(stage: Stage) -> None:
    """As after an outage, with `missed="all"`."""
    one = declared(stage, overlap="allow")
    stage.now = FIRST + 5 * STEP
    slots = [FIRST + n * STEP for n in range(3)]
    fired = stage.fire(one, *slots)
    assert [word for word, _run in fired.slots] == ["started"] * 3
    assert [stage.run(run_id)["_schedule"] for run_id in stage.waiting()] == [f"{slot} daily" for slot in slots]
    assert stage.next_of("daily") == FIRST + 3 * STEP


def test_without_slots_it_only_goes_on(stage: Stage) -> None:
    """All of them were too late, with `missed="skip"`."""
    one = declared(stage)
    stage.now = FIRST + 60_001
    assert stage.fire(one, seen=FIRST).slots == []
    assert stage.next_of("daily") == stage.now + STEP


def test_while_the_last_run_is_open_the_slot_is_skipped(stage: Stage) -> None:
    """In whatever state that is; once it has ended, the next slot runs."""
    one = declared(stage)
    [(_, first)] = stage.fire(one, FIRST).slots
    key = stage.settings.keys.job("run", first)
    slot = FIRST
    for status in JobState:
        slot += STEP
        stage.now = slot
        stage.redis.hset(key, "_status", status)
        if status in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}:
            stage.redis.hset(stage.recorded.keys.schedule("daily"), "last", first)
            assert stage.fire(one, slot).slots[0][0] == "started", status
        else:
            assert stage.fire(one, slot).slots == [("open", first)], status
    stage.end(first)
    stage.redis.hset(stage.recorded.keys.schedule("daily"), "last", first)
    assert len(stage.fire_due(one)) == 1


def test_while_no_slot_of_the_workflow_is_free_it_is_skipped_too(stage: Stage) -> None:
    """A run that was started by hand takes the workflow's only slot."""
    declared(stage)
    one = schedule(most=1)
    stage.now = NOW
    stage.write(one)
    stage.now = FIRST
    processing = stage.settings.keys.processing("report")
    stage.redis.zadd(processing, {"by-hand": FIRST + 1000})
    assert stage.fire(one, FIRST).slots == [("full", "")]
    stage.redis.delete(processing)
    stage.redis.hset(f"{stage.settings.keys.namespace}flows:sharing:@report", mapping={"report": 0, "report@fast": 0})
    stage.redis.zadd(stage.settings.keys.processing("report@fast"), {"by-hand": FIRST + 1000})
    stage.now += STEP
    assert stage.fire(one, stage.now).slots == [("full", "")]
    two = schedule("two", most=2)
    stage.write(two)
    stage.redis.zadd(processing, {"by-hand": FIRST + 1000})
    stage.redis.delete(stage.settings.keys.processing("report@fast"))
    assert len(stage.fire_due(two)) == 1
    stage.redis.delete(processing)
    assert len(stage.fire_due(one)) == 1


def test_with_allow_no_slot_has_to_be_free(stage: Stage) -> None:
    """The run waits for one."""
    one = schedule(times=Every(STEP / 1000, overlap="allow"), most=1)
    stage.now = NOW
    stage.write(one)
    stage.now = FIRST
    stage.redis.zadd(stage.settings.keys.processing("report"), {"by-hand": FIRST + 1000})
    assert stage.fire(one, FIRST).slots[0][0] == "started"


def test_with_queue_a_run_waits_for_the_end_of_the_last_one(stage: Stage) -> None:
    """Each for the one before it: it is delayed, and the other one names it, so however it ends the next one begins."""
    one = declared(stage, overlap="queue")
    [(_, first)] = stage.fire(one, FIRST).slots
    behind = first
    stage.redis.hset(stage.settings.keys.job(RUN_FLOW, first), "_parents", "parent step 0")
    for n in (1, 2):
        stage.now = FIRST + n * STEP
        [(word, run_id)] = stage.fire(one, stage.now).slots
        run = stage.run(run_id)
        assert (word, run["_status"]) == ("queued", "delayed")
        assert run["step:@turn"].startswith('{"status":"waiting"')
        assert stage.run(behind)["_parents"].split("\n")[-1] == f"{run_id} @turn -"
        behind = run_id
    assert stage.waiting() == [first]
    assert stage.run(first)["_parents"].startswith("parent step 0\n")
    third, second = behind, stage.run(first)["_parents"].split("\n")[1].split(" ")[0]
    control = Control(stage.connection, stage.settings)  # type: ignore[arg-type]
    assert done(control.cancel(RUN_FLOW, first, "why")) == "cancelled"
    assert stage.waiting() == [second]
    assert stage.run(second)["step:@turn"].startswith('{"status":"done"')
    assert done(control.cancel(RUN_FLOW, second, "why")) == "cancelled"
    assert stage.waiting() == [third]


def test_no_more_than_a_hundred_runs_wait_behind_the_last_one(stage: Stage) -> None:
    """What comes then is skipped, and its word says why; when the first has ended there is room for one."""
    one = declared(stage, overlap="queue", missed="all")
    [(_, first)] = stage.fire(one, FIRST).slots
    slots = [FIRST + n * STEP for n in range(1, 104)]
    stage.now = slots[-1]
    words = [word for at in (0, 40, 80) for word, _run in stage.fire(one, *slots[at : at + 40]).slots]
    assert words == ["queued"] * 100 + ["queue full"] * 3
    control = Control(stage.connection, stage.settings)  # type: ignore[arg-type]
    assert done(control.cancel(RUN_FLOW, first, "why")) == "cancelled"
    stage.now += 2 * STEP
    last = [stage.now - STEP, stage.now]
    assert [word for word, _run in stage.fire(one, *last).slots] == ["queued", "queue full"]


def test_with_cancel_running_the_last_run_makes_room(stage: Stage) -> None:
    """It is cancelled where nobody works on it, and asked to stop where somebody does."""
    one = declared(stage, overlap="cancel_running")
    [(_, first)] = stage.fire(one, FIRST).slots
    stage.now += STEP
    fired = stage.fire(one, stage.now)
    [(word, second)] = fired.slots
    assert fired.cancelled == []
    assert (word, stage.run(first)["_status"], stage.waiting()) == ("started", "cancelled", [second])
    assert stage.redis.hget(stage.settings.keys.meta("report"), "cancelled") == "1"
    assert stage.run(first)["_reason"] == "the next run of schedule daily has begun"
    stage.redis.hset(stage.settings.keys.job("run", second), "_status", "processing")
    stage.now += STEP
    [(word, third)] = stage.fire(one, stage.now).slots
    assert (word, "_cancel" in stage.run(second)) == ("started", True)
    stage.redis.hset(stage.settings.keys.job("run", third), "_open", "map")
    stage.now += STEP
    assert stage.fire(one, stage.now).cancelled == [third]


def test_with_allow_both_run(stage: Stage) -> None:
    """Nobody looks at the last one."""
    one = declared(stage, overlap="allow")
    for n in range(3):
        stage.now = FIRST + n * STEP
        assert stage.fire(one, stage.now).slots[0][0] == "started"
    assert len(stage.waiting()) == 3


def test_entries_of_runs_that_are_gone_are_dropped(stage: Stage) -> None:
    """Those that are kept stay, and so the hash does not grow for ever."""
    one = declared(stage, overlap="allow")
    fired = stage.recorded.keys.fired("daily")
    kept = stage.fire(one, FIRST).slots[0][1]
    for n in range(1, 60):
        stage.now = FIRST + n * STEP
        stage.end(stage.fire(one, stage.now).slots[0][1])
    assert stage.redis.hlen(fired) < 30
    assert kept in stage.redis.hvals(fired)


def test_what_cannot_be_started_moves_nothing(stage: Stage) -> None:
    """All is checked before anything is written."""
    one = declared(stage)
    stage.redis.set(stage.settings.keys.waiting("report"), "not ours")
    with pytest.raises(Exception, match="holds a string where flows keeps a list"):
        stage.fire(one, FIRST)
    assert stage.next_of("daily") == FIRST


def test_the_header_and_the_type_have_the_same_words() -> None:
    """Of the two scripts that answer a word for each slot."""
    for script, answer in (("fire", FireAnswer), ("backfill", BackfillAnswer)):
        assert sorted(load(script, "runs").words) == sorted(get_args(answer))
