"""Windows of reports: whatever the clocks and the outages, they neither overlap nor leave a gap."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.model.schedules.cron import Cron
from flows.model.schedules.every import Every
from flows.service.reports.windows import MissedReports, Window, due_windows, first_since, longest_window

HOUR = 3_600_000


def at(text: str) -> int:
    """Return an instant in milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def test_a_window_ends_at_its_slot() -> None:
    """And begins where the one before it ended; before the slot nothing is due."""
    hourly = Cron("0 * * * *")
    last = at("2026-11-26 08:00")
    assert due_windows(hourly, last, last + HOUR - 1, "last") == []
    assert due_windows(hourly, last, last + HOUR, "last") == [Window(last, last + HOUR)]


def test_a_day_without_workers() -> None:
    """One report over all of it, or one for each slot."""
    hourly, last = Cron("0 * * * *"), at("2026-11-26 08:00")
    now = last + 24 * HOUR + 5
    assert due_windows(hourly, last, now, "last") == [Window(last, last + 24 * HOUR)]
    every = due_windows(hourly, last, now, "all")
    assert every == [Window(last + n * HOUR, last + (n + 1) * HOUR) for n in range(24)]


def test_more_slots_than_are_made_up_for() -> None:
    """The first window takes what was before the newest 1,000."""
    minutely, last = Every(60), at("2026-11-26 08:00")
    windows = due_windows(minutely, last, last + 5000 * 60_000, "all")
    assert len(windows) == 1000
    assert windows[0].since == last
    assert windows[0].until == last + 4001 * 60_000


def test_a_daily_report_on_the_days_of_clock_changes() -> None:
    """In Paris one day has 25 hours and one 23: the windows are as long."""
    daily = Cron("0 8 * * *", timezone="Europe/Paris")
    (autumn,) = due_windows(daily, at("2026-10-24 06:00"), at("2026-10-25 07:00"), "last")
    assert autumn.until - autumn.since == 25 * HOUR
    (spring,) = due_windows(daily, at("2027-03-27 07:00"), at("2027-03-28 06:00"), "last")
    assert spring.until - spring.since == 23 * HOUR


def test_a_new_report_begins_with_a_whole_window() -> None:
    """From the slot before: its first mail tells of a day, and not of the minute since the deploy."""
    daily = Cron("0 8 * * *", timezone="UTC")
    since = first_since(daily, at("2026-11-26 07:59"))
    assert since == at("2026-11-25 08:00")
    assert due_windows(daily, since, at("2026-11-26 08:00"), "last") == [Window(since, at("2026-11-26 08:00"))]
    assert first_since(Cron("0 0 29 2 *"), at("2026-11-26 07:59")) == at("2026-11-26 07:59")


def test_how_long_a_window_is_at_most() -> None:
    """By the days of weeks and the changes of clocks, and the same on every day."""
    assert longest_window(Every(60)) == 60_000
    assert longest_window(Cron("0 8 * * *")) == 24 * HOUR
    assert longest_window(Cron("0 8 * * MON-FRI")) == 72 * HOUR


@given(
    st.sampled_from([Every(7), Every(3600), Cron("*/7 * * * *"), Cron("30 2 * * *", timezone="Europe/Paris")]),
    st.lists(st.integers(0, 3 * 86_400_000), max_size=20),
    st.sampled_from(["last", "all"]),
)
@pytest.mark.scale
def test_windows_follow_each_other(schedule: Cron | Every, steps: list[int], missed: MissedReports) -> None:
    """However irregularly somebody looks, each window begins where the one before ended, and ends at a slot."""
    now = at("2026-10-24 00:00")
    last = first = first_since(schedule, now)
    for step in steps:
        now += step
        for window in due_windows(schedule, last, now, missed):
            assert window.since == last < window.until <= now
            assert schedule.next_slot(window.until - 1) == window.until
            last = window.until
        assert schedule.next_slot(last) > now
    assert last >= first
