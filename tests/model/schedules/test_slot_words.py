"""What became of slots, by what is recorded of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from flows.model.schedules.cron import Cron
from flows.model.schedules.every import Every
from flows.model.schedules.slot_words import SlotBook, ToldSlot

#: Slots are the multiples of 10.
TENS = Every(0.01)
MISSED = ToldSlot(60, "missed")


def test_slots_that_nobody_told_of_were_missed() -> None:
    """From the first one that is recorded on; what stands there keeps its word, and the newest are given."""
    book = SlotBook(TENS, {"since": b"5", "slots": b"60 c started\n40 - paused\n20 a started\nnonsense"}, 70, 75)
    told = [(one.at, one.word, one.run) for one in book.newest(5)]
    assert told == [(20, "ran", "a"), (30, "missed", ""), (40, "paused", ""), (60, "ran", "c"), (70, "due", "")]
    assert [one.word for one in book.between(10, 80, 8) or ()] == [
        *("unknown", "ran", "missed", "paused", "paused", "ran", "due", "planned"),
    ]
    assert book.between(10, 80, 7) is None


@pytest.mark.parametrize(
    ("fields", "next_ms", "told"),
    [
        ({}, 80, []),  # it has not come yet
        ({"since": b"5"}, 70, [ToldSlot(70, "due")]),  # nobody has fired it since it was made
        ({"since": b"55", "slots": b"20 a open"}, 80, [ToldSlot(20, "open", "a"), MISSED, ToldSlot(70, "missed")]),
    ],
)
def test_of_a_schedule_that_was_edited_slots_are_reckoned_from_then_on(
    fields: dict[str, bytes], next_ms: int, told: list[ToldSlot]
) -> None:
    """What was recorded of its former times stays; none of its present times was missed before."""
    assert SlotBook(TENS, fields, next_ms, 75).newest(9) == told


def test_what_passes_in_a_pause_was_not_missed() -> None:
    """Nor is it due; what came before stays to be seen."""
    book = SlotBook(TENS, {"since": b"5", "slots": b"20 a started", "paused": b"35"}, 40, 75)
    assert [(one.at, one.word) for one in book.newest(9)] == [(20, "ran"), (30, "missed")]
    assert [one.word for one in book.between(40, 80, 9) or ()] == [*["paused"] * 4, "planned"]


def test_a_time_that_the_clock_skips_is_told() -> None:
    """At 02:00 on 28 March 2027 the clock of Berlin goes to 03:00."""
    berlin = Cron("30 2 28 3,6 *", timezone="Europe/Berlin")
    march = berlin.next_slot(int(datetime(2027, 1, 1, tzinfo=UTC).timestamp() * 1000))
    assert datetime.fromtimestamp(march / 1000, UTC) == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert berlin.skipped(march) == datetime(2027, 3, 28, 2, 30)  # noqa: DTZ001 - on a clock
    assert berlin.skipped(berlin.next_slot(march)) is None
    assert Cron("0 3 * * *", timezone="Europe/Berlin").skipped(march) is None
    assert Cron("*/30 * * * *", timezone="Europe/Berlin").skipped(march) is None
