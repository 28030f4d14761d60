"""set_schedules: what is new or was edited is reckoned anew, and nobody writes over what is another's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flows.model.retention import Retention
from flows.model.runs.schedule_definition import read_definition
from flows.model.schedules.cron import Cron
from flows.model.schedules.every import Every
from tests.store.schedules.stage import EVERY, STEP, Stage, done, schedule
from tests.world import NOW


def test_a_schedule_is_read_back_as_it_was_written(stage: Stage) -> None:
    """Its times, its policies and all that its runs are started with."""
    whole = schedule(
        "nightly",
        Cron("0 9 * * MON-FRI", timezone="Europe/Berlin", overlap="queue", missed="all"),
        most=3,
        priority=2,
        correlation_id=b'"c"',
        version="7",
        undo=True,
        retention=Retention(done=5, failed=6, cancelled=7),
        fields=(("tenant", b'"a"'),),
    )
    for one in (whole, schedule("often", EVERY)):
        assert stage.write(one) == ["written"]
        read = read_definition(one.id, done(stage.recorded.read(one.id)))
        assert read == one
        assert read.fields() == one.fields()


def test_the_record_says_what_it_is(stage: Stage) -> None:
    """With its next slot, which is the first one after now."""
    stage.write(schedule("b", Cron("0 9 * * *")), schedule("a"), app="")
    by_interval, by_cron = done(stage.recorded.list())
    assert (by_interval.id, by_interval.interval, by_interval.cron) == ("a", timedelta(seconds=10), None)
    assert (by_interval.app, by_interval.workflow, by_interval.input) == (None, "report", {"day": 1})
    assert by_interval.next_at == datetime.fromtimestamp((NOW + STEP) / 1000, UTC)
    assert by_interval.created_at == datetime.fromtimestamp(NOW / 1000, UTC)
    assert (by_cron.cron, by_cron.timezone, by_cron.overlap, by_cron.missed) == ("0 9 * * *", "UTC", "skip", "last")
    assert done(stage.recorded.record("b")) == by_cron
    assert done(stage.recorded.record("c")) is None


def test_an_unchanged_one_keeps_its_next_slot_and_an_edited_one_begins_anew(stage: Stage) -> None:
    """Over a deploy that took an hour; its pause and what it has started stay in any case."""
    stage.write(schedule())
    [run] = stage.fire_due(schedule())
    done(stage.recorded.pause("daily", "for now"))
    due = stage.next_of("daily")
    stage.now = NOW + 3_600_000
    assert stage.write(schedule()) == ["unchanged"]
    assert stage.next_of("daily") == due
    stage.redis.delete(stage.recorded.keys.schedules())
    assert stage.write(schedule()) == ["unchanged"]
    assert stage.next_of("daily") == stage.now + STEP
    assert stage.write(schedule(times=Every(7))) == ["written"]
    assert stage.next_of("daily") == (stage.now // 7000 + 1) * 7000
    record = done(stage.recorded.record("daily"))
    assert record is not None
    assert (record.last_run, record.note) == (run, "for now")
    assert record.created_at == datetime.fromtimestamp(NOW / 1000, UTC)


def test_another_app_takes_it_over_once_it_is_declared_no_more(stage: Stage) -> None:
    """While a workflow moves, the app that has it keeps it; what was made by hand is nobody's."""
    stage.write(schedule())
    stage.see("daily")
    stage.now += 30_000
    assert stage.write(schedule(times=Every(7)), app="billing") == ["taken"]
    stage.now += 1
    assert stage.write(schedule(times=Every(7)), app="billing") == ["written"]
    assert stage.write(schedule(), app="") == ["taken"]
    assert stage.write(schedule("by-hand"), app="") == ["written"]
    assert stage.write(schedule("by-hand"), app="") == stage.write(schedule("by-hand")) == ["taken"]


def test_many_are_written_in_parts(stage: Stage) -> None:
    """A hundred at most, and half a megabyte: nobody waits long for one script."""
    many = [schedule(f"s{number:03}") for number in range(230)]
    assert stage.write(*many) == ["written"] * 230
    assert stage.redis.zcard(stage.recorded.keys.schedules()) == 230
