"""`Cron`: when its slots are, also where clocks change, and what it refuses."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest

from flows.errors import DeclarationError, MissingExtra
from flows.model.schedules.cron import Cron
from flows.model.schedules.due_slots import slots_between
from tests.model.schedules.debian_cron import Entry, runs, utc

CHANGES = [
    ("Europe/Berlin", utc(2026, 3, 29)),
    ("Europe/Berlin", utc(2026, 10, 25)),
    ("America/New_York", utc(2026, 3, 8)),
    ("America/New_York", utc(2026, 11, 1)),
    ("Australia/Lord_Howe", utc(2026, 4, 5)),  # half an hour back
    ("Australia/Lord_Howe", utc(2026, 10, 4)),  # half an hour on
    ("America/St_Johns", utc(2026, 3, 8)),
    ("America/St_Johns", utc(2026, 11, 1)),
]


def _crontab() -> list[Entry]:
    """Return entries for each hour of a day, of all the kinds that the clock's change treats in ways of their own."""
    every = range(24)
    entries = [
        Entry("*/30 * * * *", every, range(0, 60, 30)),
        Entry("* 0-4 * * *", range(5), range(60)),
        Entry("15 * * * *", every, [15]),
        Entry("0 */2 * * *", range(0, 24, 2), [0]),
        Entry("45 1-3 * * *", range(1, 4), [45]),
    ]
    for hour in every:
        entries += [Entry(f"{minute} {hour} * * *", [hour], [minute]) for minute in (0, 29, 30, 59)]
        entries += [
            Entry(f"0,10,40 {hour} * * *", [hour], [0, 10, 40]),
            Entry(f"*/15 {hour} * * *", [hour], range(0, 60, 15)),
        ]
    return entries


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_has_the_slots_of_debian_where_clocks_change(zone: str, day: datetime) -> None:
    """Each hour of the day of the change and of those beside it, against a clock that lives through every minute."""
    first, last = day - timedelta(hours=18), day + timedelta(hours=42)
    expected = runs(entries := _crontab(), zone, first, last)
    for entry in entries:
        cron = Cron(entry.text, timezone=zone)
        slots = slots_between(cron, _ms(first) + 1, _ms(last))
        assert [datetime.fromtimestamp(slot / 1000, UTC) for slot in slots] == expected[entry.text], entry.text


@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_has_the_same_next_slot_from_every_instant(zone: str, day: datetime) -> None:
    """From whichever instant one asks, also within a repeated hour, no slot is left out and none comes again."""
    for text in ("30 2 * * *", "45 1-3 * * *", "*/20 2 * * *", "10,50 * 25 * *", f"*/20 1,2 {day.day} {day.month} *"):
        cron = Cron(text, timezone=zone)
        start, end = _ms(day - timedelta(hours=12)), _ms(day + timedelta(hours=36))
        slots = [*slots_between(cron, start, end), cron.next_slot(end)]
        for after in range(start, end, 7 * 60_000):
            assert cron.next_slot(after) == next(slot for slot in slots if slot > after), (text, after)


def test_reads_what_crontabs_have() -> None:
    """Names, steps, the last day, the second Monday, either day and the usual short words."""
    for text, slot in [
        ("0 9 * * MON-FRI", utc(2026, 11, 30, 9)),
        ("*/15 * * * *", utc(2026, 11, 27, 21)),
        ("0 0 L * *", utc(2026, 11, 30)),
        ("0 0 * * MON#2", utc(2026, 12, 14)),
        ("0 0 29 FEB *", utc(2028, 2, 29)),
        ("0 0 13 * FRI", utc(2026, 12, 4)),
        ("@daily", utc(2026, 11, 28)),
        ("@Hourly", utc(2026, 11, 27, 21)),
    ]:
        assert Cron(text).next_slot(_ms(utc(2026, 11, 27, 20, 45))) == _ms(slot), text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"expression": "* * * *"}, "has 4 fields: give five"),
        ({"expression": "0 * * * * *"}, "for seconds take Every"),
        ({"expression": "61 * * * *"}, "bad minute"),
        ({"expression": "0 0 30 2 *"}, "bad day-of-month"),
        ({"expression": "0 0 31 4 */9"}, "day"),
        ({"expression": 5}, "give a text"),
        ({"timezone": "Europe/Atlantis"}, "not known here: give a name such as 'Europe/Berlin'"),
        ({"timezone": "../etc/passwd"}, "not known here"),
        ({"timezone": None}, "give the name of a time zone"),
        ({"overlap": "wait"}, "give one of 'skip', 'queue', 'cancel_running', 'allow'"),
        ({"missed": ["last"]}, "give one of 'last', 'skip', 'all'"),
        ({"id": ""}, "give 1 to 200 printable characters"),
        ({"id": "a\n"}, "give 1 to 200 printable characters"),
    ],
)
def test_refuses_what_it_cannot_keep(arguments: dict[str, object], says: str) -> None:
    """A schedule that would never run, or otherwise than meant, is refused where it is written."""
    with pytest.raises(DeclarationError, match=says.replace("*", r"\*")):
        Cron(**{"expression": "0 9 * * *", **arguments})  # type: ignore[arg-type]


def test_names_the_extra_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without cronsim the error says what to install."""
    monkeypatch.setitem(sys.modules, "cronsim", None)
    with pytest.raises(MissingExtra, match=r"Cron needs the extra `cron`: pip install 'typed-flows\[cron\]'"):
        Cron("0 9 * * *")


def _ms(instant: datetime) -> int:
    return int(instant.timestamp()) * 1000
