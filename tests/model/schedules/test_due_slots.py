"""Which slots run now: `Every`, and what each policy makes of missed ones."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flows.errors import DeclarationError
from flows.model.schedules.cron import Cron
from flows.model.schedules.due_slots import MOST_MISSED, due_slots, slots_between
from flows.model.schedules.every import Every

MINUTE, DAY = 60_000, 86_400_000


def test_every_has_its_slots_at_multiples_since_1970() -> None:
    """Whoever declares it and whenever, the slots are the same."""
    every = Every(timedelta(minutes=5))
    assert every.next_slot(0) == every.next_slot(5 * MINUTE - 1) == 5 * MINUTE
    assert every.next_slot(5 * MINUTE) == 10 * MINUTE
    assert Every(0.005).next_slot(7) == 10


@pytest.mark.parametrize("interval", [0, -1, 0.0005, "5", None])
def test_every_refuses_what_is_no_interval(interval: object) -> None:
    """Nothing comes every zero seconds, nor between two milliseconds."""
    with pytest.raises(DeclarationError, match="interval="):
        Every(interval)  # type: ignore[arg-type]


@pytest.mark.parametrize("schedule", [Every(60), Cron("* * * * *", timezone="Australia/Lord_Howe")])
def test_a_policy_says_which_missed_slots_run(schedule: Every | Cron) -> None:
    """After three days away: the newest; those of the last minute; or the newest thousand, in order."""
    first, now = 20_000 * DAY, 20_003 * DAY + 30_500
    newest = 20_003 * DAY
    for missed, count in (("last", 1), ("skip", 1), ("all", MOST_MISSED)):
        due = due_slots(schedule, first, now, missed)  # type: ignore[arg-type]
        assert due.next == newest + MINUTE
        assert list(due.slots) == list(range(newest - (count - 1) * MINUTE, newest + 1, MINUTE)), missed


def test_no_slot_before_the_first_comes_again() -> None:
    """However short the way back to the first one is."""
    for missed in ("last", "skip", "all"):
        due = due_slots(Every(10), 100_000, 125_000, missed)
        assert due.next == 130_000
        assert due.slots == ((120_000,) if missed == "last" else (100_000, 110_000, 120_000))


def test_a_schedule_that_comes_seldom_is_found_years_back() -> None:
    """No window is too short for it: the one slot that was missed runs, and none where none was."""
    seldom = Cron("0 0 29 2 *")
    first = seldom.next_slot(20_000 * DAY)
    assert due_slots(seldom, first, first + 1_000 * DAY, "last").slots == (first,)
    assert due_slots(seldom, first, first + 2 * MINUTE, "skip").slots == ()


def test_slots_between_has_both_ends() -> None:
    """As a backfill of a span asks for them."""
    assert list(slots_between(Every(10), 10_000, 30_000)) == [10_000, 20_000, 30_000]
    assert list(slots_between(Every(10), 10_001, 19_999)) == []
